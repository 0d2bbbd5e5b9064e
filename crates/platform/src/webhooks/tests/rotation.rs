//! What holds for a webhook's secret that is replaced.

use super::*;
use model::views::{DeliveryView, WebhookView};

impl World {
    async fn rotate(&self, site: SiteId, revoke_old: bool) -> WebhookView {
        rotate_secret(&self.platform, &self.actor, site, Rotation { revoke_old }).await.unwrap()
    }

    /// What a push that is signed with this secret is answered; `None` where it is refused.
    async fn sent_with(&self, site: SiteId, secret: &str) -> Option<Received> {
        let hook = Hook::push("refs/heads/main");
        let mut answers = vec![];
        for to in [Some(site), None] {
            let hook = Hook { delivery: uuid::Uuid::new_v4().to_string(), ..hook.clone() };
            match receive(&self.platform, to, &hook.headers(secret), hook.bytes()).await {
                Ok(received) => answers.push(Some(received)),
                refused => {
                    assert_eq!(problem(refused).code, "bad_signature");
                    answers.push(None);
                }
            }
        }
        assert_eq!(answers[0].is_some(), answers[1].is_some(), "by its address and by its repository alike");
        answers.remove(0)
    }

    async fn newest(&self, site: SiteId) -> DeliveryView {
        list(&self.platform, &self.actor, site, 1, None).await.unwrap().items.remove(0)
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_old_secret_works_for_a_while_and_whoever_uses_it_is_told(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let site = world.remote().await;
    let rotated = world.rotate(site, false).await;
    let secret = rotated.secret.unwrap();
    assert_ne!(secret, SECRET);
    let lasts = rotated.old_secret_until.unwrap() - time::OffsetDateTime::now_utc();
    assert!(lasts > time::Duration::hours(23) && lasts <= time::Duration::hours(24), "{lasts}");

    let new = world.sent_with(site, &secret).await.unwrap();
    assert_eq!((new.outcome, new.warning), (Outcome::Queued, None));
    assert_eq!(world.newest(site).await.signed_with, Some(SignedWith::Secret));
    let old = world.sent_with(site, SECRET).await.unwrap();
    assert_eq!(old.outcome, Outcome::Queued);
    assert!(old.warning.unwrap().contains("signed with the old secret, which works until 20"));
    assert_eq!(world.newest(site).await.signed_with, Some(SignedWith::OldSecret));

    let shown = crate::sites::get(&world.platform, &world.actor, site).await.unwrap().webhook;
    assert_eq!((shown.secret, shown.old_secret_until), (None, rotated.old_secret_until));
    let opened = crate::sites::webhook_secret(&world.platform, &world.actor, site).await.unwrap();
    assert_eq!(opened, secret);

    sqlx::query("update sites set old_webhook_secret_until = now()").execute(&pool).await.unwrap();
    assert_eq!(world.sent_with(site, SECRET).await, None, "its time is over");
    assert!(world.sent_with(site, &secret).await.is_some());
    let shown = crate::sites::get(&world.platform, &world.actor, site).await.unwrap().webhook;
    assert_eq!(shown.old_secret_until, None);
    store::sites::forget_old_webhook_secrets(&mut pool.acquire().await.unwrap()).await.unwrap();
    let left: Option<Vec<u8>> =
        sqlx::query_scalar("select old_webhook_secret from sites").fetch_one(&pool).await.unwrap();
    assert_eq!(left, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_old_secret_can_be_revoked_at_once_and_later(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let second = world.rotate(site, true).await;
    assert_eq!(second.old_secret_until, None);
    assert_eq!(world.sent_with(site, SECRET).await, None);

    let third = world.rotate(site, false).await.secret.unwrap();
    let second = second.secret.unwrap();
    assert!(world.sent_with(site, &second).await.is_some());
    for _ in 0..2 {
        revoke_old_secret(&world.platform, &world.actor, site).await.unwrap();
    }
    assert_eq!(world.sent_with(site, &second).await, None);
    assert!(world.sent_with(site, &third).await.is_some());
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_old_secrets_the_newer_one_works(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let second = world.rotate(site, false).await.secret.unwrap();
    world.rotate(site, false).await;
    assert_eq!(world.sent_with(site, SECRET).await, None);
    assert!(world.sent_with(site, &second).await.is_some());
}

#[sqlx::test(migrations = "../../migrations")]
async fn where_the_installation_grants_no_time_the_old_secret_stops_at_once(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.platform.settings.webhook_grace = std::time::Duration::ZERO;
    let site = world.remote().await;
    assert_eq!(world.rotate(site, false).await.old_secret_until, None);
    assert_eq!(world.sent_with(site, SECRET).await, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn both_secrets_are_sealed_each_in_its_own_place(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let site = world.remote().await;
    let secret = world.rotate(site, false).await.secret.unwrap();
    let (new, old): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("select webhook_secret, old_webhook_secret from sites").fetch_one(&pool).await.unwrap();
    for (sealed, plain) in [(&new, secret.as_bytes()), (&old, SECRET.as_bytes())] {
        assert!(!sealed.windows(plain.len()).any(|part| part == plain));
    }
    sqlx::query("update sites set webhook_secret = old_webhook_secret").execute(&pool).await.unwrap();
    let answer = receive(&world.platform, Some(site), &Hook::push("x").headers(SECRET), Hook::push("x").bytes()).await;
    assert!(matches!(answer, Err(Error::Internal(_))), "a sealed secret opens in its own place alone: {answer:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn owners_and_administrators_alone_replace_and_revoke(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.remote().await;
    let platform = &world.platform;
    let how = Rotation::default();
    for role in [Role::Developer, Role::Viewer] {
        let actor = world.with_role(role);
        assert_eq!(problem(rotate_secret(platform, &actor, site, how).await).status, 403);
        assert_eq!(problem(revoke_old_secret(platform, &actor, site).await).status, 403);
    }
    let eve = world.stranger().await;
    assert_eq!(problem(rotate_secret(platform, &eve, site, how).await).status, 404);
    assert_eq!(problem(revoke_old_secret(platform, &eve, site).await).status, 404);
    assert!(world.sent_with(site, SECRET).await.unwrap().warning.is_none(), "nothing was changed");
    for role in [Role::Owner, Role::Admin] {
        rotate_secret(platform, &world.with_role(role), site, how).await.unwrap();
        revoke_old_secret(platform, &world.with_role(role), site).await.unwrap();
    }
}
