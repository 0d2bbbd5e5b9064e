//! Repositories over SSH, from OpenSSH's own server.

use crate::{
    sshd::Sshd,
    support::{branch, files, nothing_is_left},
};
use forge::git::{
    Credentials, FetchError, FetchRequest, KeyPair, RemoteRequest, SshAccess, fetch, fingerprint, learn_host_key,
    ls_remote,
};
use model::{deployment::FailureCode, names::RepoUrl};
use secrecy::ExposeSecret;
use std::{path::Path, time::Duration};
use tokio_util::sync::CancellationToken;

fn asking(url: RepoUrl, access: &SshAccess) -> RemoteRequest {
    RemoteRequest {
        url,
        credentials: Credentials::Key(access.clone()),
        branch: None,
        allow_private: true,
        timeout: Duration::from_secs(20),
    }
}

async fn look(url: RepoUrl, access: &SshAccess) -> Result<forge::git::Remote, FetchError> {
    ls_remote(&asking(url, access), &CancellationToken::new()).await
}

fn fetching<'a>(sshd: &Sshd, access: &SshAccess, into: &'a Path) -> FetchRequest<'a> {
    std::fs::create_dir_all(into.parent().unwrap()).unwrap();
    FetchRequest {
        url: sshd.url(),
        credentials: Credentials::Key(access.clone()),
        branch: branch("main"),
        head: None,
        commit: None,
        into,
        allow_private: true,
        max_bytes: 100 << 20,
        timeout: Duration::from_secs(30),
    }
}

/// The arguments and the environment of every process of this machine that runs now.
fn processes() -> Vec<String> {
    let paths = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let texts = paths.flat_map(|path| [path.join("cmdline"), path.join("environ")]);
    texts.filter_map(|path| std::fs::read(path).ok()).map(|text| String::from_utf8_lossy(&text).into()).collect()
}

#[tokio::test]
async fn the_key_opens_the_repository_and_is_seen_nowhere() {
    let (sshd, commit) = Sshd::start().await;
    let access = sshd.access();
    assert_eq!(look(sshd.url(), &access).await.unwrap().commit, commit);
    let into = sshd.folder.path().join("work/checkout");
    sshd.hold();
    let seen = async {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while !sshd.has_entered() {
            assert!(std::time::Instant::now() < deadline, "git never came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let found = (processes(), files(into.parent().unwrap()));
        sshd.let_go();
        found
    };
    let cancel = CancellationToken::new();
    let request = fetching(&sshd, &access, &into);
    assert!(!format!("{request:?}").contains("OPENSSH"));
    let (outcome, (processes, files_then)) = tokio::join!(fetch(request, &cancel, &|_| ()), seen);
    assert_eq!(outcome.unwrap().commit, commit);
    assert_eq!(files(&into)["index.html"], "one");
    assert!(processes.iter().any(|all| all.contains("IdentityFile=/proc/")), "ssh was seen");
    assert!(files_then.keys().any(|path| path.contains("repository.git/config")), "its folder was seen");
    let lines = access.private_key.expose_secret().lines().filter(|line| !line.starts_with("-----"));
    for line in lines.filter(|line| line.len() > 20) {
        assert!(processes.iter().all(|all| !all.contains(line)), "in an argument or a variable");
        assert!(files_then.values().all(|text| !text.contains(line)), "in a file");
    }
}

#[tokio::test]
async fn a_key_that_is_not_let_in_is_named_with_what_to_do() {
    let (sshd, _) = Sshd::start().await;
    let access = sshd.access();
    sshd.authorize(&KeyPair::generate().unwrap().public_key);
    let error = look(sshd.url(), &access).await.unwrap_err();
    assert_eq!((error.code, error.temporary), (FailureCode::DeployKeyRefused, false));
    assert!(error.message.contains(&fingerprint(&access.public_key)), "{error}");
    let without = RemoteRequest { credentials: Credentials::None, ..asking(sshd.url(), &access) };
    let error = ls_remote(&without, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, FailureCode::DeployKeyRefused, "a key of the user's own is never tried");
}

#[tokio::test]
async fn a_server_with_another_key_is_told_nothing() {
    let (mut sshd, _) = Sshd::start().await;
    let access = sshd.access();
    let old = sshd.host_key().fingerprint();
    let new = sshd.new_host_key().fingerprint();
    let before = sshd.log().len();
    let into = sshd.folder.path().join("work/checkout");
    let request = fetching(&sshd, &access, &into);
    let error = fetch(request, &CancellationToken::new(), &|_| ()).await.unwrap_err();
    assert_eq!((error.code, error.temporary), (FailureCode::HostKeyChanged, false));
    assert!(error.message.contains(&old) && error.message.contains(&new), "{error}");
    assert_eq!(error.offered_host_key, Some(new));
    let log = sshd.log()[before..].to_owned();
    assert!(log.contains("Connection from") && !log.contains("publickey"), "{log}");
    assert!(nothing_is_left(&into));
}

#[tokio::test]
async fn a_server_is_asked_for_its_key_and_known_by_it() {
    let (mut sshd, commit) = Sshd::start().await;
    let learnt = learn_host_key(&sshd.url(), true).await.unwrap();
    assert_eq!(learnt, sshd.host_key());
    let access = SshAccess { host_key: learnt, ..sshd.access() };
    assert_eq!(look(sshd.url_at("localhost"), &access).await.unwrap().commit, commit, "by its name too");
    sshd.stop();
    for error in [learn_host_key(&sshd.url(), true).await.unwrap_err(), look(sshd.url(), &access).await.unwrap_err()] {
        assert!(error.temporary && error.message.contains("does not answer"), "{error}");
    }
}

#[tokio::test]
async fn a_private_network_is_not_even_asked_over_ssh() {
    let (sshd, _) = Sshd::start().await;
    let access = sshd.access();
    let before = sshd.connections();
    for host in ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let request = RemoteRequest { allow_private: false, ..asking(sshd.url_at(host), &access) };
        let error = ls_remote(&request, &CancellationToken::new()).await.unwrap_err();
        assert!(error.message.contains("private network"), "{host}: {error}");
        assert!(learn_host_key(&sshd.url_at(host), false).await.is_err(), "{host}");
    }
    assert_eq!(sshd.connections(), before);
    assert!(learn_host_key(&sshd.url(), true).await.is_ok());
    assert!(sshd.connections() > before, "whoever asks is seen");
}

#[tokio::test]
async fn a_repository_or_a_branch_that_is_not_there_is_told() {
    let (sshd, _) = Sshd::start().await;
    let access = sshd.access();
    let nowhere = sshd.url_of("127.0.0.1", &sshd.folder.path().join("nowhere.git"));
    let error = look(nowhere, &access).await.unwrap_err();
    assert!(error.message.contains("no repository at this address"), "{error}");
    let request = RemoteRequest { branch: Some(branch("nope")), ..asking(sshd.url(), &access) };
    let error = ls_remote(&request, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, FailureCode::RefNotFound);
    assert!(error.message.contains("it has main."), "{error}");
}
