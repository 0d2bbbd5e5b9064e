//! Every use case that changes something leaves an entry, and none holds a secret: a test for each noun.

use crate::{
    accounts, api_tokens, deployments,
    deployments::{NewDeployment, Promotion, Rollback},
    environments, previews, sites,
    testing::{World, problem},
    variables, webhooks,
};
use axum::body::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use model::{
    DeploymentId, Origin, ReleaseId, Role,
    plan::{NetworkPlan, ReleasePlan},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeMap;

const HEAD: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";

/// Action, name, before and after.
type Told = (String, String, Option<Value>, Option<Value>);

impl World {
    async fn told(&self, kind: &str) -> Vec<Told> {
        sqlx::query_as(
            "select action, target_name, before, after from audit_entries where target_kind = $1 order by id",
        )
        .bind(kind)
        .fetch_all(&self.platform.pool)
        .await
        .unwrap()
    }

    async fn actions(&self, kind: &str) -> Vec<String> {
        self.told(kind).await.into_iter().map(|(action, ..)| action).collect()
    }

    /// No entry holds any of these.
    async fn hides(&self, secrets: &[&str]) {
        let all: String = sqlx::query_scalar("select string_agg(e::text, ' ') from audit_entries e")
            .fetch_one(&self.platform.pool)
            .await
            .unwrap();
        for secret in secrets {
            assert!(!secret.is_empty() && !all.contains(secret), "{secret} is in the audit");
        }
    }

    /// The site's repository is another one's.
    async fn is_remote(&self) {
        let source = json!({"git": {"url": "https://example.org/ada/site.git", "branch": "main"}});
        sqlx::query("update sites set source = $1").bind(source).execute(&self.platform.pool).await.unwrap();
    }

    /// GitHub tells of something, with its right signature.
    async fn github_tells(&self, event: &'static str, body: &Value) -> webhooks::Received {
        let body = Bytes::from(body.to_string());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"of the webhook").unwrap();
        mac.update(&body);
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let mut headers = HeaderMap::new();
        headers.insert("x-github-event", HeaderValue::from_static(event));
        headers.insert("x-github-delivery", uuid::Uuid::new_v4().to_string().parse().unwrap());
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
        webhooks::receive(&self.platform, Some(self.site), &headers, body).await.unwrap()
    }

    /// A deployment that is live, with its release.
    async fn went_live(&self) -> DeploymentId {
        let made = deployments::create(&self.platform, &self.actor, self.site, NewDeployment::default()).await.unwrap();
        let id = made.summary.id;
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let plan = ReleasePlan {
            team: self.team,
            site: self.site,
            environment: self.environment,
            deployment: id,
            project: "ada-shop".into(),
            hosts: vec![],
            domain: None,
            network: NetworkPlan { name: "n".into(), base: [10, 64, 0, 0].into(), prefix: 27 },
            containers: vec![],
            volumes: BTreeMap::new(),
        };
        let release = ReleaseId::new();
        store::releases::insert(&mut conn, self.team, release, self.environment, id, &plan, 0).await.unwrap();
        sqlx::query("update deployments set status = 'live' where id = $1").bind(id).execute(&mut *conn).await.unwrap();
        id
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_sites(pool: PgPool) {
    let mut world = World::new(pool).await;
    let folder = tempfile::tempdir().unwrap();
    world.platform.settings.data_dir = folder.path().to_owned();
    let (platform, actor) = (&world.platform, &world.actor);
    let actor = &actor.clone().at(Some("192.0.2.7".parse().unwrap()));
    let new = sites::NewSite { team_id: None, name: "Bakery".into(), slug: None, source: sites::NewSource::Hosted {} };
    let made = sites::create(platform, actor, new).await.unwrap().site;
    let secret = made.webhook.secret.unwrap();
    let rename = sites::Change { name: Some("Café".into()), ..Default::default() };
    sites::change(platform, actor, made.id, rename).await.unwrap();
    sites::delete(platform, actor, made.id, true).await.unwrap();
    let told = world.told("site").await;
    assert_eq!(told.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["site.create", "site.rename", "site.delete"]);
    assert_eq!(told[0].3.as_ref().unwrap()["slug"], "bakery");
    assert_eq!((&told[1].2, &told[1].3), (&Some(json!({"name": "Bakery"})), &Some(json!({"name": "Café"}))));
    assert_eq!(told[2].1, "Café");
    let places: Vec<(String, Option<model::UserId>)> =
        sqlx::query_as("select host(address), actor_id from audit_entries where target_kind = 'site'")
            .fetch_all(&world.platform.pool)
            .await
            .unwrap();
    assert!(places.iter().all(|it| *it == ("192.0.2.7".to_owned(), actor.user)), "{places:?}");
    world.hides(&[&secret]).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_refused_leaves_none(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.actor.memberships = vec![(world.team, Role::Viewer)];
    let change = sites::Change { name: Some("Mine".into()), ..Default::default() };
    assert_eq!(problem(sites::change(&world.platform, &world.actor, world.site, change).await).status, 403);
    assert_eq!(problem(sites::delete(&world.platform, &world.actor, world.site, false).await).status, 403);
    assert!(world.told("site").await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_environments(pool: PgPool) {
    let world = World::new(pool).await;
    let (platform, actor, site) = (&world.platform, &world.actor, world.site);
    let new = environments::NewEnvironment { name: "staging".into(), branch: "next".into(), ..Default::default() };
    environments::create(platform, actor, site, new).await.unwrap();
    let change = async |change| environments::change(platform, actor, site, "staging", change).await.unwrap();
    change(environments::Change { branch: Some("main".into()), ..Default::default() }).await;
    change(environments::Change { paused: Some(true), ..Default::default() }).await;
    change(environments::Change { paused: Some(true), ..Default::default() }).await;
    change(environments::Change { paused: Some(false), ..Default::default() }).await;
    environments::delete(platform, actor, site, "staging", false).await.unwrap();
    let told = world.told("environment").await;
    assert_eq!(
        told.iter().map(|it| it.0.trim_start_matches("environment.")).collect::<Vec<_>>(),
        ["create", "change", "pause", "resume", "delete"]
    );
    assert!(told.iter().all(|it| it.1 == "shop/staging"));
    let branch = |it: &Option<Value>| it.as_ref().map(|it| it["branch"].clone());
    assert_eq!((branch(&told[1].2), branch(&told[1].3)), (Some(json!("next")), Some(json!("main"))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_deployments(pool: PgPool) {
    let world = World::new(pool).await;
    let (platform, actor) = (&world.platform, &world.actor);
    let new = environments::NewEnvironment { name: "staging".into(), branch: "next".into(), ..Default::default() };
    environments::create(platform, actor, world.site, new).await.unwrap();
    let live = world.went_live().await;
    let again = deployments::redeploy(platform, actor, live).await.unwrap().summary.id;
    deployments::cancel(platform, actor, again).await.unwrap();
    deployments::rollback(platform, actor, live, Rollback::default()).await.unwrap();
    deployments::promote(platform, actor, live, Promotion { environment: "staging".into() }).await.unwrap();
    let told = world.told("deployment").await;
    assert_eq!(
        told.iter().map(|it| it.0.trim_start_matches("deployment.")).collect::<Vec<_>>(),
        ["create", "redeploy", "cancel", "rollback", "promote"]
    );
    let after = told[4].3.as_ref().unwrap();
    assert_eq!((&after["environment"], &after["from"]), (&json!("staging"), &json!(1)));
    assert_eq!(told[0].1, "shop #1");
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_variables_the_names_alone(pool: PgPool) {
    let world = World::new(pool).await;
    let put = async |name: &str, value: &str, secret| {
        let new = variables::NewVariable { name: name.into(), value: Some(value.into()), secret };
        variables::put(&world.platform, &world.actor, world.site, "production", new).await.unwrap();
    };
    put("KEY", "hush-one", true).await;
    put("OPEN", "not-secret-two", false).await;
    put("OPEN", "not-secret-two", false).await;
    put("KEY", "hush-three", true).await;
    variables::remove(&world.platform, &world.actor, world.site, "production", "OPEN").await.unwrap();
    let told = world.told("variables").await;
    let after: Vec<_> = told.iter().map(|it| it.3.clone().unwrap()).collect();
    assert_eq!(after.len(), 4, "what changes nothing is not told");
    assert_eq!(after[2], json!({"version": 3, "added": [], "changed": ["KEY"], "removed": []}));
    assert_eq!(after[3]["removed"], json!(["OPEN"]));
    assert_eq!(told[0].1, "shop/production");
    world.hides(&["hush-one", "not-secret-two", "hush-three"]).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_webhooks_and_deliveries(pool: PgPool) {
    let world = World::new(pool).await;
    world.is_remote().await;
    let body = json!({
        "ref": "refs/heads/main", "after": HEAD, "repository": {"clone_url": "https://example.org/ada/site.git"},
        "head_commit": {"id": HEAD, "message": "hush-message"}
    });
    let received = world.github_tells("push", &body).await;
    webhooks::replay(&world.platform, &world.actor, received.delivery_id).await.unwrap();
    let how = webhooks::Rotation::default();
    let secret = webhooks::rotate_secret(&world.platform, &world.actor, world.site, how).await.unwrap().secret.unwrap();
    webhooks::revoke_old_secret(&world.platform, &world.actor, world.site).await.unwrap();
    assert_eq!(world.actions("delivery").await, ["delivery.replay"]);
    assert_eq!(world.actions("webhook").await, ["webhook.rotate_secret", "webhook.revoke_old_secret"]);
    world.hides(&[&secret, "of the webhook", "hush-message"]).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_previews(pool: PgPool) {
    let world = World::new(pool).await;
    world.is_remote().await;
    let wanted = previews::Change { enabled: Some(true), ..Default::default() };
    let change = sites::Change { previews: Some(wanted), ..Default::default() };
    sites::change(&world.platform, &world.actor, world.site, change).await.unwrap();
    let told = json!({
        "action": "opened", "number": 12, "repository": {"clone_url": "https://example.org/ada/site.git"},
        "pull_request": {
            "title": "Better", "merged": false, "user": {"login": "eve"},
            "head": {"ref": "fix", "sha": HEAD, "repo": {"full_name": "eve/site"}},
            "base": {"ref": "main", "sha": HEAD, "repo": {"full_name": "ada/site"}}
        }
    });
    world.github_tells("pull_request", &told).await;
    let approval = previews::Approval { commit: HEAD.into() };
    previews::approve(&world.platform, &world.actor, world.site, 12, approval).await.unwrap();
    previews::remove(&world.platform, &world.actor, world.site, 12).await.unwrap();
    let told = world.told("previews").await;
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("previews.change", "Shop"));
    assert_eq!(told[0].3.as_ref().unwrap()["enabled"], true);
    let told = world.told("preview").await;
    assert_eq!(told.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["preview.approve", "preview.remove"]);
    assert_eq!((told[0].1.as_str(), &told[0].3.as_ref().unwrap()["commit"]), ("shop #12", &json!(HEAD)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_tokens_and_of_what_is_done_with_one(pool: PgPool) {
    let world = World::new(pool).await;
    let (platform, actor) = (&world.platform, &world.actor);
    let scopes = vec!["sites:write".into(), "sites:read".into()];
    let new = api_tokens::NewToken { name: "Pipeline".into(), scopes, ..Default::default() };
    let made = api_tokens::create(platform, actor, new).await.unwrap();
    let by_token = api_tokens::actor(platform, &made.token).await.unwrap().unwrap();
    assert_eq!(by_token.origin, Origin { address: None, token: Some(made.view.id) });
    let rename = sites::Change { name: Some("By token".into()), ..Default::default() };
    sites::change(platform, &by_token, world.site, rename).await.unwrap();
    api_tokens::delete(platform, actor, made.view.id).await.unwrap();
    assert_eq!(world.actions("token").await, ["token.create", "token.delete"]);
    let with: Option<model::TokenId> =
        sqlx::query_scalar("select token_id from audit_entries where action = 'site.rename'")
            .fetch_one(&platform.pool)
            .await
            .unwrap();
    assert_eq!(with, Some(made.view.id));
    world.hides(&[&made.token, &made.token[4..]]).await;
    let owner = accounts::me(platform, actor).await.unwrap().email;
    let name: String = sqlx::query_scalar("select actor_name from audit_entries where action = 'token.delete'")
        .fetch_one(&platform.pool)
        .await
        .unwrap();
    assert_eq!(name, owner);
}
