//! What holds for webhooks, on the real database.

mod inbox;
mod rotation;

use super::*;
use crate::{
    Error, Settings, Signup, accounts,
    testing::{platform, registration},
};
use forge::hosted::{Author, FileChange};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use model::{
    Actor, EnvironmentId, Role, TeamId,
    deployment::Status,
    names::{BranchName, RepoUrl},
    site::Source,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeMap;

const SECRET: &str = "s3cret-of-the-site";
const COMMIT: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";
const URL: &str = "https://example.org/Ada/Site.git";

struct World {
    platform: Platform,
    actor: Actor,
    team: TeamId,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let platform = platform(pool, Signup::Open);
        let ada = accounts::register(&platform, registration("Ada")).await.unwrap();
        let actor = accounts::actor(&platform, ada.user.id).await.unwrap().unwrap();
        Self { platform, actor, team: ada.team.id }
    }

    /// A site of this source with the branch `main` as its production.
    async fn site(&self, slug: &str, source: Source, secret: &str) -> SiteId {
        let id = SiteId::new();
        let sealed = self.platform.vault.seal(&format!("sites/{id}/webhook"), secret.as_bytes()).unwrap();
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let new = store::sites::NewSite {
            id,
            team: self.team,
            slug,
            name: slug,
            source: &source,
            webhook_secret: &sealed,
            repository_token: None,
        };
        store::sites::insert(&mut conn, &new).await.unwrap();
        self.environment(id, "production", "main").await;
        id
    }

    async fn environment(&self, site: SiteId, name: &str, branch: &str) {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let id = EnvironmentId::new();
        let host = format!("{}-{name}", id.short());
        let (team, host) = (self.team, host.as_str());
        let new = store::environments::NewEnvironment {
            id,
            team,
            site,
            name,
            host,
            branch,
            root: "",
            watch: &[],
            secrets: &[],
        };
        assert!(store::environments::insert(&mut conn, &new, 100).await.unwrap());
    }

    async fn remote(&self) -> SiteId {
        self.site("ada-site", git(URL), SECRET).await
    }

    async fn deployments(&self, site: SiteId) -> Vec<model::views::DeploymentSummary> {
        deployments::list(&self.platform, &self.actor, site, None, 100, None).await.unwrap().items
    }

    async fn send(&self, site: Option<SiteId>, hook: &Hook) -> Result<Received> {
        receive(&self.platform, site, &hook.headers(SECRET), hook.bytes()).await
    }
}

impl World {
    /// Ada with this role in her own team.
    fn with_role(&self, role: Role) -> Actor {
        Actor { memberships: vec![(self.team, role)], ..self.actor.clone() }
    }

    /// Somebody of another team.
    async fn stranger(&self) -> Actor {
        let eve = accounts::register(&self.platform, registration("Eve")).await.unwrap();
        accounts::actor(&self.platform, eve.user.id).await.unwrap().unwrap()
    }
}

fn git(url: &str) -> Source {
    Source::Git { url: RepoUrl::parse(url).unwrap(), branch: BranchName::parse("main").unwrap() }
}

/// A webhook of GitHub.
#[derive(Clone)]
struct Hook {
    event: &'static str,
    delivery: String,
    body: Value,
}

impl Hook {
    fn push(reference: &str) -> Self {
        let body = json!({
            "ref": reference, "after": COMMIT, "deleted": false,
            "head_commit": {"id": COMMIT, "message": "Say hello\n\nmore", "author": {"name": "Ada"}},
            "repository": {"clone_url": "https://example.org/ada/site.git", "html_url": "https://example.org/ada/site"}
        });
        Self { event: "push", delivery: uuid::Uuid::new_v4().to_string(), body }
    }
    fn event(event: &'static str) -> Self {
        Self { event, ..Self::push("refs/heads/main") }
    }
    fn bytes(&self) -> Bytes {
        self.body.to_string().into()
    }
    fn headers(&self, secret: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-github-event", HeaderValue::from_static(self.event));
        headers.insert("x-github-delivery", self.delivery.parse().unwrap());
        headers.insert("x-hub-signature-256", sign(secret, &self.bytes()).parse().unwrap());
        headers
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn problem<T: std::fmt::Debug>(result: Result<T>) -> Problem {
    match result {
        Err(Error::Problem(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_webhook_that_meets_a_transfer_is_taken_for_the_team_that_has_the_site_now(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let mut conn = world.platform.pool.acquire().await.unwrap();
    let before = store::sites::for_webhook(&mut conn, site).await.unwrap().unwrap();
    let other = store::teams::insert(&mut conn, "acme", "Acme").await.unwrap().unwrap().id;
    store::sites::transfer(&mut conn, before.team_id, site, other).await.unwrap();
    let hook = Hook::push("refs/heads/main");
    let received = deliver(&world.platform, &before, &hook.headers(SECRET), &hook.bytes()).await.unwrap();
    assert_eq!((received.status, received.outcome), (202, Outcome::Queued));
    let of: TeamId = sqlx::query_scalar("select team_id from deployments where site_id = $1")
        .bind(site)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(of, other);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_signed_push_on_the_environments_branch_is_deployed(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let received = world.send(Some(site), &Hook::push("refs/heads/main")).await.unwrap();
    assert_eq!((received.status, received.outcome), (202, Outcome::Queued));
    let [deployment] = &world.deployments(site).await[..] else { panic!() };
    assert_eq!(Some(deployment.id), received.deployment_id);
    assert_eq!((deployment.status, deployment.trigger), (Status::Queued, Trigger::Webhook));
    assert_eq!(deployment.commit.as_deref(), Some(COMMIT));
    assert_eq!(deployment.message.as_deref(), Some("Say hello"));
    assert_eq!(deployment.author.as_deref(), Some("Ada"));
    assert_eq!(deployment.branch.as_deref(), Some("main"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_an_id_the_site_is_found_by_its_repository_however_that_is_written(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    world.site("other", git("https://example.org/ada/other"), "another secret").await;
    world.site("same-repository", git("https://example.org/ada/site/"), "a third secret").await;
    let received = world.send(None, &Hook::push("refs/heads/main")).await.unwrap();
    assert_eq!(received.outcome, Outcome::Queued);
    assert_eq!(world.deployments(site).await.len(), 1, "the one whose secret it was");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wrong_signature_a_missing_one_and_an_unknown_site_get_one_answer(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let hook = Hook::push("refs/heads/main");
    let wrong = hook.headers("another secret");
    let mut missing = hook.headers(SECRET);
    missing.remove("x-hub-signature-256");
    let elsewhere = Hook { body: json!({"repository": {"clone_url": "https://example.org/eve/x"}}), ..hook.clone() };
    let nameless = Hook { body: json!({"zen": "x"}), ..hook.clone() };
    let mut changed = hook.clone();
    changed.body["ref"] = "refs/heads/other".into();
    let (platform, right) = (&world.platform, hook.headers(SECRET));
    let answers = [
        problem(receive(platform, Some(site), &wrong, hook.bytes()).await),
        problem(receive(platform, None, &wrong, hook.bytes()).await),
        problem(receive(platform, Some(site), &missing, hook.bytes()).await),
        problem(receive(platform, Some(site), &HeaderMap::new(), hook.bytes()).await),
        problem(receive(platform, Some(site), &right, changed.bytes()).await),
        problem(world.send(Some(SiteId::new()), &hook).await),
        problem(world.send(None, &elsewhere).await),
        problem(world.send(None, &nameless).await),
    ];
    for answer in &answers {
        assert_eq!((answer, answer.status), (&answers[0], 401));
    }
    assert!(world.deployments(site).await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_delivery_twice_deploys_once_also_when_both_come_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let hook = Hook::push("refs/heads/main");
    let (one, two) = tokio::join!(world.send(Some(site), &hook), world.send(None, &hook));
    let (one, two, three) = (one.unwrap(), two.unwrap(), world.send(Some(site), &hook).await.unwrap());
    let mut outcomes: Vec<&str> = [&one, &two, &three].map(|r| r.outcome.as_str()).to_vec();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["duplicate", "duplicate", "queued"]);
    assert!(one.deployment_id.is_some() && one.deployment_id == two.deployment_id);
    assert_eq!((three.status, three.delivery_id, three.deployment_id), (202, one.delivery_id, one.deployment_id));
    assert_eq!(world.deployments(site).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_newer_push_supersedes_one_that_still_waits(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    for _ in 0..2 {
        world.send(Some(site), &Hook::push("refs/heads/main")).await.unwrap();
    }
    let statuses: Vec<Status> = world.deployments(site).await.iter().map(|d| d.status).collect();
    assert_eq!(statuses, [Status::Queued, Status::Superseded]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_not_deployed_is_taken_and_told_why(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let mut deleted = Hook::push("refs/heads/main");
    deleted.body["deleted"] = true.into();
    deleted.body["after"] = "0000000000000000000000000000000000000000".into();
    let pull = Hook {
        event: "pull_request",
        body: json!({
            "action": "opened", "number": 7, "repository": {"clone_url": URL},
            "pull_request": {"head": {"ref": "x", "repo": null}, "base": {"ref": "main", "repo": null}}
        }),
        ..Hook::push("")
    };
    for (hook, status, words) in [
        (Hook::push("refs/heads/feature"), 202, "“feature” is not deployed; this site deploys “main” (production)"),
        (Hook::push("refs/tags/v1"), 202, "is a tag"),
        (deleted, 202, "was deleted"),
        (pull, 202, "Pull request 7 was opened. Previews are turned off for this site"),
        (Hook::event("star"), 202, "“star” is no push"),
        (Hook::event("ping"), 200, "The webhook works"),
    ] {
        let received = world.send(None, &hook).await.unwrap();
        assert_eq!((received.status, received.outcome), (status, Outcome::Ignored), "{}", received.reason);
        assert!(received.reason.contains(words), "{} lacks {words}", received.reason);
    }
    assert!(world.deployments(site).await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_environment_deploys_its_own_branch(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    world.environment(site, "staging", "develop").await;
    world.send(Some(site), &Hook::push("refs/heads/develop")).await.unwrap();
    let environments: Vec<String> = world.deployments(site).await.into_iter().map(|d| d.environment).collect();
    assert_eq!(environments, ["staging"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_push_that_is_held_back_is_told_why(pool: PgPool) {
    use crate::environments::{Change, change};
    let world = World::new(pool).await;
    let site = world.remote().await;
    world.environment(site, "staging", "main").await;
    let set = async |name: &str, new: Change| {
        change(&world.platform, &world.actor, site, name, new).await.unwrap();
    };
    set("staging", Change { paused: Some(true), ..Change::default() }).await;
    set("production", Change { watch: Some(vec!["apps/web".into()]), ..Change::default() }).await;
    let hook = |path: &str, message: &str| {
        let mut hook = Hook::push("refs/heads/main");
        hook.body["commits"] = json!([{"id": COMMIT, "message": message, "modified": [path]}]);
        hook.body["head_commit"]["message"] = message.into();
        hook
    };
    for (hook, outcome, words) in [
        (hook("apps/web/a.rs", "x"), Outcome::Queued, "“main” to production. staging is paused"),
        (hook("docs/a.md", "x"), Outcome::Ignored, "Nothing that production watches was changed"),
        (hook("apps/web/a.rs", "x\n\n[Skip Deploy]"), Outcome::Ignored, "“[skip deploy]”"),
    ] {
        let received = world.send(Some(site), &hook).await.unwrap();
        assert_eq!(received.outcome, outcome, "{}", received.reason);
        assert!(received.reason.contains(words), "{} lacks {words}", received.reason);
    }
    assert_eq!(world.deployments(site).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_signed_body_that_is_no_webhook_is_unreadable(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let headers = |body: &str| {
        let mut headers = Hook::push("refs/heads/main").headers(SECRET);
        headers.insert("x-hub-signature-256", sign(SECRET, body.as_bytes()).parse().unwrap());
        headers
    };
    for (site, body) in [(Some(site), "{"), (Some(site), "{}"), (None, "{"), (None, "")] {
        let answer = problem(receive(&world.platform, site, &headers(body), Bytes::from_static(body.as_bytes())).await);
        assert_eq!((answer.status, answer.code.as_str()), (400, "unreadable"), "{body:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_body_over_25_megabytes_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let hook = Hook::push("refs/heads/main");
    let long = Bytes::from(vec![b' '; BODY_MAX + 1]);
    let answer = problem(receive(&world.platform, Some(site), &hook.headers(SECRET), long).await);
    assert_eq!((answer.status, answer.code.as_str()), (413, "too_large"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_that_is_being_removed_takes_no_webhook(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    crate::sites::delete(&world.platform, &world.actor, site, false).await.unwrap();
    for id in [Some(site), None] {
        assert_eq!(problem(world.send(id, &Hook::push("refs/heads/main")).await).status, 401);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_repository_of_the_platforms_own_is_deployed_as_it_stands(pool: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(pool).await;
    world.platform.settings = Settings { data_dir: folder.path().to_owned(), ..world.platform.settings.clone() };
    let site = world.site("ada-site", Source::Hosted {}, SECRET).await;
    let repository = world.platform.repository(site);
    forge::hosted::create_empty(&repository).await.unwrap();
    let files = BTreeMap::from([("index.html".to_owned(), FileChange::Write(b"hi".to_vec()))]);
    let main = BranchName::parse("main").unwrap();
    let commit = forge::hosted::commit_files(&repository, &main, &files, "Hi", &Author::platform()).await.unwrap();

    let mirrored = world.send(Some(site), &Hook::push("refs/heads/main")).await.unwrap();
    assert_eq!(mirrored.outcome, Outcome::Queued);
    assert_eq!(world.deployments(site).await[0].commit, None, "a commit that only the mirror has is not asked for");

    let team = world.actor.memberships[0].0;
    let team =
        crate::teams::list(&world.platform, &world.actor).await.unwrap().into_iter().find(|t| t.id == team).unwrap();
    let mut own = Hook::push("refs/heads/main");
    own.body["after"] = commit.as_str().into();
    own.body["repository"] = json!({"clone_url": format!("http://localhost:3000/git/{}/ada-site.git", team.slug)});
    let received = world.send(None, &own).await.unwrap();
    assert_eq!(received.outcome, Outcome::Queued);
    assert_eq!(world.deployments(site).await[0].commit.as_deref(), Some(commit.as_str()));
}
