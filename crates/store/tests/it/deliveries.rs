//! Deliveries: each once, each its own team's, and little of what strangers send.

use crate::support::{git, site, team};
use model::{DeliveryId, SiteId, TeamId};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;
use store::deliveries::{self, NewDelivery, NewRefusal};
use time::{Duration, OffsetDateTime};

async fn deliver(conn: &mut PgConnection, team: TeamId, site: SiteId, key: &str) -> Option<DeliveryId> {
    let id = DeliveryId::new();
    let headers = BTreeMap::from([("x-github-event".to_owned(), "push".to_owned())]);
    let new = NewDelivery {
        id,
        team,
        site,
        provider: "github",
        key,
        event: "push",
        headers: &headers,
        body: b"0123456789",
        outcome: "ignored",
        reason: "x",
        signed_with: Some("secret"),
        replay_of: None,
        replayed_by: None,
    };
    deliveries::insert(conn, &new).await.unwrap().then_some(id)
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_delivery_is_seen_by_its_own_team_alone_and_its_body_as_far_as_asked(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (team(&mut conn, "acme").await, team(&mut conn, "other").await);
    let shop = site(&mut conn, acme, "shop", &git("https://example.org/a/b")).await;
    let id = deliver(&mut conn, acme, shop, "1").await.unwrap();
    assert_eq!(deliver(&mut conn, acme, shop, "1").await, None);
    assert!(deliveries::by_id(&mut conn, &[other], id).await.unwrap().is_none());
    assert!(deliveries::content(&mut conn, other, id, 9).await.unwrap().is_none());
    assert!(deliveries::list(&mut conn, other, shop, None, 9).await.unwrap().is_empty());
    assert!(deliveries::count_again(&mut conn, other, shop, "github", "1").await.unwrap().is_none());
    let part = deliveries::content(&mut conn, acme, id, 4).await.unwrap().unwrap();
    assert_eq!((part.body.as_slice(), part.body_bytes), (&b"0123"[..], 10));
    let again = deliveries::count_again(&mut conn, acme, shop, "github", "1").await.unwrap().unwrap();
    assert_eq!((again.id, again.times), (id, 2));

    let later = OffsetDateTime::now_utc() + Duration::minutes(1);
    assert_eq!(deliveries::prune(&mut conn, later, 10).await.unwrap(), 1);
    assert!(deliveries::by_id(&mut conn, &[acme], id).await.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn refusals_are_one_row_for_each_key_counted_to_a_limit(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let shop = site(&mut conn, acme, "shop", &git("https://example.org/a/b")).await;
    for key in ["a", "a", "a", "a", "b"] {
        let refused = NewRefusal { provider: "github", key, event: "push", reason: "x" };
        for to in [shop, SiteId::new()] {
            deliveries::note_refused(&mut conn, DeliveryId::new(), to, &refused, 3).await.unwrap();
        }
    }
    let rows = deliveries::list(&mut conn, acme, shop, None, 9).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.outcome.as_str(), row.times)).collect::<Vec<_>>(),
        [("refused", 1), ("refused", 3)]
    );
    store::sites::mark_deleting(&mut conn, acme, shop, true).await.unwrap();
    let late = NewRefusal { provider: "github", key: "c", event: "push", reason: "x" };
    deliveries::note_refused(&mut conn, DeliveryId::new(), shop, &late, 3).await.unwrap();
    assert_eq!(deliveries::list(&mut conn, acme, shop, None, 9).await.unwrap().len(), 2);
}
