//! What is asked out of order, or by two people at once, is told by 409 and changes nothing.

use crate::{
    pipeline::Site,
    support::{Setup, json, until},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

const ENDLESS: &str = "FROM debian:bookworm-slim\nRUN sleep 300\n";

/// Everything that a refused request leaves as it is.
async fn rows(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select concat_ws(' ', 'deployment', id, status, attempt, cancel_requested_at, finished_at) from deployments \
         union all select concat_ws(' ', 'release', id, environment_id, deployment_id) from releases \
         union all select concat_ws(' ', 'environment', id, current_release, deleting_at) from environments \
         union all select concat_ws(' ', 'site', id, deployment_count, deleting_at) from sites order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// A request about a site.
async fn ask(site: &Site, method: Method, rest: &str) -> (u16, Value) {
    let path = format!("/api/v1/sites/{}{rest}", site.id);
    let body = (method == Method::POST).then(|| json!({}));
    json(site.app.send(method, &path, Some(&site.token), body.as_ref()).await).await
}

async fn live(site: &Site) -> String {
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert_eq!(ended["status"], "live", "{ended:#}");
    deployment
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_out_of_order_is_refused_and_changes_nothing() {
    let mut site = Site::live().await;
    let pool = site.app.pool();
    let pruned = site.latest().await;
    for _ in 0..4 {
        live(&site).await;
    }
    let serves = live(&site).await;
    until("the oldest release is no longer kept", async || site.show(&pruned).await["release"].is_null().then_some(()))
        .await;

    site.commit(&[("Dockerfile", ENDLESS)]).await;
    let cancelled = site.deploy().await;
    site.until_status(&cancelled, &["building"]).await;
    let superseded = site.deploy().await;
    let never_begun = site.deploy().await;
    for deployment in [&never_begun, &cancelled] {
        assert_eq!(site.act(deployment, "cancel").await.0, 202);
    }
    site.commit(&[("webmeteor.toml", "[services.www\n")]).await;
    let failed = site.deploy().await;
    for (deployment, status) in
        [(&superseded, "superseded"), (&never_begun, "cancelled"), (&cancelled, "cancelled"), (&failed, "failed")]
    {
        assert_eq!(site.ended(deployment).await["status"], status);
    }
    site.until_settled().await;

    let before = rows(&pool).await;
    for (what, deployment, act, code) in [
        ("cancel what serves", &serves, "cancel", "not_cancellable"),
        ("cancel what failed", &failed, "cancel", "not_cancellable"),
        ("cancel what was superseded", &superseded, "cancel", "not_cancellable"),
        ("go back to what is no longer kept", &pruned, "rollback", "release_gone"),
        ("go back to what failed", &failed, "rollback", "release_gone"),
        ("go back to what never began", &never_begun, "rollback", "release_gone"),
        ("go back to what serves", &serves, "rollback", "already_current"),
    ] {
        let (status, refused) = site.act(deployment, act).await;
        assert_eq!((status, &refused["code"]), (409, &json!(code)), "{what}: {refused}");
        assert_eq!(rows(&pool).await, before, "{what}");
    }

    // Without a worker its removal waits.
    assert!(site.app.stop().await.success());
    let setup = std::mem::replace(&mut site.app.setup, Setup::bare());
    site.app.setup = setup.arguments(&["serve", "--roles", "web"]);
    site.app.restart().await;
    assert_eq!(ask(&site, Method::DELETE, "").await.0, 202);
    let before = rows(&pool).await;
    for (deployment, act) in
        [(&serves, "redeploy"), (&cancelled, "redeploy"), (&pruned, "rollback"), (&serves, "cancel")]
    {
        let (status, refused) = site.act(deployment, act).await;
        assert_eq!((status, &refused["code"]), (409, &json!("site_deleting")), "{act}: {refused}");
    }
    for (method, rest) in [(Method::POST, "/deployments"), (Method::DELETE, "")] {
        let (status, refused) = ask(&site, method, rest).await;
        assert_eq!((status, &refused["code"]), (409, &json!("site_deleting")), "{refused}");
    }
    assert_eq!(rows(&pool).await, before);
}

/// Of two answers the one that carries it out, and that the other is a refusal with a code.
fn one_of_two((one, other): ((u16, Value), (u16, Value))) -> Value {
    let (done, refused) = if one.0 == 202 { (one, other) } else { (other, one) };
    assert_eq!((done.0, refused.0), (202, 409), "{} {}", done.1, refused.1);
    assert!(refused.1["code"].is_string() && refused.1["detail"].is_string(), "{}", refused.1);
    done.1
}

/// Two people do it at the same moment; what the one is told who came first.
async fn both(site: &Site, deployment: &str, act: &str) -> Value {
    one_of_two(tokio::join!(site.act(deployment, act), site.act(deployment, act)))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_press_the_same_button_one_is_told_so_and_it_is_done_once() {
    let site = Site::live().await;
    let pool = site.app.pool();
    let first = site.latest().await;
    let deployments = async || {
        let mut rows = rows(&pool).await;
        rows.retain(|row| row.starts_with("deployment"));
        rows.len()
    };

    for act in ["redeploy", "rollback"] {
        let before = deployments().await;
        let made = both(&site, &first, act).await;
        let ended = site.ended(made["id"].as_str().unwrap()).await;
        assert_eq!(ended["status"], "live", "{act}: {ended:#}");
        assert_eq!(deployments().await, before + 1, "{act}");
    }

    site.commit(&[("Dockerfile", ENDLESS)]).await;
    let runs = site.deploy().await;
    site.until_status(&runs, &["building"]).await;
    let waits = site.deploy().await;
    let before = deployments().await;
    for deployment in [&waits, &runs] {
        both(&site, deployment, "cancel").await;
        assert_eq!(site.ended(deployment).await["status"], "cancelled");
    }
    assert_eq!(deployments().await, before);

    one_of_two(tokio::join!(ask(&site, Method::DELETE, ""), ask(&site, Method::DELETE, "")));
    until("the site is gone", async || (ask(&site, Method::GET, "").await.0 == 404).then_some(())).await;
}
