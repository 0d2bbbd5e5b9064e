//! What holds for changing a site, on the real database and with a server that answers as a forge does.

use super::*;
use crate::{
    environments,
    sites::{NewSite, NewSource, Token, create, open_repository_token},
    testing::{World, problem},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::Role;
use sqlx::PgPool;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

mod over_ssh;
#[path = "../../../../forge/tests/git/sshd.rs"]
#[allow(dead_code, reason = "the rest is for the tests of the crate itself")]
mod sshd;

const TOKEN: &str = "t0ken-of-ada";
const COMMIT: &str = "1111111111111111111111111111111111111111";

/// Tells everybody who has the token, or everybody, which branches it has; keeps what it was sent.
struct Forge {
    base: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Forge {
    async fn start(branches: &'static [&'static str], token: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, branches, token, notes.clone()));
            }
        });
        Self { base, seen }
    }

    fn url(&self) -> String {
        format!("{}/site.git", self.base)
    }

    /// What was sent since the last look.
    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn answer(
    mut stream: TcpStream,
    branches: &[&str],
    token: Option<&str>,
    notes: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let request = String::from_utf8(request).unwrap();
    let sent = request.lines().find_map(|line| line.strip_prefix("Authorization: Basic "));
    let sent = sent.map(|sent| String::from_utf8(STANDARD.decode(sent).unwrap()).unwrap());
    notes.lock().unwrap().push(sent.clone().unwrap_or_default());
    let is_let_in = token.is_none_or(|token| sent == Some(format!("oauth2:{token}")));
    let line = |text: String| format!("{:04x}{text}", text.len() + 4);
    let mut body = line("# service=git-upload-pack\n".into()) + "0000";
    body += &line(format!("{COMMIT} HEAD\0symref=HEAD:refs/heads/{}\n", branches[0]));
    for branch in branches {
        body += &line(format!("{COMMIT} refs/heads/{branch}\n"));
    }
    body += "0000";
    let status = if is_let_in { "200 OK" } else { "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"forge\"" };
    let head = "Content-Type: application/x-git-upload-pack-advertisement\r\nConnection: close";
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await
}

/// A team whose site comes from a forge that wants a token.
struct Remote {
    world: World,
    forge: Forge,
    site: SiteId,
}

impl Remote {
    async fn new(pool: PgPool) -> Self {
        let mut world = World::new(pool).await;
        world.platform.settings.allow_private_repositories = true;
        let forge = Forge::start(&["main", "next"], Some(TOKEN)).await;
        let source =
            NewSource::Git { url: forge.url(), branch: None, token: Some(TOKEN.into()), accept_host_key: None };
        let new = NewSite { team_id: None, name: "Remote".into(), slug: None, source };
        let site = create(&world.platform, &world.actor, new).await.unwrap().site.id;
        forge.seen();
        Self { world, forge, site }
    }

    async fn set(&self, new: NewRepository) -> Result<SiteView> {
        let wanted = Change { repository: Some(new), ..Change::default() };
        change(&self.world.platform, &self.world.actor, self.site, wanted).await
    }

    async fn token(&self) -> Option<String> {
        let mut conn = self.world.platform.pool.acquire().await.unwrap();
        let row = access::site(&mut conn, &self.world.actor, self.site).await.unwrap();
        open_repository_token(&self.world.platform, &row).unwrap()
    }
}

fn url(url: String) -> NewRepository {
    NewRepository { url: Some(url), ..NewRepository::default() }
}

fn token(token: Option<&str>) -> NewRepository {
    NewRepository { token: token.map(str::to_owned).into(), ..NewRepository::default() }
}

/// Which field was refused, and by which code.
fn refused(result: Result<SiteView>) -> (String, String) {
    let problem = problem(result);
    assert_eq!(problem.status, 422, "{problem:?}");
    (problem.errors[0].field.clone(), problem.errors[0].code.clone())
}

fn is(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_gets_another_repository_on_the_same_server_and_keeps_its_token(pool: PgPool) {
    let remote = Remote::new(pool).await;
    let other = format!("{}/other.git", remote.forge.base);
    let new = NewRepository { branch: Some("next".into()), ..url(other.clone()) };
    let shown = remote.set(new).await.unwrap().repository;
    assert_eq!((shown.clone_url, shown.branch.as_str(), shown.has_token), (other, "next", true));
    assert_eq!(remote.forge.seen(), [format!("oauth2:{TOKEN}")], "it was asked, with the token that is kept");
    assert_eq!(remote.token().await.as_deref(), Some(TOKEN));
    let World { platform, actor, .. } = &remote.world;
    let production = environments::get(platform, actor, remote.site, "production").await.unwrap();
    assert_eq!(production.branch, "next");
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_server_never_gets_the_old_ones_token(pool: PgPool) {
    let remote = Remote::new(pool).await;
    let stranger = Forge::start(&["main"], None).await;
    let shown = remote.set(url(stranger.url())).await.unwrap().repository;
    assert_eq!((shown.clone_url, shown.has_token), (stranger.url(), false));
    assert_eq!(stranger.seen(), [""], "nothing was sent along");
    assert_eq!(remote.token().await, None);

    let private = Forge::start(&["main"], Some("another")).await;
    assert_eq!(refused(remote.set(url(private.url())).await), is("repository.url", "fetch_failed"));
    let new = NewRepository { token: Token::Set("another".into()), ..url(private.url()) };
    assert!(remote.set(new).await.unwrap().repository.has_token);
    assert_eq!(remote.token().await.as_deref(), Some("another"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_is_replaced_and_removed_once_the_repository_was_asked_with_it(pool: PgPool) {
    let remote = Remote::new(pool).await;
    assert_eq!(refused(remote.set(token(Some("wrong"))).await), is("repository.url", "fetch_failed"));
    assert_eq!(refused(remote.set(token(None)).await), is("repository.url", "fetch_failed"), "it is still wanted");
    assert_eq!(refused(remote.set(token(Some("a b"))).await), is("repository.token", "characters"));
    assert_eq!(remote.token().await.as_deref(), Some(TOKEN), "what was refused changes nothing");
    assert!(remote.set(token(Some(TOKEN))).await.unwrap().repository.has_token);

    let open = Forge::start(&["main"], None).await;
    remote.set(NewRepository { token: Token::Set("x".into()), ..url(open.url()) }).await.unwrap();
    assert_eq!(remote.token().await.as_deref(), Some("x"));
    assert!(!remote.set(token(None)).await.unwrap().repository.has_token);
    assert_eq!(remote.token().await, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_fetched_is_refused_and_nothing_changes(pool: PgPool) {
    let remote = Remote::new(pool).await;
    let elsewhere = Forge::start(&["trunk"], None).await;
    assert_eq!(refused(remote.set(url(elsewhere.url())).await), is("repository.branch", "ref_not_found"));
    let new = NewRepository { branch: Some("nope".into()), ..NewRepository::default() };
    assert_eq!(refused(remote.set(new).await), is("repository.branch", "ref_not_found"));
    assert_eq!(refused(remote.set(url("file:///etc".into())).await), is("repository.url", "repository_url"));
    let new = NewRepository { branch: Some("--x".into()), token: Token::Set("a b".into()), ..url("ext::x".into()) };
    assert_eq!(problem(remote.set(new).await).errors.len(), 3, "all that is wrong is said at once");
    let plain = NewRepository { token: Token::Set("x".into()), ..url("http://192.0.2.1/site.git".into()) };
    assert_eq!(refused(remote.set(plain).await), is("repository.token", "token_in_the_clear"));

    let wanted = Change { name: Some("Another".into()), repository: Some(url(elsewhere.url())), ..Change::default() };
    let World { platform, actor, .. } = &remote.world;
    assert!(change(platform, actor, remote.site, wanted).await.is_err());
    let shown = get(platform, actor, remote.site).await.unwrap();
    assert_eq!((shown.name.as_str(), shown.repository.clone_url), ("Remote", remote.forge.url()), "all or nothing");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_private_network_stays_closed_unless_the_operator_opens_it(pool: PgPool) {
    let mut remote = Remote::new(pool).await;
    remote.world.platform.settings.allow_private_repositories = false;
    assert_eq!(refused(remote.set(url("https://127.0.0.1/a.git".into())).await), is("repository.url", "fetch_failed"));
    assert!(remote.forge.seen().is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_site_sends_no_token_in_the_clear_either(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.platform.settings.allow_private_repositories = true;
    let url = "http://192.0.2.1/site.git".to_owned();
    let source = NewSource::Git { url, branch: None, token: Some("x".into()), accept_host_key: None };
    let new = NewSite { team_id: None, name: "Remote".into(), slug: None, source };
    let refused = problem(create(&world.platform, &world.actor, new).await);
    assert_eq!(
        (refused.errors[0].field.as_str(), refused.errors[0].code.as_str()),
        ("source.token", "token_in_the_clear")
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_not_rename_may_not_set_the_repository_and_what_is_kept_here_stays(pool: PgPool) {
    let mut remote = Remote::new(pool).await;
    let hosted = Change { repository: Some(url(remote.forge.url())), ..Change::default() };
    let World { platform, actor, site, .. } = &remote.world;
    assert_eq!(problem(change(platform, actor, *site, hosted).await).code, "repository_is_kept_here");
    for (role, status) in [(Some(Role::Viewer), 403), (None, 404)] {
        let memberships = role.map(|role| (remote.world.team, role)).into_iter().collect();
        remote.world.actor = Actor { memberships, ..remote.world.actor.clone() };
        assert_eq!(problem(remote.set(token(None)).await).status, status);
        let name = Change { name: Some("Mine".into()), ..Change::default() };
        let World { platform, actor, .. } = &remote.world;
        assert_eq!(problem(change(platform, actor, remote.site, name).await).status, status);
    }
    assert!(remote.forge.seen().is_empty(), "nobody was asked on behalf of a stranger");
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_changes_at_once_the_second_is_told(pool: PgPool) {
    let remote = Remote::new(pool).await;
    let World { platform, actor, .. } = &remote.world;
    let chosen = repository::choose(platform, actor, remote.site, token(Some(TOKEN))).await.unwrap();
    remote.set(token(Some(TOKEN))).await.unwrap();
    let mut conn = platform.pool.acquire().await.unwrap();
    let row = access::site(&mut conn, actor, remote.site).await.unwrap();
    assert_eq!(problem(chosen.put(&mut conn, &row).await).code, "repository_changed");
}

#[test]
fn a_token_is_not_printed_and_null_is_told_from_nothing() {
    let read = |json: &str| serde_json::from_str::<NewRepository>(json).unwrap();
    assert!(matches!(read("{}").token, Token::Keep));
    assert!(matches!(read(r#"{"token": null}"#).token, Token::Remove));
    assert!(!format!("{:?}", read(r#"{"token": "t0ken"}"#)).contains("t0ken"));
}
