//! Domains: claimed by many, held by one.

use crate::support::{World, environment, team, world};
use model::{DomainId, EnvironmentId};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use store::domains::{self, Look, NewDomain};
use time::OffsetDateTime;

const HOST: &str = "shop.example.org";

async fn claim(conn: &mut PgConnection, world: &World, environment: EnvironmentId, host: &str) -> DomainId {
    let id = DomainId::new();
    let next_check_at = OffsetDateTime::now_utc();
    let new = NewDomain { id, team: world.team, site: world.site, environment, host, token: "t", next_check_at };
    domains::insert(conn, &new).await.unwrap();
    id
}

async fn prove(conn: &mut PgConnection, world: &World, id: DomainId) -> sqlx::Result<()> {
    let at = OffsetDateTime::now_utc();
    let next = at + Duration::from_hours(24);
    let look = Look { at, verified: true, finding: "found", problem: None, failures: 0, next };
    domains::set_look(conn, world.team, id, &look).await
}

fn constraint(error: &sqlx::Error) -> &str {
    error.as_database_error().and_then(|e| e.constraint()).unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_host_is_claimed_by_many_and_held_by_one(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let (ours, theirs) = (world(&mut conn, acme, "shop").await, world(&mut conn, other, "shopping").await);
    let first = claim(&mut conn, &ours, ours.environment, HOST).await;
    let second = claim(&mut conn, &theirs, theirs.environment, HOST).await;
    assert!(!domains::is_held_by_another(&mut conn, second, HOST).await.unwrap());
    prove(&mut conn, &ours, first).await.unwrap();
    assert!(domains::is_held_by_another(&mut conn, second, HOST).await.unwrap());
    assert!(!domains::is_held_by_another(&mut conn, first, HOST).await.unwrap());
    assert_eq!(constraint(&prove(&mut conn, &theirs, second).await.unwrap_err()), "domains_verified_key");
    assert_eq!(domains::leading(&mut conn, acme, ours.environment).await.unwrap(), [HOST]);
    assert!(domains::leading(&mut conn, other, theirs.environment).await.unwrap().is_empty());
    domains::remove(&mut conn, other, first).await.unwrap();
    assert!(domains::by_id(&mut conn, acme, ours.site, first).await.unwrap().is_some(), "it is not another team's");
    store::environments::remove(&mut conn, acme, ours.environment).await.unwrap();
    prove(&mut conn, &theirs, second).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_claims_a_host_once_and_an_environment_has_one_primary_domain(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let ours = world(&mut conn, acme, "shop").await;
    let staging = environment(&mut conn, acme, ours.site, "staging").await.unwrap();
    let first = claim(&mut conn, &ours, ours.environment, HOST).await;
    assert!(domains::is_claimed(&mut conn, acme, ours.site, HOST).await.unwrap());
    let new = NewDomain {
        id: DomainId::new(),
        team: acme,
        site: ours.site,
        environment: staging,
        host: HOST,
        token: "t",
        next_check_at: OffsetDateTime::now_utc(),
    };
    assert_eq!(constraint(&domains::insert(&mut conn, &new).await.unwrap_err()), "domains_host_key");
    let second = claim(&mut conn, &ours, ours.environment, "a.example.org").await;
    let third = claim(&mut conn, &ours, staging, "b.example.org").await;
    assert_eq!(domains::count(&mut conn, acme, ours.environment).await.unwrap(), 2);
    for (id, place) in [(first, ours.environment), (second, ours.environment), (third, staging)] {
        prove(&mut conn, &ours, id).await.unwrap();
        domains::set_primary(&mut conn, acme, place, Some(id)).await.unwrap();
    }
    let both = [ours.environment, staging];
    let mut primary = domains::primary(&mut conn, acme, &both).await.unwrap();
    primary.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(primary, [(ours.environment, "a.example.org".into()), (staging, "b.example.org".into())]);
    let production = domains::primary_of_production(&mut conn, &[acme], &[ours.site]).await.unwrap();
    assert_eq!(production, [(ours.site, "a.example.org".to_owned())]);
    domains::set_primary(&mut conn, acme, staging, None).await.unwrap();
    assert_eq!(domains::primary(&mut conn, acme, &[staging]).await.unwrap(), []);
    assert_eq!(domains::leading(&mut conn, acme, ours.environment).await.unwrap(), ["a.example.org", HOST]);
    let states = store::reconcile::environments(&mut conn).await.unwrap();
    let of = |id| states.iter().find(|state| state.environment.id == id).unwrap().domains.clone();
    assert_eq!(
        (of(ours.environment), of(staging)),
        (vec!["a.example.org".into(), HOST.into()], vec!["b.example.org".into()])
    );
    let listed = domains::of_site(&mut conn, acme, ours.site).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [second, first, third]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_that_is_due_is_given_to_one_and_none_of_what_is_being_removed(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let (ours, gone) = (world(&mut conn, acme, "shop").await, world(&mut conn, acme, "gone").await);
    let first = claim(&mut conn, &ours, ours.environment, HOST).await;
    let second = claim(&mut conn, &ours, ours.environment, "a.example.org").await;
    claim(&mut conn, &gone, gone.environment, "b.example.org").await;
    store::sites::mark_deleting(&mut conn, acme, gone.site, true).await.unwrap();
    let now = OffsetDateTime::now_utc();
    let until = now + Duration::from_mins(1);
    let mut taken = vec![];
    while let Some(row) = domains::take_due(&mut conn, now, until).await.unwrap() {
        assert_eq!(row.next_check_at.unix_timestamp(), until.unix_timestamp());
        taken.push(row.id);
    }
    assert_eq!(taken, [first, second]);
}
