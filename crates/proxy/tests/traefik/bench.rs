//! A Traefik of the test's own, removed with it.

use crate::backend::Backend;
use bollard::{
    Docker,
    models::{ContainerCreateBody, HostConfig, Mount, MountType},
    query_parameters::{
        CreateContainerOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
    },
};
use futures::StreamExt;
use proxy::{Proxy, ProxyFiles, ProxySettings, RouteService, SiteRoutes, TraefikApi};
use std::{collections::HashMap, net::TcpListener, time::Duration};
use uuid::Uuid;

pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Bench {
    name: String,
    pub dir: tempfile::TempDir,
    pub settings: ProxySettings,
    pub proxy: Proxy,
    pub files: ProxyFiles,
    pub api: TraefikApi,
    pub http: reqwest::Client,
}

impl Bench {
    /// Settings and clients; nothing runs.
    pub fn idle() -> Self {
        // All at once, so that no two are the same.
        let free: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let dir = tempfile::tempdir().unwrap();
        let settings = ProxySettings {
            routes_dir: dir.path().to_owned(),
            http_port: ports[0],
            https_port: ports[1],
            api_port: ports[2],
            image: ProxySettings::IMAGE.into(),
        };
        Self {
            name: format!("t{}-proxy", Uuid::new_v4().simple()),
            files: ProxyFiles::new(dir.path()),
            proxy: Proxy::new(settings.clone()).unwrap(),
            api: TraefikApi::new(&format!("http://127.0.0.1:{}", settings.api_port)).unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            settings,
            dir,
        }
    }

    /// With a Traefik that answers.
    pub async fn running() -> Self {
        let bench = Self::idle();
        let docker = docker().await;
        let container = bench.proxy.container();
        let mounts = container.binds.iter().map(|bind| Mount {
            typ: Some(MountType::BIND),
            source: Some(bind.host.display().to_string()),
            target: Some(bind.container.clone()),
            read_only: Some(true),
            ..Mount::default()
        });
        let body = ContainerCreateBody {
            image: Some(container.image.clone()),
            cmd: Some(container.args.clone()),
            labels: Some(HashMap::from([("webmeteor.test".to_owned(), bench.name.clone())])),
            host_config: Some(HostConfig {
                network_mode: Some("host".into()),
                mounts: Some(mounts.collect()),
                cap_drop: Some(vec!["ALL".into()]),
                cap_add: Some(vec!["NET_BIND_SERVICE".into(), "DAC_OVERRIDE".into()]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let named = CreateContainerOptionsBuilder::new().name(&bench.name).build();
        docker.create_container(Some(named), body).await.unwrap();
        docker.start_container(&bench.name, None::<StartContainerOptions>).await.unwrap();
        let wait = async {
            while bench.proxy.ping().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let answers = tokio::time::timeout(PATIENCE, wait).await.is_ok();
        assert!(answers, "Traefik does not answer: {}", bench.log().await);
        bench
    }

    /// What Traefik could not do.
    pub async fn errors(&self) -> Vec<String> {
        self.log().await.lines().filter(|line| line.contains("ERR")).map(String::from).collect()
    }

    async fn log(&self) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).build();
        let lines = docker().await.logs(&self.name, Some(options)).collect::<Vec<_>>().await;
        lines.into_iter().filter_map(Result::ok).map(|line| line.to_string()).collect()
    }

    /// Status and body.
    pub async fn get(&self, host: &str, path: &str) -> (u16, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.settings.http_port);
        let answer = self.http.get(url).header("host", host).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Waits for the status, which must come.
    pub async fn until_status(&self, host: &str, status: u16) {
        let wait = async {
            while self.get(host, "/").await.0 != status {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{host} never answers {status}");
    }
}

pub fn service(name: &str, backend: &Backend, path: &str, strip: bool) -> RouteService {
    RouteService { name: name.into(), address: backend.address, port: backend.port, path: path.into(), strip }
}

pub fn routes(key: &str, services: Vec<RouteService>) -> SiteRoutes {
    SiteRoutes { key: key.into(), hosts: vec![format!("{key}.localhost")], services }
}

async fn docker() -> Docker {
    Docker::connect_with_defaults().unwrap().negotiate_version().await.unwrap()
}

impl Drop for Bench {
    /// Also after a failed assertion.
    fn drop(&mut self) {
        let name = self.name.clone();
        let removing = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let force = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
                docker().await.remove_container(&name, Some(force)).await.ok();
            });
        });
        removing.join().ok();
    }
}
