//! Asking a remote repository what it has.

use crate::support::{Forge, Manners, branch};
use forge::{
    git::{RemoteRequest, ls_remote},
    hosted,
};
use model::deployment::FailureCode;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_default_branch_and_a_named_one_are_found_with_their_commits() {
    let (forge, first) = Forge::with_site(Manners::default()).await;
    let second = forge.commit("dev", &[("x", "y")]).await;
    let cancel = CancellationToken::new();
    let found = ls_remote(&forge.look(), &cancel).await.unwrap();
    assert_eq!((found.branch, found.commit, found.default_branch), (branch("main"), first, Some(branch("main"))));
    let dev = RemoteRequest { branch: Some(branch("dev")), ..forge.look() };
    assert_eq!(ls_remote(&dev, &cancel).await.unwrap().commit, second);
}

#[tokio::test]
async fn a_missing_branch_an_empty_repository_and_a_missing_one_are_told_apart() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let cancel = CancellationToken::new();
    let missing = RemoteRequest { branch: Some(branch("nope")), ..forge.look() };
    let error = ls_remote(&missing, &cancel).await.unwrap_err();
    assert_eq!(error.code, FailureCode::RefNotFound);
    assert!(error.message.contains("it has main."), "{error}");

    hosted::create_empty(&forge.repository().with_file_name("empty.git")).await.unwrap();
    let empty = RemoteRequest { url: forge.url("/empty.git"), ..forge.look() };
    let error = ls_remote(&empty, &cancel).await.unwrap_err();
    assert!(error.message.contains("empty"), "{error}");

    let nowhere = RemoteRequest { url: forge.url("/nowhere.git"), ..forge.look() };
    assert_eq!(ls_remote(&nowhere, &cancel).await.unwrap_err().code, FailureCode::FetchFailed);
}

#[tokio::test]
async fn a_host_that_does_not_exist_or_does_not_answer_is_told() {
    let forge = Forge::start(Manners::default()).await;
    let cancel = CancellationToken::new();
    let unknown = model::names::RepoUrl::parse("https://no-such-host.invalid/a/b").unwrap();
    let error = ls_remote(&RemoteRequest { url: unknown, ..forge.look() }, &cancel).await.unwrap_err();
    assert!(error.message.contains("cannot be found"), "{error}");

    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/a.git", listener.local_addr().unwrap())
    };
    let closed = model::names::RepoUrl::parse(&closed).unwrap();
    let error = ls_remote(&RemoteRequest { url: closed, ..forge.look() }, &cancel).await.unwrap_err();
    assert!(error.message.contains("does not answer"), "{error}");
}

/// A TLS server whose certificate nobody vouches for.
struct SelfSigned(std::process::Child);

impl SelfSigned {
    async fn start(folder: &std::path::Path) -> (Self, String) {
        let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
        let openssl = || std::process::Command::new("openssl");
        let mut request = openssl();
        request.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]);
        request.args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"]).arg(&key).arg("-out").arg(&certificate);
        assert!(request.output().unwrap().status.success());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut server = openssl();
        server.args(["s_server", "-quiet", "-accept", &address, "-key"]).arg(key).arg("-cert").arg(certificate);
        let server = Self(server.stdin(std::process::Stdio::null()).spawn().unwrap());
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while tokio::net::TcpStream::connect(&address).await.is_err() {
            assert!(std::time::Instant::now() < deadline, "the server never listened");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        (server, address)
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn over_https_the_servers_certificate_is_checked() {
    let forge = Forge::start(Manners::default()).await;
    let (_server, address) = SelfSigned::start(forge.repository().parent().unwrap()).await;
    let url = model::names::RepoUrl::parse(&format!("https://{address}/a/b.git")).unwrap();
    let error = ls_remote(&RemoteRequest { url, ..forge.look() }, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, FailureCode::FetchFailed);
    assert!(error.message.contains("certificate of the repository's server is not valid"), "{error}");
}
