//! Fetching a commit of a remote repository.

use crate::support::{Forge, Manners, branch, files, nothing_is_left};
use base64::{Engine, engine::general_purpose::STANDARD};
use forge::git::{Credentials, FetchError, FetchRequest, PullHead, fetch};
use model::{deployment::FailureCode, names::CommitSha};
use std::{os::unix::fs::symlink, sync::Mutex, time::Duration};
use tokio_util::sync::CancellationToken;

async fn get(request: FetchRequest<'_>) -> Result<forge::git::CheckedOut, FetchError> {
    fetch(request, &CancellationToken::new(), &|_| ()).await
}

#[tokio::test]
async fn the_newest_commit_of_a_branch_becomes_plain_files() {
    let (forge, commit) = Forge::with_site(Manners::default()).await;
    let into = forge.place();
    let checked_out = get(forge.fetch(&into)).await.unwrap();
    assert_eq!(checked_out.commit, commit);
    assert_eq!((checked_out.message.as_str(), checked_out.author.as_str()), ("A message", "Ada"));
    let found = files(&into);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a/b.txt", "index.html"], "no .git");
    assert_eq!(found["index.html"], "one");
    assert_eq!(std::fs::read_dir(into.parent().unwrap()).unwrap().count(), 1, "no temporary folder is left");
}

#[tokio::test]
async fn a_branch_with_a_slash_is_fetched() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let commit = forge.commit("feature/x-1", &[("x", "x")]).await;
    let into = forge.place();
    assert_eq!(get(FetchRequest { branch: branch("feature/x-1"), ..forge.fetch(&into) }).await.unwrap().commit, commit);
}

#[tokio::test]
async fn an_older_commit_is_fetched_from_new_servers_and_from_old_ones() {
    for old in [false, true] {
        let (forge, first) = Forge::with_site(Manners { old, ..Manners::default() }).await;
        for n in 0..5 {
            forge.commit("main", &[("index.html", &format!("later {n}"))]).await;
        }
        let into = forge.place();
        let request = FetchRequest { commit: Some(first.clone()), ..forge.fetch(&into) };
        assert_eq!(get(request).await.unwrap().commit, first, "old: {old}");
        assert_eq!(files(&into)["index.html"], "one");
    }
}

#[tokio::test]
async fn a_pull_request_is_fetched_from_where_its_forge_keeps_it() {
    for (head, reference) in
        [(PullHead::Pull(12), "refs/pull/12/head"), (PullHead::MergeRequest(3), "refs/merge-requests/3/head")]
    {
        for old in [false, true] {
            let (forge, _) = Forge::with_site(Manners { old, ..Manners::default() }).await;
            let commit = forge.commit("theirs", &[("index.html", "theirs")]).await;
            forge.git(&["update-ref", reference, commit.as_str()]);
            forge.git(&["branch", "--quiet", "-D", "theirs"]);
            for commit in [None, Some(commit.clone())] {
                let into = forge.place();
                let request = FetchRequest { head: Some(head), commit, ..forge.fetch(&into) };
                get(request).await.unwrap_or_else(|error| panic!("old: {old}: {error}"));
                assert_eq!(files(&into)["index.html"], "theirs", "old: {old}");
                std::fs::remove_dir_all(&into).unwrap();
            }
            let into = forge.place();
            let request = FetchRequest { head: Some(PullHead::Pull(99)), ..forge.fetch(&into) };
            let error = get(request).await.unwrap_err();
            assert_eq!(error.message, "“refs/pull/99/head” is not in the repository.");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let into = forge.place();
    let error = get(FetchRequest { branch: branch("nope"), ..forge.fetch(&into) }).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (FailureCode::RefNotFound, "“nope” is not in the repository."));

    let commit = CommitSha::parse("1111111111111111111111111111111111111111").unwrap();
    let error = get(FetchRequest { commit: Some(commit), ..forge.fetch(&into) }).await.unwrap_err();
    assert_eq!(error.code, FailureCode::RefNotFound);

    let error = get(FetchRequest { url: forge.url("/none.git"), ..forge.fetch(&into) }).await.unwrap_err();
    assert_eq!(error.code, FailureCode::FetchFailed);
    assert!(error.message.contains("no repository at this address"), "{error}");
    assert!(nothing_is_left(&into));
}

#[tokio::test]
async fn a_private_repository_wants_its_token_and_the_token_is_seen_nowhere() {
    let authorization = Some(format!("Basic {}", STANDARD.encode("oauth2:t0ken-of-ada")));
    let (forge, commit) = Forge::with_site(Manners { authorization, ..Manners::default() }).await;
    let into = forge.place();
    let error = get(forge.fetch(&into)).await.unwrap_err();
    assert!(error.message.contains("Give a token"), "{error}");
    let error =
        get(FetchRequest { credentials: Credentials::Token("wrong".into()), ..forge.fetch(&into) }).await.unwrap_err();
    assert!(error.message.contains("does not accept the token"), "{error}");

    let lines = Mutex::new(Vec::new());
    let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let request = FetchRequest { credentials: Credentials::Token("t0ken-of-ada".into()), ..forge.fetch(&into) };
    assert!(!format!("{request:?}").contains("t0ken"));
    assert_eq!(fetch(request, &CancellationToken::new(), &say).await.unwrap().commit, commit);
    assert!(lines.lock().unwrap().iter().all(|line| !line.contains("t0ken")));
    assert!(files(&into).values().all(|text| !text.contains("t0ken")));
}

/// The arguments of every process of this machine that runs now.
fn arguments() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    processes.filter_map(|path| std::fs::read(path).ok()).map(|text| String::from_utf8_lossy(&text).into()).collect()
}

#[tokio::test]
async fn while_the_forge_is_silent_the_token_is_in_no_argument_and_on_no_disk() {
    let encoded = STANDARD.encode("oauth2:t0ken-of-ada");
    let authorization = Some(format!("Basic {encoded}"));
    let manners = Manners { authorization, ..Manners::default() };
    let (forge, commit) = Forge::with_site(Manners { stalls: true, ..manners.clone() }).await;
    let into = forge.place();
    let request = FetchRequest { credentials: Credentials::Token("t0ken-of-ada".into()), ..forge.fetch(&into) };
    let look = async {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while forge.requests() == 0 {
            assert!(std::time::Instant::now() < deadline, "the forge was never asked");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let found = (arguments(), files(into.parent().unwrap()));
        forge.behave(manners);
        found
    };
    let (outcome, (arguments, files)) = tokio::join!(get(request), look);
    assert_eq!(outcome.unwrap().commit, commit);
    assert!(arguments.iter().any(|all| all.contains(&forge.base)), "git was seen");
    assert!(files.keys().any(|path| path.contains("repository.git/config")), "its folder was seen: {files:?}");
    for secret in ["t0ken-of-ada", &encoded] {
        assert!(arguments.iter().all(|all| !all.contains(secret)), "{secret} in an argument");
        assert!(files.values().all(|text| !text.contains(secret)), "{secret} in a file");
    }
}

#[tokio::test]
async fn pointers_to_large_files_are_told() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "0".repeat(64));
    let talk = format!("{pointer}{}", "about pointers ".repeat(80));
    forge.commit("main", &[("film.mp4", &pointer), ("a/b.bin", &pointer), ("notes.md", &talk)]).await;
    let into = forge.place();
    let lines = Mutex::new(Vec::new());
    let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
    fetch(forge.fetch(&into), &CancellationToken::new(), &say).await.unwrap();
    let lines = lines.into_inner().unwrap();
    let told = "2 files are kept by Git LFS and are not fetched: a/b.bin, film.mp4";
    assert_eq!(lines.iter().filter(|line| line.contains("LFS")).collect::<Vec<_>>(), [told]);
    assert_eq!(files(&into)["film.mp4"], pointer, "the pointer itself is what is deployed");
}

#[tokio::test]
async fn a_token_is_not_sent_in_the_clear() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let into = forge.place();
    let url = model::names::RepoUrl::parse("http://192.0.2.1/site.git").unwrap();
    let error = get(FetchRequest { url, credentials: Credentials::Token("t0ken".into()), ..forge.fetch(&into) })
        .await
        .unwrap_err();
    assert!(error.message.contains("everybody on the way"), "{error}");
}

#[tokio::test]
async fn a_private_network_is_not_even_asked() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let into = forge.place();
    let request = FetchRequest { allow_private: false, ..forge.fetch(&into) };
    assert_eq!(get(request).await.unwrap_err().code, FailureCode::FetchFailed);
    assert_eq!(forge.requests(), 0);
}

#[tokio::test]
async fn a_redirect_to_elsewhere_is_not_followed() {
    let (other, _) = Forge::with_site(Manners::default()).await;
    let forge = Forge::start(Manners { moved_to: Some(other.base.clone()), ..Manners::default() }).await;
    let into = forge.place();
    let error = get(forge.fetch(&into)).await.unwrap_err();
    assert!(error.message.contains("leads to another one"), "{error}");
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn objects_are_not_looked_for_where_a_repository_says_they_are() {
    let (other, _) = Forge::with_site(Manners::default()).await;
    let (forge, commit) = Forge::with_site(Manners::default()).await;
    let done = std::process::Command::new("git").arg("-C").arg(forge.repository()).arg("update-server-info").status();
    assert!(done.unwrap().success());
    std::fs::remove_dir_all(forge.repository().join("objects").join(&commit.as_str()[..2])).unwrap();
    forge.behave(Manners { alternates: Some(other.base.clone()), ..Manners::default() });
    let into = forge.place();
    get(forge.fetch(&into)).await.unwrap_err();
    assert!(forge.requests() > 0 && other.requests() == 0, "{} {}", forge.requests(), other.requests());
    assert!(nothing_is_left(&into));
}

#[tokio::test]
async fn an_address_without_its_suffix_is_understood() {
    let (forge, commit) = Forge::with_site(Manners { adds_suffix: true, ..Manners::default() }).await;
    let into = forge.place();
    let request = FetchRequest { url: forge.url("/site"), ..forge.fetch(&into) };
    assert_eq!(get(request).await.unwrap().commit, commit);
}

#[tokio::test]
async fn too_much_is_refused_and_nothing_is_left_of_it() {
    let (forge, _) = Forge::with_site(Manners::default()).await;
    forge.commit("main", &[("zeros", &"0".repeat(3 << 20))]).await;
    let into = forge.place();
    let error = get(FetchRequest { max_bytes: 2 << 20, ..forge.fetch(&into) }).await.unwrap_err();
    assert_eq!(error.code, FailureCode::RepositoryRefused);
    assert!(error.message.contains("2 MB"), "{error}");
    assert!(nothing_is_left(&into));
}

#[tokio::test]
async fn a_link_that_leads_out_is_refused_and_nothing_is_left() {
    let forge = Forge::start(Manners::default()).await;
    let template = tempfile::tempdir().unwrap();
    symlink("/etc/passwd", template.path().join("index.html")).unwrap();
    let author = forge::hosted::Author::platform();
    forge::hosted::create_from_template(&forge.repository(), template.path(), &author).await.unwrap();
    let into = forge.place();
    let error = get(forge.fetch(&into)).await.unwrap_err();
    assert_eq!(error.code, FailureCode::RepositoryRefused);
    assert!(error.message.contains("index.html"), "{error}");
    assert!(nothing_is_left(&into));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_and_a_cancelled_fetch_ends() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (forge, _) = Forge::with_site(Manners::default()).await;
    let url = model::names::RepoUrl::parse(&format!("http://{}/a.git", silent.local_addr().unwrap())).unwrap();
    let into = forge.place();
    let request = || FetchRequest { url: url.clone(), ..forge.fetch(&into) };
    let late = FetchRequest { timeout: Duration::from_millis(200), ..request() };
    assert!(get(late).await.unwrap_err().message.contains("did not deliver"));

    let cancel = CancellationToken::new();
    let asked = async {
        // The first connection is the late one's.
        silent.accept().await.unwrap();
        let held = silent.accept().await.unwrap();
        cancel.cancel();
        held
    };
    let (outcome, _held) = tokio::join!(fetch(request(), &cancel, &|_| ()), asked);
    assert!(outcome.is_err());
    assert!(nothing_is_left(&into));
}
