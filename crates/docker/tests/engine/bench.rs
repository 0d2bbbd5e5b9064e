//! What every test here needs: an engine, names and subnets of its own, and that nothing stays behind.

use docker::{BuildContext, BuildRequest, Engine, Error, Labels, LogLine, NetworkSpec, Runtime, SiteContainer};
use std::{net::Ipv4Addr, time::Duration};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Set-up brings it.
pub const IMAGE: &str = "debian:bookworm-slim";
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Bench {
    pub engine: Engine,
    /// In every name that the test gives.
    pub run: String,
}

impl Bench {
    pub fn new() -> Self {
        Self { engine: Engine::from_env(), run: format!("t{}", Uuid::new_v4().simple()) }
    }

    pub fn labels(&self) -> Labels {
        Labels::from([("webmeteor.test".to_owned(), self.run.clone())])
    }

    pub fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.run)
    }

    /// A network with a subnet that nobody has.
    pub async fn network(&self, what: &str) -> NetworkSpec {
        for _ in 0..50 {
            let random = Uuid::new_v4().as_u128();
            let [.., a, b, c] = random.to_be_bytes();
            let base = Ipv4Addr::new(10, 0xe0 | (a & 0x0f), b, c & !0x1f);
            let spec = NetworkSpec { name: self.name(what), base, prefix: 27, labels: self.labels() };
            match self.engine.ensure_network(&spec).await {
                Err(Error::SubnetTaken(_)) => {}
                other => {
                    other.unwrap();
                    return spec;
                }
            }
        }
        panic!("no free subnet in 50 tries");
    }

    /// A container that runs `script` in bash, at the `last` address of the network.
    pub fn container(&self, what: &str, network: &NetworkSpec, last: u32, script: &str) -> SiteContainer {
        let address = Ipv4Addr::from(u32::from(network.base) + last);
        let mut spec = SiteContainer::new(self.name(what), IMAGE, &network.name, address);
        spec.labels = self.labels();
        spec.aliases = vec![what.to_owned()];
        spec.command = Some(vec!["bash".into(), "-c".into(), script.into()]);
        spec.stop_timeout = Duration::from_secs(1);
        spec
    }

    pub async fn exec(&self, name: &str, argv: &[&str]) -> docker::ExecOutput {
        let argv: Vec<String> = argv.iter().map(|&arg| arg.to_owned()).collect();
        self.engine.exec(name, &argv, PATIENCE).await.unwrap()
    }

    /// A folder with these files, and the request to build it.
    pub fn build(&self, files: &[(&str, &str)]) -> (tempfile::TempDir, BuildRequest) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let context = BuildContext { root: dir.path().to_owned(), folder: ".".into() };
        let mut request = BuildRequest::new(context, format!("webmeteor-test/{}:1", self.run));
        request.labels = self.labels();
        request.no_cache = true;
        (dir, request)
    }

    /// Containers of any origin whose command names this test.
    pub async fn build_containers(&self) -> usize {
        let docker = bollard::Docker::connect_with_defaults().unwrap().negotiate_version().await.unwrap();
        let options = bollard::query_parameters::ListContainersOptionsBuilder::new().all(true).build();
        let all = docker.list_containers(Some(options)).await.unwrap();
        all.iter().filter(|one| one.command.as_ref().is_some_and(|command| command.contains(&self.run))).count()
    }
}

/// Waits until the answer is yes; what is waited for has to be said.
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let wait = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}: not within {PATIENCE:?}");
}

/// All lines of a build, once it has ended.
pub async fn all(mut lines: mpsc::Receiver<LogLine>) -> Vec<String> {
    let mut texts = vec![];
    while let Some(line) = lines.recv().await {
        texts.push(line.text);
    }
    texts
}

impl Drop for Bench {
    /// Also after a failed assertion.
    fn drop(&mut self) {
        let labels = self.labels();
        let cleaning = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let engine = Engine::from_env();
                for container in engine.list_containers(&labels).await.unwrap() {
                    engine.remove(&container.id, true).await.unwrap();
                }
                for network in engine.list_networks(&labels).await.unwrap() {
                    engine.remove_network(&network.name).await.unwrap();
                }
                for volume in engine.list_volumes(&labels).await.unwrap() {
                    engine.remove_volume(&volume.name).await.unwrap();
                }
                for image in engine.list_images(&labels).await.unwrap() {
                    engine.remove_image(image.id.as_str()).await.unwrap();
                }
            });
        });
        let clean = cleaning.join().is_ok();
        assert!(clean || std::thread::panicking(), "something of this test stays behind in Docker");
    }
}
