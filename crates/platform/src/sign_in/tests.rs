//! What holds for signing in, on the real database.

use super::*;
use crate::{
    Signup,
    testing::{self, PASSWORD, problem, registration},
};
use model::views::TotpSetupView;
use serde_json::Value;
use sqlx::PgPool;
use std::{
    net::IpAddr,
    time::{Duration as Span, Instant},
};

const EMAIL: &str = "ada@example.org";

/// An account, and the clock of its tests.
pub(super) struct Ada {
    pub(super) platform: Platform,
    pub(super) actor: Actor,
    pub(super) visit: Visit,
    /// So many mails she was sent before.
    pub(super) mailed: i64,
}

impl Ada {
    pub(super) async fn new(pool: PgPool) -> Self {
        let platform = testing::platform(pool, Signup::Open);
        let made = accounts::register(&platform, registration("Ada")).await.unwrap();
        let actor = accounts::actor(&platform, made.user.id).await.unwrap().unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let mut ada = Self { platform, actor, visit: Visit { origin: Origin::default(), now }, mailed: 0 };
        ada.mailed = ada.mails().await;
        ada
    }

    /// With a second factor, and its recovery codes.
    pub(super) async fn with_totp(pool: PgPool) -> (Self, App, Vec<String>) {
        let mut ada = Self::new(pool).await;
        let setup = totp::begin(&ada.platform, &ada.actor, PASSWORD, ada.visit.now).await.unwrap();
        let app = App::scan(&setup);
        let codes = totp::confirm(&ada.platform, &ada.actor, &app.code(ada.visit.now), ada.visit.now).await.unwrap();
        ada.wait(30);
        (ada, app, codes)
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.visit.now += Duration::seconds(seconds);
    }

    pub(super) async fn begin(&self) -> Pending {
        match begin(&self.platform, EMAIL, PASSWORD, self.visit).await.unwrap() {
            FirstStep::CodeNeeded(pending) => pending,
            FirstStep::Done(user) => panic!("the second step was skipped for {}", user.email),
        }
    }

    async fn finish(&self, code: &str) -> Result<UserView> {
        finish(&self.platform, &self.begin().await, code, self.visit).await
    }

    async fn at_once(&self, code: Option<&str>) -> Result<UserView> {
        at_once(&self.platform, EMAIL, PASSWORD, code, self.visit).await
    }

    /// What was noted: action, who (`true`: Ada herself), details.
    pub(super) async fn audit(&self) -> Vec<(String, bool, Option<Value>)> {
        sqlx::query_as(
            "select action, actor_id is not null, after from audit_entries where target_kind = 'account'
                        order by id",
        )
        .fetch_all(&self.platform.pool)
        .await
        .unwrap()
    }

    pub(super) async fn ways(&self, action: &str) -> Vec<String> {
        let entries = self.audit().await.into_iter().filter(|(it, ..)| it == action);
        entries.filter_map(|(.., details)| Some(details?["way"].as_str()?.to_owned())).collect()
    }

    pub(super) async fn mails(&self) -> i64 {
        let all: i64 = sqlx::query_scalar("select count(*) from mails").fetch_one(&self.platform.pool).await.unwrap();
        all - self.mailed
    }
}

/// The app on the phone.
pub(super) struct App(totp_rs::Totp);

impl App {
    /// By the text; the picture holds the same.
    fn scan(setup: &TotpSetupView) -> Self {
        let secret = totp_rs::Secret::try_from_base32(setup.secret.replace(' ', "")).unwrap();
        assert_eq!(totp_rs::Totp::from_url(&setup.url).unwrap().secret().as_bytes(), secret.as_bytes());
        Self(totp_rs::Builder::new().with_secret(secret).build().unwrap())
    }

    fn code(&self, now: OffsetDateTime) -> String {
        self.0.generate(now.unix_timestamp().unsigned_abs()).to_string()
    }

    /// One that is none of the three that would do.
    fn wrong(&self, now: OffsetDateTime) -> String {
        let near: Vec<_> = (-1..=1).map(|step| self.code(now + Duration::seconds(30 * step))).collect();
        (0..1000).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_second_factor_the_password_is_all(pool: PgPool) {
    let ada = Ada::new(pool).await;
    let done = begin(&ada.platform, " Ada@example.org", PASSWORD, ada.visit).await.unwrap();
    assert!(matches!(done, FirstStep::Done(user) if user.email == EMAIL));
    assert_eq!(ada.at_once(Some("123456")).await.unwrap().email, EMAIL);
    assert_eq!(ada.ways("account.sign_in").await, ["password", "password"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_second_factor_counts_once_a_code_has_confirmed_it(pool: PgPool) {
    let mut ada = Ada::new(pool).await;
    let wrong = totp::begin(&ada.platform, &ada.actor, "not my password", ada.visit.now).await;
    assert_eq!(problem(wrong).errors[0].field, "password");
    let nothing = totp::confirm(&ada.platform, &ada.actor, "123456", ada.visit.now).await;
    assert_eq!(problem(nothing).code, "nothing_begun");

    let setup = totp::begin(&ada.platform, &ada.actor, PASSWORD, ada.visit.now).await.unwrap();
    assert!(setup.url.starts_with("otpauth://totp/WebMeteor:ada%40example.org?"), "{}", setup.url);
    assert!(setup.qr.size > 29 && setup.qr.path.starts_with('M'));
    let app = App::scan(&setup);
    let shown = overview::get(&ada.platform, &ada.actor, ada.visit.now).await.unwrap();
    assert_eq!((shown.second_factor_since, shown.setup.as_ref()), (None, Some(&setup)));
    ada.at_once(None).await.unwrap();
    let refused = totp::confirm(&ada.platform, &ada.actor, &app.wrong(ada.visit.now), ada.visit.now).await;
    assert_eq!(problem(refused).errors[0].field, "code");
    ada.at_once(None).await.unwrap();

    let late = ada.visit.now + Duration::hours(1);
    let refused = totp::confirm(&ada.platform, &ada.actor, &app.code(late), late).await;
    assert_eq!(problem(refused).code, "nothing_begun");
    assert!(overview::get(&ada.platform, &ada.actor, late).await.unwrap().setup.is_none());

    let codes = totp::confirm(&ada.platform, &ada.actor, &app.code(ada.visit.now), ada.visit.now).await.unwrap();
    assert_eq!(codes.len(), 10);
    let shown = overview::get(&ada.platform, &ada.actor, ada.visit.now).await.unwrap();
    assert_eq!((shown.second_factor_since, shown.recovery_codes, shown.setup), (Some(ada.visit.now), 10, None));
    let again = totp::begin(&ada.platform, &ada.actor, PASSWORD, ada.visit.now).await;
    assert_eq!(problem(again).code, "second_factor_on");
    assert_eq!(problem(ada.at_once(None).await).code, "totp_required");
    assert_eq!(
        problem(ada.finish(&app.code(ada.visit.now)).await).code,
        "bad_totp",
        "the code that confirmed it is not good for more"
    );
    ada.wait(30);
    ada.finish(&app.code(ada.visit.now)).await.unwrap();
    assert_eq!(ada.audit().await.iter().filter(|(action, ..)| action == "account.enable_totp").count(), 1);
    assert_eq!(ada.mails().await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_begun_can_be_given_up_and_what_is_on_cannot(pool: PgPool) {
    let ada = Ada::new(pool).await;
    let first = totp::begin(&ada.platform, &ada.actor, PASSWORD, ada.visit.now).await.unwrap();
    totp::abandon(&ada.platform, &ada.actor).await.unwrap();
    assert!(overview::get(&ada.platform, &ada.actor, ada.visit.now).await.unwrap().setup.is_none());
    let second = totp::begin(&ada.platform, &ada.actor, PASSWORD, ada.visit.now).await.unwrap();
    assert_ne!(first.secret, second.secret);
    let now = ada.visit.now;
    totp::confirm(&ada.platform, &ada.actor, &App::scan(&second).code(now), now).await.unwrap();
    totp::abandon(&ada.platform, &ada.actor).await.unwrap();
    assert_eq!(problem(ada.at_once(None).await).code, "totp_required");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_code_is_good_once_and_one_step_early_or_late(pool: PgPool) {
    let (mut ada, app, _) = Ada::with_totp(pool).await;
    ada.wait(300);
    let now = ada.visit.now;
    for far in [-60, 60] {
        assert_eq!(problem(ada.finish(&app.code(now + Duration::seconds(far))).await).code, "bad_totp", "{far}");
    }
    let late = app.code(now - Duration::seconds(30));
    let pending = ada.begin().await;
    finish(&ada.platform, &pending, &late, ada.visit).await.unwrap();
    assert_eq!(problem(finish(&ada.platform, &pending, &late, ada.visit).await).code, "bad_totp");
    let early = app.code(now + Duration::seconds(30));
    ada.at_once(Some(&format!(" {} {} ", &early[..3], &early[3..]))).await.unwrap();
    assert_eq!(problem(ada.finish(&early).await).code, "bad_totp");
    let older = app.code(now);
    assert_eq!(problem(ada.finish(&older).await).code, "bad_totp", "nor is one before it");
    ada.wait(60);
    ada.finish(&app.code(ada.visit.now)).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_code_at_the_same_time_opens_once(pool: PgPool) {
    let (ada, app, _) = Ada::with_totp(pool).await;
    let (code, pending) = (app.code(ada.visit.now), ada.begin().await);
    let one = || finish(&ada.platform, &pending, &code, ada.visit);
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert_eq!([a, b, c].iter().filter(|it| it.is_ok()).count(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn wrong_codes_cost_time_that_grows_and_a_recovery_code_is_taken_at_once(pool: PgPool) {
    let (mut ada, app, recovery) = Ada::with_totp(pool).await;
    ada.wait(300);
    for _ in 0..4 {
        assert_eq!(problem(ada.finish(&app.wrong(ada.visit.now)).await).code, "bad_totp");
    }
    let fifth = problem(ada.finish(&app.wrong(ada.visit.now)).await);
    assert_eq!((fifth.status, fifth.code.as_str(), fifth.retry_after), (429, "totp_locked", Some(30)));
    assert!(fifth.detail.contains("30 seconds"), "{}", fifth.detail);
    let right = app.code(ada.visit.now);
    assert_eq!(problem(ada.finish(&right).await).code, "totp_locked", "not even a right one is looked at");
    assert_eq!(problem(ada.at_once(Some(&right)).await).code, "totp_locked");
    ada.wait(30);
    let sixth = problem(ada.finish(&app.wrong(ada.visit.now)).await);
    assert!(sixth.detail.contains("60 seconds"), "{}", sixth.detail);
    ada.finish(&recovery[0]).await.unwrap();
    ada.finish(&app.code(ada.visit.now)).await.unwrap();
    assert_eq!(problem(ada.finish(&app.wrong(ada.visit.now)).await).code, "bad_totp", "it begins anew");
    assert_eq!(ada.ways("account.fail_sign_in").await.len(), 7);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_recovery_code_is_good_once_and_new_ones_make_the_old_void(pool: PgPool) {
    let (mut ada, app, codes) = Ada::with_totp(pool).await;
    ada.finish(&codes[0].to_uppercase()).await.unwrap();
    assert_eq!(problem(ada.finish(&codes[0]).await).code, "bad_totp");
    ada.at_once(Some(&codes[1].replace('-', " "))).await.unwrap();
    assert_eq!(ada.ways("account.sign_in").await, ["password_and_recovery_code", "password_and_recovery_code"]);
    assert_eq!(ada.mails().await, 3, "turned on, and told of each");
    assert_eq!(overview::get(&ada.platform, &ada.actor, ada.visit.now).await.unwrap().recovery_codes, 8);

    let wrong = app.wrong(ada.visit.now);
    let refused = totp::renew_recovery_codes(&ada.platform, &ada.actor, &wrong, ada.visit.now).await;
    assert_eq!(problem(refused).errors[0].field, "code");
    let now = ada.visit.now;
    let fresh = totp::renew_recovery_codes(&ada.platform, &ada.actor, &app.code(now), now).await.unwrap();
    assert_eq!(problem(ada.finish(&codes[2]).await).code, "bad_totp");
    ada.wait(30);
    ada.finish(&fresh[0]).await.unwrap();
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("select code_hash from recovery_codes").fetch_all(&ada.platform.pool).await.unwrap();
    assert!(stored.iter().all(|hash| !fresh.iter().any(|code| hash == code.replace('-', "").as_bytes())));
}

#[sqlx::test(migrations = "../../migrations")]
async fn it_is_turned_off_with_password_and_code(pool: PgPool) {
    let (ada, app, codes) = Ada::with_totp(pool).await;
    let now = ada.visit.now;
    let off = async |password: &str, code: &str| totp::turn_off(&ada.platform, &ada.actor, password, code, now).await;
    assert_eq!(problem(off("not my password", &app.code(now)).await).errors[0].field, "password");
    assert_eq!(problem(off(PASSWORD, &app.wrong(now)).await).errors[0].field, "code");
    off(PASSWORD, &app.code(now)).await.unwrap();
    ada.at_once(None).await.unwrap();
    assert_eq!(ada.mails().await, 2);
    assert_eq!(problem(off(PASSWORD, &codes[0]).await).code, "second_factor_off");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_second_step_takes_ten_minutes_and_the_password_of_the_first(pool: PgPool) {
    let (mut ada, app, codes) = Ada::with_totp(pool).await;
    let pending = ada.begin().await;
    assert!(is_under_way(&ada.platform, &pending, ada.visit.now).await.unwrap());
    ada.wait(600);
    let late = finish(&ada.platform, &pending, &app.code(ada.visit.now), ada.visit).await;
    assert_eq!(problem(late).code, "sign_in_expired");
    assert!(!is_under_way(&ada.platform, &pending, ada.visit.now).await.unwrap());

    let pending = ada.begin().await;
    accounts::change_password(&ada.platform, &ada.actor, PASSWORD, "seven brass lamps").await.unwrap();
    let void = finish(&ada.platform, &pending, &codes[0], ada.visit).await;
    assert_eq!(problem(void).code, "sign_in_expired");

    let old = begin(&ada.platform, EMAIL, PASSWORD, ada.visit).await;
    assert_eq!(problem(old).code, "bad_credentials", "the code is asked for only after the right password");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_password_alone_opens_only_accounts_without_a_second_factor(pool: PgPool) {
    let (ada, app, _) = Ada::with_totp(pool).await;
    let alone = by_password_alone(&ada.platform, EMAIL, PASSWORD, Origin::default()).await;
    let told = problem(alone);
    assert_eq!((told.status, told.code.as_str()), (403, "second_factor_on"));
    assert!(told.detail.contains("http://localhost:3000/account/tokens"), "{}", told.detail);
    let now = ada.visit.now;
    totp::turn_off(&ada.platform, &ada.actor, PASSWORD, &app.code(now), now).await.unwrap();
    by_password_alone(&ada.platform, EMAIL, PASSWORD, Origin::default()).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_owner_is_known_where_both_steps_were_done_and_not_before(pool: PgPool) {
    let (mut ada, app, _) = Ada::with_totp(pool).await;
    ada.visit.origin.address = Some(IpAddr::from([203, 0, 113, 9]));
    let attack = || {
        for last in 0..=u8::MAX {
            let _ = ada.platform.throttle.sign_in(EMAIL, Some(IpAddr::from([198, 51, 100, last])));
        }
    };
    let pending = ada.begin().await;
    attack();
    let held_up = begin(&ada.platform, EMAIL, PASSWORD, ada.visit).await;
    assert_eq!(problem(held_up).code, "too_many_requests", "the password alone makes nobody known");
    finish(&ada.platform, &pending, &app.code(ada.visit.now), ada.visit).await.unwrap();
    attack();
    ada.begin().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_operator_turns_it_off_for_who_is_locked_out(pool: PgPool) {
    let (ada, ..) = Ada::with_totp(pool).await;
    assert!(totp::rescue(&ada.platform, "Ada@example.org").await.unwrap());
    assert!(!totp::rescue(&ada.platform, EMAIL).await.unwrap());
    assert_eq!(problem(totp::rescue(&ada.platform, "bob@example.org").await).status, 404);
    ada.at_once(None).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn api_tokens_have_nothing_to_do_with_it(pool: PgPool) {
    let (ada, app, _) = Ada::with_totp(pool).await;
    let token = Actor { grant: Some(model::Grant { scopes: model::Scope::ALL.to_vec(), site: None }), ..ada.actor };
    let (platform, now) = (&ada.platform, ada.visit.now);
    let code = app.code(now);
    let refusals = [
        problem(overview::get(platform, &token, now).await),
        problem(totp::begin(platform, &token, PASSWORD, now).await),
        problem(totp::confirm(platform, &token, &code, now).await),
        problem(totp::abandon(platform, &token).await),
        problem(totp::renew_recovery_codes(platform, &token, &code, now).await),
        problem(totp::turn_off(platform, &token, PASSWORD, &code, now).await),
    ];
    assert!(refusals.iter().all(|it| it.code == "token_not_allowed"), "{refusals:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wrong_password_is_noted_where_there_is_an_account(pool: PgPool) {
    let ada = Ada::new(pool).await;
    let address = "2001:db8::7".parse().ok();
    let visit = Visit { origin: Origin { address, token: None }, ..ada.visit };
    for (email, password) in [("bob@example.org", PASSWORD), (EMAIL, "another long one")] {
        let refused = begin(&ada.platform, email, password, visit).await;
        assert_eq!(problem(refused).code, "bad_credentials");
    }
    let deadline = Instant::now() + Span::from_secs(20);
    while ada.ways("account.fail_sign_in").await.is_empty() {
        assert!(Instant::now() < deadline, "nothing was noted");
        tokio::task::yield_now().await;
    }
    assert_eq!(ada.ways("account.fail_sign_in").await, ["password"]);
    let (stranger, from): (bool, String) = sqlx::query_as(
        "select actor_id is null, host(address) from audit_entries where action = 'account.fail_sign_in'",
    )
    .fetch_one(&ada.platform.pool)
    .await
    .unwrap();
    assert_eq!((stranger, from.as_str()), (true, "2001:db8::7"));
}
