//! The GitHub App, from its registration to a pull request's comment, with a server that takes what GitHub documents and
//! nothing else.

pub(crate) mod server;

use super::*;
use crate::{
    accounts, reports,
    sites::{NewSite, NewSource, create},
    testing::{World, problem, registration as account},
    webhooks::Received,
};
use bytes::Bytes;
use forge::report::GitHub;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use model::{
    SiteId,
    deployment::Status,
    views::{CreatedSite, Outcome},
};
use serde_json::Value;
use server::{COMMIT, Server};
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

const OURS: i64 = 7;
const THEIRS: i64 = 8;

struct Hub {
    world: World,
    server: Server,
}

impl Hub {
    /// A platform beside a GitHub; nothing is registered.
    async fn bare(pool: PgPool) -> Self {
        let mut world = World::new(pool).await;
        let server = Server::start().await;
        world.platform.settings.allow_private_repositories = true;
        world.platform.settings.github =
            GitHub { url: server.base.parse().unwrap(), api: format!("{}/api/v3", server.base).parse().unwrap() };
        Self { world, server }
    }

    /// The App is registered, and Ada has connected her installation.
    async fn connected(pool: PgPool) -> Self {
        let hub = Self::bare(pool).await;
        hub.register().await;
        connect(&hub.world.platform, &hub.world.actor, hub.world.team, Some(OURS), "code-of-ada").await.unwrap();
        hub
    }

    async fn register(&self) {
        let mut admin = self.world.actor.clone();
        admin.is_admin = true;
        register(&self.world.platform, &admin, "manifest-code").await.unwrap();
    }

    async fn site(&self, repository: &str) -> Result<CreatedSite> {
        let source = NewSource::Github { installation_id: OURS, repository: repository.into(), branch: None };
        create(
            &self.world.platform,
            &self.world.actor,
            NewSite { team_id: None, name: "Through".into(), slug: None, source },
        )
        .await
    }

    async fn announce(&self, event: &str, payload: &Value, secret: &str) -> Result<Vec<Received>> {
        let body = Bytes::from(payload.to_string());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&body);
        let mut headers = HeaderMap::new();
        headers.insert("x-github-event", event.parse().unwrap());
        headers.insert("x-github-delivery", Uuid::now_v7().to_string().parse().unwrap());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        receive(&self.world.platform, &headers, body).await
    }

    fn push(&self, installation: i64) -> Value {
        json!({
            "ref": "refs/heads/main", "after": COMMIT, "deleted": false,
            "head_commit": {"id": COMMIT, "message": "Better", "author": {"name": "Ada"}},
            "commits": [{"id": COMMIT, "message": "Better", "added": ["a"], "modified": [], "removed": []}],
            "repository": {"id": 1, "full_name": "ada/repo-1", "clone_url": format!("{}/ada/repo-1.git", self.server.base)},
            "installation": {"id": installation},
        })
    }

    fn pull(&self, number: u64) -> Value {
        let repository =
            json!({"id": 1, "full_name": "ada/repo-1", "clone_url": format!("{}/ada/repo-1.git", self.server.base)});
        json!({
            "action": "opened", "number": number,
            "pull_request": {
                "title": "Better", "merged": false, "user": {"login": "ada"},
                "head": {"ref": "better", "sha": COMMIT, "repo": repository},
                "base": {"ref": "main", "sha": COMMIT, "repo": repository},
            },
            "repository": repository,
            "installation": {"id": OURS},
        })
    }

    /// Sends all reports that are due.
    async fn report(&self) {
        let mut conn = self.world.platform.pool.acquire().await.unwrap();
        while let Some(row) = store::reports::claim(&mut conn, 60.0).await.unwrap() {
            reports::one(&self.world.platform, &row).await.unwrap();
        }
    }

    async fn problem_of(&self, site: SiteId) -> Option<String> {
        crate::sites::get(&self.world.platform, &self.world.actor, site).await.unwrap().repository.report_problem
    }
}

async fn claim(platform: &Platform) -> store::queue::Lease {
    let mut conn = platform.pool.acquire().await.unwrap();
    store::queue::claim(&mut conn, Uuid::now_v7(), 60.0, None).await.unwrap().unwrap().0
}

async fn go_live(platform: &Platform, lease: store::queue::Lease) {
    use Status::{Building, Fetching, Live, Starting, Switching, Verifying};
    let mut conn = platform.pool.acquire().await.unwrap();
    for way in [Fetching, Building, Starting, Verifying, Switching, Live].windows(2) {
        store::queue::advance(&mut conn, lease, way[0], way[1]).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_administrator_registers_the_app_once_and_its_secrets_are_sealed(pool: PgPool) {
    let hub = Hub::bare(pool).await;
    let platform = &hub.world.platform;
    let mut admin = hub.world.actor.clone();
    assert_eq!(problem(register(platform, &admin, "manifest-code").await).status, 403);
    assert_eq!(problem(registration(platform, &admin, "", "s")).status, 403);
    admin.is_admin = true;
    let form = registration(platform, &admin, "acme", "s").unwrap();
    assert_eq!(form.action, format!("{}/organizations/acme/settings/apps/new?state=s", hub.server.base));
    let manifest: Value = serde_json::from_str(&form.manifest).unwrap();
    assert_eq!(manifest["hook_attributes"]["url"], "http://localhost:3000/webhook/github-app");
    assert_eq!(manifest["request_oauth_on_install"], true);
    assert_eq!(problem(registration(platform, &admin, "../x", "s")).status, 422);
    assert_eq!(problem(register(platform, &admin, "another-code").await).status, 409);
    hub.register().await;
    assert_eq!(problem(register(platform, &admin, "manifest-code").await).code, "github_app_registered");
    assert_eq!(view(platform, &admin).await.unwrap().unwrap().slug, "webmeteor-test");
    let kept: String = sqlx::query_scalar("select value::text from settings where key = 'github_app'")
        .fetch_one(&platform.pool)
        .await
        .unwrap();
    for secret in app(platform).await.unwrap().unwrap().secrets() {
        assert!(!kept.contains(secret) && !kept.contains(&hex::encode(secret)));
    }
    assert_eq!(hub.server.mistakes(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_an_installation_that_github_shows_to_the_person_is_connected(pool: PgPool) {
    let hub = Hub::bare(pool).await;
    let (platform, actor, team) = (&hub.world.platform, &hub.world.actor, hub.world.team);
    assert_eq!(problem(connect(platform, actor, team, Some(OURS), "code-of-ada").await).code, "no_github_app");
    hub.register().await;
    let stranger = connect(platform, actor, team, Some(THEIRS), "code-of-ada").await;
    assert_eq!(problem(stranger).code, "not_your_installation");
    assert_eq!(problem(connect(platform, actor, team, Some(OURS), "no-code").await).code, "github_refused");
    assert!(installations(platform, actor).await.unwrap().is_empty());
    connect(platform, actor, team, Some(OURS), "code-of-ada").await.unwrap();
    let [ours] = &installations(platform, actor).await.unwrap()[..] else { panic!("one is connected") };
    assert_eq!((ours.id, ours.account.as_str(), ours.suspended), (OURS, "ada", false));

    let bob = accounts::register(platform, account("Bob")).await.unwrap();
    let bob = accounts::actor(platform, bob.user.id).await.unwrap().unwrap();
    assert!(installations(platform, &bob).await.unwrap().is_empty());
    assert_eq!(problem(repositories(platform, &bob, OURS, "").await).status, 404);
    assert_eq!(problem(connect(platform, &bob, team, Some(OURS), "code-of-ada").await).status, 404);
    assert_eq!(hub.server.mistakes(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_pages_are_searched_and_only_what_the_person_may_see_is_shown(pool: PgPool) {
    let hub = Hub::connected(pool).await;
    let (platform, actor) = (&hub.world.platform, &hub.world.actor);
    let found = repositories(platform, actor, OURS, " REPO-129 ").await.unwrap();
    assert_eq!(found.iter().map(|it| it.full_name.as_str()).collect::<Vec<_>>(), ["ada/repo-129"]);
    assert_eq!(repositories(platform, actor, OURS, "").await.unwrap().len(), 50);
    // The installation reaches it, but GitHub does not show it to Ada.
    assert!(repositories(platform, actor, OURS, "repo-130").await.unwrap().is_empty());
    assert_eq!(
        hub.site("ada/repo-130").await.unwrap_err().to_string(),
        problem(hub.site("ada/none").await).to_string()
    );
    assert_eq!(hub.server.minted("list"), 1, "a token is used until shortly before its end");
    assert_eq!(hub.server.mistakes(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn from_a_repository_to_a_status_a_deployment_and_one_comment(pool: PgPool) {
    let hub = Hub::connected(pool).await;
    let (platform, actor) = (&hub.world.platform, &hub.world.actor);
    let made = hub.site("Ada/repo-1").await.unwrap();
    let site = made.site.id;
    assert!(made.site.repository.through_github && !made.site.repository.has_token);
    assert_eq!(made.site.repository.branch, "main");
    let stored = "select repository_token is null from sites where id = $1";
    let stored: bool = sqlx::query_scalar(stored).bind(site).fetch_one(&platform.pool).await.unwrap();
    assert!(stored, "no token is kept");

    assert_eq!(problem(hub.announce("push", &hub.push(OURS), "wrong").await).status, 401);
    assert!(hub.announce("push", &hub.push(THEIRS), "hush-hook").await.unwrap().is_empty());
    let received = hub.announce("push", &hub.push(OURS), "hush-hook").await.unwrap();
    assert_eq!(received.iter().map(|it| it.outcome).collect::<Vec<_>>(), [Outcome::Queued]);
    let id = received[0].deployment_id.unwrap();
    hub.report().await;
    go_live(platform, claim(platform).await).await;
    hub.report().await;
    assert_eq!(hub.problem_of(site).await, None);
    let link = json!(format!("http://localhost:3000/deployments/{id}"));
    let statuses = hub.server.sent("statuses");
    assert_eq!(statuses.iter().map(|it| it["state"].clone()).collect::<Vec<_>>(), ["pending", "success"]);
    assert!(statuses.iter().all(|it| it["target_url"] == link));
    let [deployment] = &hub.server.sent("deployments")[..] else { panic!("a deployment is made once") };
    assert_eq!((&deployment["ref"], &deployment["environment"]), (&json!(COMMIT), &json!("production")));
    let told = hub.server.sent("deployment statuses");
    assert_eq!(told.iter().map(|it| it["state"].clone()).collect::<Vec<_>>(), ["queued", "success"]);
    assert_eq!(told[1]["environment_url"], "http://through.localhost:8888");
    assert!(hub.server.sent("comments").is_empty(), "production has no pull request");

    let previews = crate::previews::Change { enabled: Some(true), ..crate::previews::Change::default() };
    let change = crate::sites::Change { previews: Some(previews), ..crate::sites::Change::default() };
    crate::sites::change(platform, actor, site, change).await.unwrap();
    let received = hub.announce("pull_request", &hub.pull(3), "hush-hook").await.unwrap();
    assert_eq!(received.iter().map(|it| it.outcome).collect::<Vec<_>>(), [Outcome::Queued], "{received:?}");
    hub.report().await;
    go_live(platform, claim(platform).await).await;
    hub.report().await;
    assert_eq!(hub.server.sent("comments").len(), 1, "one comment is made");
    let edited = hub.server.sent("comment edits");
    let text = edited.last().unwrap()["body"].as_str().unwrap();
    assert!(text.contains("is live") && text.contains("http://through-pr-3.localhost:8888"), "{text}");
    assert_eq!(hub.problem_of(site).await, None);
    assert_eq!(hub.server.mistakes(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_installation_that_is_suspended_or_gone_is_not_used(pool: PgPool) {
    let hub = Hub::connected(pool).await;
    let (platform, actor) = (&hub.world.platform, &hub.world.actor);
    let event = |action: &str| json!({"action": action, "installation": {"id": OURS}});
    assert_eq!(problem(hub.announce("installation", &event("deleted"), "wrong").await).status, 401);
    hub.announce("installation", &event("suspend"), "hush-hook").await.unwrap();
    assert!(installations(platform, actor).await.unwrap()[0].suspended);
    assert_eq!(problem(repositories(platform, actor, OURS, "").await).code, "suspended");
    hub.announce("installation", &event("unsuspend"), "hush-hook").await.unwrap();
    assert_eq!(repositories(platform, actor, OURS, "").await.unwrap().len(), 50);
    hub.announce("installation", &event("deleted"), "hush-hook").await.unwrap();
    assert!(installations(platform, actor).await.unwrap().is_empty());
    assert_eq!(problem(repositories(platform, actor, OURS, "").await).status, 404);
    assert_eq!(hub.server.mistakes(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_repository_does_not_go_on_with_the_apps_token(pool: PgPool) {
    let hub = Hub::connected(pool).await;
    let (platform, actor) = (Arc::new(&hub.world.platform), &hub.world.actor);
    let site = hub.site("ada/repo-1").await.unwrap().site.id;
    let change = |url: String| crate::sites::Change {
        repository: Some(crate::sites::NewRepository { url: Some(url), ..Default::default() }),
        ..Default::default()
    };
    let same = change(format!("{}/ada/repo-1.git", hub.server.base));
    let shown = crate::sites::change(&platform, actor, site, same).await.unwrap();
    assert!(shown.repository.through_github && !shown.repository.has_token);
    // It is asked without a token, which this one wants.
    let other = change(format!("{}/ada/repo-2.git", hub.server.base));
    assert_eq!(problem(crate::sites::change(&platform, actor, site, other).await).status, 422);
    assert_eq!(hub.server.mistakes(), Vec::<String>::new());
}
