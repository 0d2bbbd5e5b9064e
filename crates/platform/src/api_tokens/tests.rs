//! What holds for API tokens, on the real database.

use super::*;
use crate::{
    Signup, accounts, deployments, environments, queue, sites,
    testing::{World, platform, problem, registration, site},
    variables, webhooks,
};
use model::Role;
use sqlx::PgPool;
use time::Duration;

fn for_scopes(scopes: &[&str]) -> NewToken {
    NewToken {
        name: "CI".into(),
        scopes: scopes.iter().map(|word| (*word).to_owned()).collect(),
        ..NewToken::default()
    }
}

fn named(name: &str) -> sites::Change {
    sites::Change { name: Some(name.into()), ..sites::Change::default() }
}

/// Whether it was allowed; whatever else goes wrong is no answer to that.
fn may<T>(answer: Result<T>) -> bool {
    match answer {
        Ok(_) => true,
        Err(Error::Problem(problem)) if matches!(&*problem.code, "insufficient_scope" | "token_not_allowed") => {
            assert_eq!(problem.status, 403);
            false
        }
        Err(error) => panic!("{error}"),
    }
}

impl World {
    async fn token(&self, new: NewToken) -> String {
        create(&self.platform, &self.actor, new).await.unwrap().token
    }

    /// The caller behind a token.
    async fn caller(&self, token: &str) -> Option<Actor> {
        actor(&self.platform, token).await.unwrap()
    }

    /// What a caller may do.
    async fn allowed(&self, caller: &Actor) -> Vec<(&'static str, bool)> {
        let (platform, site) = (&self.platform, self.site);
        let environment = environments::NewEnvironment {
            name: "staging".into(),
            branch: "develop".into(),
            ..environments::NewEnvironment::default()
        };
        let variable = variables::NewVariable { name: "A".into(), value: Some("1".into()), secret: false };
        vec![
            ("list sites", may(sites::list(platform, caller, 10, None).await)),
            ("see a site", may(sites::get(platform, caller, site).await)),
            ("see deployments", may(deployments::list(platform, caller, site, None, 10, None).await)),
            ("see the queue", may(queue::list(platform, caller).await)),
            ("see deliveries", may(webhooks::list(platform, caller, site, 10, None).await)),
            ("rename a site", may(sites::change(platform, caller, site, named("Shop")).await)),
            ("see the webhook's secret", may(sites::webhook_secret(platform, caller, site).await)),
            ("make an environment", may(environments::create(platform, caller, site, environment).await)),
            ("see variables", may(variables::list(platform, caller, site, "production").await)),
            ("set a variable", may(variables::put(platform, caller, site, "production", variable).await)),
            ("deploy", may(deployments::create(platform, caller, site, deployments::NewDeployment::default()).await)),
            ("rename the account", may(accounts::rename(platform, caller, "Ada").await)),
            ("change the password", may(accounts::change_password(platform, caller, "a", "b").await)),
            ("see tokens", may(list(platform, caller).await)),
            ("make a token", may(create(platform, caller, for_scopes(&["deploy"])).await)),
            ("remove a token", may(delete(platform, caller, TokenId::new()).await)),
        ]
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_does_what_its_scopes_say_and_nothing_else(pool: PgPool) {
    let world = World::new(pool).await;
    let read = ["list sites", "see a site", "see deployments", "see the queue", "see deliveries"];
    for (scopes, more) in [
        (&["sites:read"][..], &[][..]),
        (&["deploy"], &["deploy"]),
        (&["variables"], &["see variables", "set a variable"]),
        (&["sites:write"], &["rename a site", "see the webhook's secret", "make an environment"]),
        (&["sites:read", "deploy", "variables"], &["deploy", "see variables", "set a variable"]),
    ] {
        let caller = world.caller(&world.token(for_scopes(scopes)).await).await.unwrap();
        for (what, is_allowed) in world.allowed(&caller).await {
            assert_eq!(is_allowed, read.contains(&what) || more.contains(&what), "{scopes:?}: {what}");
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_is_shown_once_and_kept_as_a_hash(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let made = create(&world.platform, &world.actor, for_scopes(&["deploy", "deploy"])).await.unwrap();
    assert!(made.token.starts_with(PREFIX) && made.token.len() > 40 && made.token.ends_with(&made.view.ends_with));
    assert_eq!((made.view.scopes.as_slice(), made.view.last_used_at), (&[Scope::Deploy][..], None));
    assert_eq!(list(&world.platform, &world.actor).await.unwrap(), std::slice::from_ref(&made.view));
    let row: String = sqlx::query_scalar("select k::text from api_tokens k").fetch_one(&pool).await.unwrap();
    assert!(!row.contains(&made.token[PREFIX.len()..]), "{row}");

    assert!(world.caller(&made.token).await.is_some());
    assert!(list(&world.platform, &world.actor).await.unwrap()[0].last_used_at.is_some());
    for wrong in [&made.token[..made.token.len() - 1], &format!("{}x", made.token), PREFIX, ""] {
        assert!(world.caller(wrong).await.is_none(), "{wrong}");
    }
    delete(&world.platform, &world.actor, made.view.id).await.unwrap();
    assert!(world.caller(&made.token).await.is_none(), "it is removed");
    assert_eq!(problem(delete(&world.platform, &world.actor, made.view.id).await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_for_one_site_knows_of_no_other(pool: PgPool) {
    let world = World::new(pool).await;
    let (other, _) = site(&world.platform, world.team, "other").await;
    let new = NewToken { site_id: Some(world.site), ..for_scopes(&["sites:write", "deploy"]) };
    let caller = world.caller(&world.token(new).await).await.unwrap();
    let seen = sites::list(&world.platform, &caller, 10, None).await.unwrap();
    assert_eq!(seen.items.iter().map(|site| site.id).collect::<Vec<_>>(), [world.site]);
    assert_eq!(problem(sites::get(&world.platform, &caller, other).await).status, 404);
    let deploy = |site| deployments::create(&world.platform, &caller, site, deployments::NewDeployment::default());
    assert_eq!(problem(deploy(other).await).status, 404);
    assert!(deploy(world.site).await.is_ok());
    assert_eq!(problem(sites::delete(&world.platform, &caller, other, false).await).status, 404);
    let theirs = deployments::create(&world.platform, &world.actor, other, deployments::NewDeployment::default());
    let theirs = theirs.await.unwrap().summary.id;
    assert_eq!(problem(deployments::get(&world.platform, &caller, theirs).await).status, 404);
    assert_eq!(queue::list(&world.platform, &caller).await.unwrap().items.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_goes_no_further_than_its_owner_does_today(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let token = world.token(for_scopes(&["deploy"])).await;
    let set = async |what: &'static str| sqlx::query(what).execute(&pool).await.unwrap();
    set("update members set role = 'viewer'").await;
    let caller = world.caller(&token).await.unwrap();
    assert_eq!((caller.role_in(world.team), caller.is_admin), (Some(Role::Viewer), false));
    let refused =
        deployments::create(&world.platform, &caller, world.site, deployments::NewDeployment::default()).await;
    assert_eq!(problem(refused).code, "forbidden");
    set("delete from members").await;
    assert!(world.caller(&token).await.is_none(), "its owner left the team");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_ends_with_its_day(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let day = OffsetDateTime::now_utc() + Duration::days(1);
    let token = world.token(NewToken { expires_at: Some(day), ..for_scopes(&["deploy"]) }).await;
    assert!(world.caller(&token).await.is_some());
    sqlx::query("update api_tokens set expires_at = now()").execute(&pool).await.unwrap();
    assert!(world.caller(&token).await.is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn nobody_has_anothers_tokens(pool: PgPool) {
    let world = World::new(pool).await;
    let mine = create(&world.platform, &world.actor, for_scopes(&["deploy"])).await.unwrap().view;
    let eve = accounts::register(&world.platform, registration("Eve")).await.unwrap();
    let eve = accounts::actor(&world.platform, eve.user.id).await.unwrap().unwrap();
    assert_eq!(list(&world.platform, &eve).await.unwrap(), []);
    assert_eq!(problem(delete(&world.platform, &eve, mine.id).await).status, 404);
    for theirs in [
        NewToken { team_id: Some(world.team), ..for_scopes(&["deploy"]) },
        NewToken { site_id: Some(world.site), ..for_scopes(&["deploy"]) },
    ] {
        assert_eq!(problem(create(&world.platform, &eve, theirs).await).status, 404);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_makes_no_sense_is_refused_with_its_field(pool: PgPool) {
    let world = World::new(pool).await;
    let yesterday = OffsetDateTime::now_utc() - Duration::days(1);
    for (new, field, code) in [
        (NewToken { name: " ".into(), ..for_scopes(&["deploy"]) }, "name", "length"),
        (for_scopes(&[]), "scopes", "required"),
        (for_scopes(&["deploy", "'; drop table sites; --"]), "scopes", "unknown"),
        (for_scopes(&["metrics"]), "scopes", "forbidden"),
        (NewToken { expires_at: Some(yesterday), ..for_scopes(&["deploy"]) }, "expires_at", "past"),
    ] {
        let refused = problem(create(&world.platform, &world.actor, new).await);
        let [error] = &refused.errors[..] else { panic!("{refused:?}") };
        assert_eq!((refused.status, &*error.field, &*error.code), (422, field, code));
    }
    for _ in 0..MOST {
        world.token(for_scopes(&["deploy"])).await;
    }
    assert_eq!(problem(create(&world.platform, &world.actor, for_scopes(&["deploy"])).await).code, "too_many_tokens");
}

#[sqlx::test(migrations = "../../migrations")]
async fn metrics_are_for_the_tokens_of_administrators(pool: PgPool) {
    let platform = platform(pool.clone(), Signup::Open);
    let ada = accounts::create_user(&platform, registration("Ada"), true).await.unwrap();
    let ada = accounts::actor(&platform, ada.user.id).await.unwrap().unwrap();
    let token = async |scopes: &[&str]| create(&platform, &ada, for_scopes(scopes)).await.unwrap().token;
    let (metrics, other) = (token(&["metrics"]).await, token(&["deploy"]).await);
    assert!(may_read_metrics(&platform, &metrics).await.unwrap());
    assert!(!may_read_metrics(&platform, &other).await.unwrap());
    let caller = actor(&platform, &metrics).await.unwrap().unwrap();
    assert!(!may(sites::list(&platform, &caller, 10, None).await), "it is good for nothing else");
    sqlx::query("update users set is_admin = false").execute(&pool).await.unwrap();
    assert!(!may_read_metrics(&platform, &metrics).await.unwrap());
}
