//! What forges are told, on the real database and with a server that takes what they document and nothing else.

mod forge;

use super::*;
use crate::{
    deployments::{self, NewDeployment},
    testing::{World, site_of},
    webhooks,
};
use ::forge::report::GitHub;
use forge::Forge;
use model::{
    DeploymentId, SiteId,
    deployment::{FailureCode, Step},
    names::{BranchName, RepoUrl},
};
use serde_json::json;
use sqlx::PgPool;
use store::queue::{self, Lease};
use tokio::task::JoinHandle;
use uuid::Uuid;

const TOKEN: &str = "t0ken-of-ada";
const COMMIT: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";

/// A site from a forge, and whoever sends reports.
struct Told {
    platform: Arc<Platform>,
    actor: model::Actor,
    site: SiteId,
    forge: Forge,
    stop: CancellationToken,
    sender: JoinHandle<()>,
}

impl Told {
    async fn new(pool: PgPool, provider: Provider) -> Self {
        let World { mut platform, actor, team, .. } = World::new(pool).await;
        let forge = Forge::start(provider, TOKEN).await;
        platform.settings.allow_private_repositories = true;
        if provider == Provider::GitHub {
            let api = format!("{}/api/v3", forge.base).parse().unwrap();
            platform.settings.github = GitHub { url: forge.base.parse().unwrap(), api };
        }
        let url = RepoUrl::parse(&forge.repository()).unwrap();
        let source = Source::Git { url, branch: BranchName::parse("main").unwrap() };
        let site = site_of(&platform, team, "remote", &source, Some(TOKEN)).await;
        if provider != Provider::GitHub {
            announce(&platform, site, provider).await;
        }
        let (platform, stop) = (Arc::new(platform), CancellationToken::new());
        let sender = tokio::spawn(run(Arc::clone(&platform), stop.clone()));
        Self { platform, actor, site, forge, stop, sender }
    }

    async fn deploy(&self) -> DeploymentId {
        let new = NewDeployment { environment: None, commit: Some(COMMIT.into()) };
        let made = deployments::create(&self.platform, &self.actor, self.site, new).await.unwrap();
        self.platform.reports.notify_one();
        made.summary.id
    }

    async fn claim(&self) -> Lease {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let lease = queue::claim(&mut conn, Uuid::now_v7(), 60.0, None).await.unwrap().unwrap().0;
        self.platform.reports.notify_one();
        lease
    }

    async fn go_live(&self, lease: Lease) {
        use Status::{Building, Fetching, Live, Starting, Switching, Verifying};
        let mut conn = self.platform.pool.acquire().await.unwrap();
        for way in [Fetching, Building, Starting, Verifying, Switching, Live].windows(2) {
            queue::advance(&mut conn, lease, way[0], way[1]).await.unwrap();
        }
        self.platform.reports.notify_one();
    }

    async fn fail(&self, lease: Lease, message: &str) {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        queue::fail(&mut conn, lease, FailureCode::BuildFailed, Some(Step::Build), None, message).await.unwrap();
        self.platform.reports.notify_one();
    }

    async fn problem(&self) -> Option<String> {
        sites::get(&self.platform, &self.actor, self.site).await.unwrap().repository.report_problem
    }

    /// Waits until nothing is due any more.
    async fn settled(&self) {
        let due = "select exists (select 1 from forge_reports where due_at is not null or leased_until > now())";
        let settled = async {
            while sqlx::query_scalar::<_, bool>(due).fetch_one(&self.platform.pool).await.unwrap() {
                self.platform.reports.notify_one();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), settled).await.expect("reports are settled in time");
    }

    /// Ends the sender; what the forge would not have understood fails the test.
    async fn end(self) -> Vec<String> {
        self.stop.cancel();
        self.platform.reports.notify_one();
        self.sender.await.unwrap();
        self.forge.end()
    }
}

/// A webhook of the site's, signed.
async fn announce(platform: &Platform, site: SiteId, provider: Provider) {
    use hmac::{Hmac, KeyInit, Mac};
    let body = bytes::Bytes::from_static(b"{}");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"of the webhook").unwrap();
    mac.update(&body);
    let digits = hex::encode(mac.finalize().into_bytes());
    let headers: &[(&'static str, String)] = match provider {
        Provider::GitHub => &[("x-github-event", "star".into()), ("x-hub-signature-256", format!("sha256={digits}"))],
        Provider::GitLab => &[("x-gitlab-event", "Note Hook".into()), ("x-gitlab-token", "of the webhook".into())],
        Provider::Gitea => &[("x-gitea-event", "star".into()), ("x-gitea-signature", digits)],
        Provider::Bitbucket => &[("x-event-key", "pr:comment".into()), ("x-hub-signature", format!("sha256={digits}"))],
    };
    let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
    webhooks::receive(platform, Some(site), &headers, body).await.unwrap();
}

async fn a_forge_is_told_every_state_in_its_order(pool: PgPool, provider: Provider, words: [&str; 4]) {
    let told = Told::new(pool, provider).await;
    let id = told.deploy().await;
    told.forge.until(1).await;
    let lease = told.claim().await;
    told.forge.until(2).await;
    told.go_live(lease).await;
    told.forge.until(3).await;
    told.settled().await;
    told.deploy().await;
    told.settled().await;
    told.fail(told.claim().await, "The build ended with 1.").await;
    told.settled().await;
    assert_eq!(told.problem().await, None);
    let sent = told.forge.sent();
    let states: Vec<&str> = sent.iter().map(|body| body["state"].as_str().unwrap()).collect();
    assert_eq!(states[..3], words[..3]);
    assert_eq!(states.last().unwrap(), &words[3]);
    let link = format!("http://localhost:3000/deployments/{id}");
    let link_of = |body: &serde_json::Value| body.get("target_url").or(body.get("url")).cloned();
    assert_eq!(link_of(&sent[0]), Some(json!(link)));
    assert_eq!(sent[2]["description"], "Live at http://remote.localhost:8888");
    assert_eq!(sent.last().unwrap()["description"], "build: The build ended with 1.");
    assert_eq!(told.end().await, Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn github_is_told_every_state_in_its_order(pool: PgPool) {
    let words = ["pending", "pending", "success", "failure"];
    a_forge_is_told_every_state_in_its_order(pool, Provider::GitHub, words).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn gitlab_is_told_every_state_in_its_order(pool: PgPool) {
    let words = ["pending", "running", "success", "failed"];
    a_forge_is_told_every_state_in_its_order(pool, Provider::GitLab, words).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn gitea_is_told_every_state_in_its_order(pool: PgPool) {
    let words = ["pending", "pending", "success", "failure"];
    a_forge_is_told_every_state_in_its_order(pool, Provider::Gitea, words).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn bitbucket_is_told_every_state_in_its_order(pool: PgPool) {
    let words = ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED"];
    a_forge_is_told_every_state_in_its_order(pool, Provider::Bitbucket, words).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_forge_that_is_away_is_told_the_newest_state_when_it_is_back(pool: PgPool) {
    let told = Told::new(pool, Provider::GitHub).await;
    told.forge.answer(&[(503, Some("2"))]);
    told.deploy().await;
    told.forge.until(1).await;
    let lease = told.claim().await;
    told.go_live(lease).await;
    told.settled().await;
    let states: Vec<_> = told.forge.sent().iter().map(|body| body["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states.first().unwrap(), "pending");
    assert_eq!(states.last().unwrap(), "success", "{states:?}");
    assert_eq!(told.problem().await, None);
    assert_eq!(told.end().await, Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_forge_cannot_take_now_is_tried_again_when_it_says(pool: PgPool) {
    let told = Told::new(pool, Provider::Gitea).await;
    for (status, after) in [(503, Some("1")), (429, Some("1")), (403, Some("1"))] {
        let before = told.forge.sent().len();
        told.forge.answer(&[(status, after)]);
        told.deploy().await;
        told.settled().await;
        let sent = told.forge.sent();
        assert_eq!(sent.len(), before + 2, "{status}");
        assert_eq!(sent[before], sent[before + 1], "{status}");
        assert_eq!(told.problem().await, None, "{status}");
        told.fail(told.claim().await, "x").await;
        told.settled().await;
    }
    assert_eq!(told.end().await, Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_forge_refuses_is_given_up_and_said_until_it_takes_one(pool: PgPool) {
    let told = Told::new(pool, Provider::GitHub).await;
    for (status, words) in [(401, "does not take the token"), (403, "Commit statuses"), (404, "does not find")] {
        let before = told.forge.sent().len();
        told.forge.answer(&[(status, None)]);
        told.deploy().await;
        told.settled().await;
        assert_eq!(told.forge.sent().len(), before + 1, "{status}");
        let problem = told.problem().await.unwrap();
        assert!(problem.contains(words) && !problem.contains(TOKEN), "{status}: {problem}");
        told.go_live(told.claim().await).await;
        told.settled().await;
        assert_eq!(told.problem().await, None, "{status}");
    }
    assert_eq!(told.end().await, Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_cancelled_and_what_was_passed_over_is_told(pool: PgPool) {
    let told = Told::new(pool, Provider::GitLab).await;
    let first = told.deploy().await;
    told.settled().await;
    deployments::cancel(&told.platform, &told.actor, first).await.unwrap();
    told.platform.reports.notify_one();
    told.settled().await;
    let sent = told.forge.sent();
    assert_eq!(sent.last().unwrap()["state"], "canceled");
    assert!(sent.last().unwrap()["description"].as_str().unwrap().starts_with("Cancelled"));
    assert_eq!(told.end().await, Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_older_deployment_of_the_same_commit_no_longer_speaks_for_it(pool: PgPool) {
    let told = Told::new(pool, Provider::GitHub).await;
    told.forge.answer(&[(503, Some("1"))]);
    let first = told.deploy().await;
    told.forge.until(1).await;
    let second = told.deploy().await;
    told.settled().await;
    let sent = told.forge.sent();
    let last = |id: DeploymentId| format!("http://localhost:3000/deployments/{id}");
    assert_eq!(sent[0]["target_url"], last(first));
    assert!(sent[1..].iter().all(|body| body["target_url"] == last(second)), "{sent:?}");
    assert_eq!(told.end().await, Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_token_or_a_forge_nobody_is_told(pool: PgPool) {
    let World { mut platform, actor, team, site: hosted, .. } = World::new(pool).await;
    platform.settings.allow_private_repositories = true;
    let forge = Forge::start(Provider::Gitea, TOKEN).await;
    let url = RepoUrl::parse(&forge.repository()).unwrap();
    let source = Source::Git { url, branch: BranchName::parse("main").unwrap() };
    let open = site_of(&platform, team, "open", &source, None).await;
    // Nothing says what kind of forge this is.
    let unknown = site_of(&platform, team, "unknown", &source, Some(TOKEN)).await;
    for (site, rows) in [(hosted, 0_i64), (open, 0), (unknown, 1)] {
        let mut conn = platform.pool.acquire().await.unwrap();
        let environment = store::environments::by_name(&mut conn, team, site, "production").await.unwrap().unwrap().id;
        let queued = crate::deployments::Queued {
            team,
            site,
            environment,
            trigger: model::deployment::Trigger::Manual,
            triggered_by: actor.user,
            branch: Some("main"),
            commit: Some(COMMIT),
            message: None,
            author: None,
            from_release: None,
            variables: None,
            reason: None,
        };
        crate::deployments::enqueue(&mut conn, &queued).await.unwrap();
        let count = "select count(*) from forge_reports where site_id = $1";
        let count: i64 = sqlx::query_scalar(count).bind(site).fetch_one(&mut *conn).await.unwrap();
        assert_eq!(count, rows);
    }
    let mut conn = platform.pool.acquire().await.unwrap();
    let row = store::reports::claim(&mut conn, 60.0).await.unwrap().unwrap();
    assert!(store::reports::claim(&mut conn, 60.0).await.unwrap().is_none(), "one at a time of a site");
    one(&platform, &row).await.unwrap();
    assert_eq!(store::reports::next_due(&mut conn).await.unwrap(), None);
    assert_eq!(forge.end(), Vec::<String>::new());
}

#[test]
fn pauses_double_and_end_and_a_forges_own_word_counts() {
    let of = |attempt| pause(attempt, None).as_secs();
    assert_eq!([of(1), of(2), of(3), of(9), of(10), of(40)], [2, 4, 8, 512, 900, 900]);
    assert_eq!(pause(1, Some(Duration::from_secs(77))).as_secs(), 77);
}
