//! Log lines are numbered without gaps; events are told once their transaction commits.

use crate::support::{deploy, team, world};
use model::{TeamId, deployment::Stream, event::Event};
use sqlx::{PgPool, postgres::PgListener};
use store::{
    events,
    logs::{self, NewLine},
};
use time::OffsetDateTime;

fn line(text: &str) -> NewLine {
    NewLine { at: OffsetDateTime::now_utc(), stream: Stream::Stderr, text: text.into() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn lines_are_numbered_without_gaps(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let id = deploy(&mut conn, &world).await;
    assert_eq!(logs::append(&mut conn, id, &[line("a"), line("b")]).await.unwrap(), (1, 2));
    let mut undone = pool.begin().await.unwrap();
    logs::append(&mut undone, id, &[line("never")]).await.unwrap();
    undone.rollback().await.unwrap();
    assert_eq!(logs::append(&mut conn, id, &[line("nul \0 inside")]).await.unwrap(), (3, 3));
    let all = logs::after(&mut conn, acme, id, 0, 10).await.unwrap();
    assert_eq!(all.iter().map(|l| l.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(all[2].text, "nul \u{fffd} inside");
    assert_eq!(all[0].stream, Stream::Stderr);
    assert!(logs::after(&mut conn, TeamId::new(), id, 0, 10).await.unwrap().is_empty(), "another team's");
    let rest = logs::after(&mut conn, acme, id, 1, 1).await.unwrap();
    assert_eq!(rest.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_is_told_when_it_is_there_to_be_read(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen_all([events::EVENTS, events::JOBS]).await.unwrap();

    let event = Event::Site { id: world.site, status: "live".into() };
    let mut undone = pool.begin().await.unwrap();
    events::insert(&mut undone, acme, &event).await.unwrap();
    undone.rollback().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let id = events::insert(&mut tx, acme, &event).await.unwrap();
    events::wake_workers(&mut tx).await.unwrap();
    tx.commit().await.unwrap();

    let told = listener.recv().await.unwrap();
    assert_eq!((told.channel(), told.payload()), (events::EVENTS, id.to_string().as_str()));
    assert_eq!(listener.recv().await.unwrap().channel(), events::JOBS);
    let row = events::by_id(&mut conn, id).await.unwrap().unwrap();
    assert_eq!((row.team, &row.event), (acme, &event));
    assert_eq!(events::after(&mut conn, id - 1, 10).await.unwrap(), [row]);
    assert_eq!(events::last_id(&mut conn).await.unwrap(), id);

    sqlx::query("update events set at = now() - interval '2 hours'").execute(&mut *conn).await.unwrap();
    assert_eq!(events::prune(&mut conn).await.unwrap(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn lines_whose_time_is_over_go_piece_by_piece_and_the_rest_stays(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let acme = team(&mut conn, "acme").await;
    let world = world(&mut conn, acme, "shop").await;
    let (old, new) = (deploy(&mut conn, &world).await, deploy(&mut conn, &world).await);
    let lines: Vec<_> = (0..5).map(|n| line(&format!("é{n}"))).collect();
    for id in [old, new] {
        logs::append(&mut conn, id, &lines).await.unwrap();
    }
    assert_eq!(logs::bytes_of_site(&mut conn, acme, world.site).await.unwrap(), 30);
    let now = OffsetDateTime::now_utc();
    assert_eq!(logs::prune(&mut conn, now, 3).await.unwrap(), None, "neither has ended");
    for (id, days) in [(old, 40), (new, 3)] {
        sqlx::query(
            "update deployments set status = 'failed', finished_at = now() - make_interval(days => $2) where id = $1",
        )
        .bind(id)
        .bind(days)
        .execute(&mut *conn)
        .await
        .unwrap();
    }
    let month = now - time::Duration::days(30);
    assert_eq!(logs::prune(&mut conn, month, 3).await.unwrap(), Some(3));
    assert_eq!(logs::removed_at(&mut conn, acme, old).await.unwrap(), None, "not all are gone");
    assert_eq!(logs::prune(&mut conn, month, 3).await.unwrap(), Some(2));
    assert_eq!(logs::prune(&mut conn, month, 3).await.unwrap(), None);
    assert!(logs::removed_at(&mut conn, acme, old).await.unwrap().is_some());
    assert!(logs::after(&mut conn, acme, old, 0, 10).await.unwrap().is_empty());
    assert_eq!(logs::after(&mut conn, acme, new, 0, 10).await.unwrap().len(), 5);
    assert_eq!(logs::bytes_of_site(&mut conn, acme, world.site).await.unwrap(), 15);
}
