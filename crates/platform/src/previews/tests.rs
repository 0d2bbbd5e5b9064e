//! What holds for previews, from the forge's webhook to the queue, on the real database.

mod approval;
mod forges;
mod keeping;

use super::*;
use crate::{
    deployments,
    deployments::{NewDeployment, Promotion},
    environments::NewEnvironment,
    sites,
    testing::{World, problem},
    variables::{self, NewVariable, Of},
    webhooks,
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use model::{
    Role,
    views::{DeploymentSummary, Outcome},
};
use serde_json::{Value, json};
use sqlx::PgPool;

const URL: &str = "https://example.org/ada/site.git";
const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

/// GitHub's event of pull request `number`.
fn told(action: &str, number: u64, commit: &str, owner: &str) -> Value {
    json!({
        "action": action, "number": number, "repository": {"clone_url": URL},
        "pull_request": {
            "title": "Better", "merged": false, "user": {"login": "eve"},
            "head": {"ref": "fix", "sha": commit, "repo": {"full_name": format!("{owner}/site")}},
            "base": {"ref": "main", "sha": ONE, "repo": {"full_name": "ada/site"}}
        }
    })
}

impl World {
    /// A site of a remote repository, with previews.
    async fn with_previews(pool: PgPool) -> Self {
        let world = Self::new(pool).await;
        let source = json!({"git": {"url": URL, "branch": "main"}});
        sqlx::query("update sites set source = $1").bind(source).execute(&world.platform.pool).await.unwrap();
        world.settings(Change { enabled: Some(true), ..Change::default() }).await.unwrap();
        world
    }

    async fn settings(&self, previews: Change) -> Result<PreviewSettings> {
        let change = sites::Change { previews: Some(previews), ..sites::Change::default() };
        Ok(sites::change(&self.platform, &self.actor, self.site, change).await?.previews)
    }

    /// A delivery of a forge, with its right signature.
    async fn deliver(&self, header: &'static str, event: &'static str, body: &Value) -> webhooks::Received {
        let body = Bytes::from(body.to_string());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"of the webhook").unwrap();
        mac.update(&body);
        let signature = hex::encode(mac.finalize().into_bytes());
        let mut headers = HeaderMap::new();
        headers.insert(header, HeaderValue::from_static(event));
        headers.insert("x-request-id", uuid::Uuid::new_v4().to_string().parse().unwrap());
        match header {
            "x-gitlab-event" => {
                headers.insert("x-gitlab-token", HeaderValue::from_static("of the webhook"));
                headers.insert("idempotency-key", uuid::Uuid::new_v4().to_string().parse().unwrap())
            }
            "x-gitea-event" => {
                headers.insert("x-gitea-delivery", uuid::Uuid::new_v4().to_string().parse().unwrap());
                headers.insert("x-gitea-signature", signature.parse().unwrap())
            }
            "x-event-key" => headers.insert("x-hub-signature", format!("sha256={signature}").parse().unwrap()),
            _ => {
                headers.insert("x-github-delivery", uuid::Uuid::new_v4().to_string().parse().unwrap());
                headers.insert("x-hub-signature-256", format!("sha256={signature}").parse().unwrap())
            }
        };
        webhooks::receive(&self.platform, Some(self.site), &headers, body).await.unwrap()
    }

    async fn hub(&self, action: &str, number: u64, commit: &str, owner: &str) -> webhooks::Received {
        self.deliver("x-github-event", "pull_request", &told(action, number, commit, owner)).await
    }

    async fn previews(&self) -> Vec<PreviewView> {
        list(&self.platform, &self.actor, self.site).await.unwrap().items
    }

    async fn preview(&self, number: i64) -> PreviewView {
        self.previews().await.into_iter().find(|it| it.number == number).unwrap()
    }

    async fn deployments(&self) -> Vec<DeploymentSummary> {
        deployments::list(&self.platform, &self.actor, self.site, None, 100, None).await.unwrap().items
    }

    async fn approve(&self, number: i64, commit: &str) -> Result<PreviewView> {
        let approval = Approval { commit: commit.into() };
        approve(&self.platform, &self.actor, self.site, number, approval).await
    }

    async fn found(&self, name: &str) -> Option<EnvironmentRow> {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        store::environments::by_name(&mut conn, self.team, self.site, name).await.unwrap()
    }

    /// What the reconciler does once all of an environment is gone from the machine.
    async fn gone(&self, name: &str) {
        let row = self.found(name).await.unwrap();
        assert!(row.deleting_at.is_some() && row.delete_data == Some(true), "{name}");
        let mut conn = self.platform.pool.acquire().await.unwrap();
        store::environments::remove(&mut conn, row.team_id, row.id).await.unwrap();
        drop(conn);
        resume(&self.platform, self.team, self.site).await.unwrap();
    }

    fn with_role(&self, role: Role) -> Actor {
        Actor { memberships: vec![(self.team, role)], ..self.actor.clone() }
    }

    /// The variables that the next deployment of a preview begins with.
    async fn given(&self, name: &str) -> Vec<(String, String)> {
        let before = self.found(name).await.unwrap();
        let version = super::variables::take_over(&self.platform, &before).await.unwrap();
        let now = self.found(name).await.unwrap();
        assert_eq!(now.variables_version, version);
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let set = variables::open(&self.platform, &mut conn, &now, version).await.unwrap();
        set.into_iter().map(|(name, variable)| (name.to_string(), variable.value)).collect()
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pull_request_has_a_preview_from_its_opening_to_its_end(pool: PgPool) {
    let world = World::with_previews(pool).await;
    let opened = world.hub("opened", 12, ONE, "ada").await;
    assert_eq!(opened.outcome, Outcome::Queued, "{}", opened.reason);
    let shown = world.preview(12).await;
    assert_eq!((shown.state, shown.environment.as_deref()), (PreviewState::Active, Some("pr-12")));
    assert_eq!(shown.url.as_deref(), Some("http://shop-pr-12.localhost:8888"));
    assert_eq!(shown.pull_request_url.as_deref(), Some("https://example.org/ada/site/pull/12"));
    assert_eq!((shown.title.as_str(), shown.author.as_deref(), shown.from_fork), ("Better", Some("eve"), false));
    let queued = shown.latest_deployment.unwrap();
    assert_eq!(Some(queued.id), opened.deployment_id);
    assert_eq!((queued.commit.as_deref(), queued.branch.as_deref()), (Some(ONE), Some("fix")));
    let detail = deployments::get(&world.platform, &world.actor, queued.id).await.unwrap();
    assert_eq!(detail.commit_url.unwrap(), format!("https://example.org/ada/site/commit/{ONE}"));
    assert_eq!(detail.pull_request.unwrap().url, shown.pull_request_url);
    assert_eq!(detail.url, "http://shop-pr-12.localhost:8888");

    let pushed = world.hub("synchronize", 12, TWO, "ada").await;
    assert_eq!(pushed.outcome, Outcome::Queued);
    assert_eq!(world.preview(12).await.latest_deployment.unwrap().commit.as_deref(), Some(TWO));
    let renamed = world.hub("edited", 12, TWO, "ada").await;
    assert_eq!(renamed.outcome, Outcome::Ignored, "{}", renamed.reason);
    assert_eq!(world.deployments().await.len(), 2);

    let closed = world.hub("closed", 12, TWO, "ada").await;
    assert_eq!(closed.reason, "Pull request 12, “Better”, was closed. Its preview is removed.");
    assert_eq!(world.preview(12).await.state, PreviewState::Closed);
    let again = world.hub("reopened", 12, TWO, "ada").await;
    assert!(again.reason.contains("as soon as the one before is removed"), "{}", again.reason);
    world.gone("pr-12").await;
    let shown = world.preview(12).await;
    assert_eq!((shown.state, shown.latest_deployment.unwrap().commit.as_deref()), (PreviewState::Active, Some(TWO)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_push_beside_the_pull_request_deploys_nothing_twice(pool: PgPool) {
    let world = World::with_previews(pool).await;
    world.hub("opened", 12, ONE, "ada").await;
    let push = json!({
        "ref": "refs/heads/fix", "after": TWO, "deleted": false, "repository": {"clone_url": URL},
        "head_commit": {"id": TWO, "message": "x", "author": {"name": "Eve"}}
    });
    let pushed = world.deliver("x-github-event", "push", &push).await;
    assert_eq!(pushed.outcome, Outcome::Ignored);
    assert!(pushed.reason.contains("this site deploys “main” (production)."), "{}", pushed.reason);
    assert_eq!(world.deployments().await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_webhook_of_another_repository_makes_no_preview(pool: PgPool) {
    let world = World::with_previews(pool).await;
    for (address, outcome) in [
        ("https://example.org/eve/site.git", Outcome::Ignored),
        ("https://example.org/ada/site/more", Outcome::Ignored),
        ("git@inside.example.org:Ada/site.git", Outcome::Queued),
    ] {
        let mut event = told("opened", 12, ONE, "ada");
        event["repository"] = json!({"clone_url": address});
        let received = world.deliver("x-github-event", "pull_request", &event).await;
        assert_eq!(received.outcome, outcome, "{address}: {}", received.reason);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_preview_is_no_environment_that_people_change(pool: PgPool) {
    let world = World::with_previews(pool).await;
    world.hub("opened", 12, ONE, "ada").await;
    let (platform, actor, site) = (&world.platform, &world.actor, world.site);
    let listed = environments::list(platform, actor, site).await.unwrap().items;
    assert_eq!(listed.into_iter().map(|it| it.name).collect::<Vec<_>>(), ["production"]);
    let deployment = world.deployments().await.remove(0);
    let paused = environments::Change { paused: Some(true), ..environments::Change::default() };
    let variable = NewVariable { name: "A".into(), value: Some("b".into()), secret: true };
    let by_hand = NewDeployment { environment: Some("pr-12".into()), commit: Some(TWO.into()) };
    let to_production = Promotion { environment: "production".into() };
    for refused in [
        problem(environments::change(platform, actor, site, "pr-12", paused).await),
        problem(environments::delete(platform, actor, site, "pr-12", false).await),
        problem(variables::put(platform, actor, site, "pr-12", variable).await),
        problem(deployments::create(platform, actor, site, by_hand).await),
        problem(deployments::promote(platform, actor, deployment.id, to_production).await),
    ] {
        assert_eq!((refused.status, refused.code.as_str()), (409, "environment_is_preview"), "{refused:?}");
    }
    let new = NewEnvironment { name: "pr-99".into(), branch: "main".into(), ..NewEnvironment::default() };
    let refused = problem(environments::create(platform, actor, site, new).await);
    assert_eq!(refused.errors[0].code, "reserved");
    assert!(is_reserved("pr-0") && !is_reserved("pr-x") && !is_reserved("pro-1"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_environment_or_a_site_in_its_place_is_told(pool: PgPool) {
    let world = World::with_previews(pool).await;
    let by_hand = async |name: &str, host: &str| {
        let mut conn = world.platform.pool.acquire().await.unwrap();
        let new = store::environments::NewEnvironment {
            id: model::EnvironmentId::new(),
            team: world.team,
            site: world.site,
            name,
            host,
            branch: "main",
            root: "",
            watch: &[],
            secrets: &[],
        };
        assert!(store::environments::insert(&mut conn, &new, 100).await.unwrap());
    };
    by_hand("pr-1", "shop-pr-1").await;
    by_hand("other", "shop-pr-2").await;
    for (number, words) in [(1, "has an environment “pr-1” that is none"), (2, "another site answers at “shop-pr-2”")]
    {
        let received = world.hub("opened", number, ONE, "ada").await;
        assert_eq!(received.outcome, Outcome::Ignored);
        assert!(received.reason.contains(words), "{}", received.reason);
        assert_eq!(world.preview(number.cast_signed()).await.state, PreviewState::Refused);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn previews_have_variables_of_their_own_and_a_fork_no_secret_of_them(pool: PgPool) {
    let world = World::with_previews(pool).await;
    let put = async |of: Of<'_>, name: &str, secret: bool| {
        let value = format!("{name} of {of:?}");
        let new = NewVariable { name: name.into(), value: Some(value), secret };
        variables::put(&world.platform, &world.actor, world.site, of, new).await.unwrap()
    };
    put(Of::Environment("production"), "MODE", false).await;
    put(Of::Environment("production"), "KEY", true).await;
    world.hub("opened", 12, ONE, "ada").await;
    world.hub("opened", 13, ONE, "eve").await;
    world.approve(13, ONE).await.unwrap();
    assert_eq!(world.given("pr-12").await, []);
    put(Of::Previews, "MODE", false).await;
    let shown = put(Of::Previews, "TOKEN", true).await;
    assert_eq!((shown.version, shown.running_version, shown.variables.len()), (2, None, 2));
    assert_eq!(shown.variables[1].value, None);
    let pair = |name: &str| (name.to_owned(), format!("{name} of Previews"));
    assert_eq!(world.given("pr-12").await, [pair("MODE"), pair("TOKEN")]);
    assert_eq!(world.given("pr-13").await, [pair("MODE")], "of a fork");
    let version = world.found("pr-12").await.unwrap().variables_version;
    world.given("pr-12").await;
    assert_eq!(world.found("pr-12").await.unwrap().variables_version, version, "nothing changed");
    let viewer = world.with_role(Role::Viewer);
    assert_eq!(problem(variables::list(&world.platform, &viewer, world.site, Of::Previews).await).status, 403);
    let stale = variables::NewVariables { version: Some(1), variables: vec![] };
    let refused = problem(variables::replace(&world.platform, &world.actor, world.site, Of::Previews, stale).await);
    assert_eq!(refused.code, "stale");
}
