//! What holds for passkeys, with an authenticator of our own.

use super::{super::tests::Ada, authenticator::Authenticator, *};
use crate::{
    sign_in::FirstStep,
    testing::{PASSWORD, problem, registration},
};
use sqlx::PgPool;

/// Adds a passkey to an account.
async fn register(ada: &Ada, phone: &mut Authenticator, name: &str) -> Result<PasskeyView> {
    let (options, begun) = begin(&ada.platform, &ada.actor, name, PASSWORD, ada.visit.now).await?;
    add(&ada.platform, &ada.actor, begun, &phone.create(&options), ada.visit.now).await
}

async fn sign_in_with(ada: &Ada, phone: &mut Authenticator, first: Option<&Pending>) -> Result<UserView> {
    let (options, asked) = ask(&ada.platform, ada.visit.now)?;
    sign_in(&ada.platform, asked, &phone.get(&options), first, ada.visit).await
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_passkey_signs_in_without_an_address(pool: PgPool) {
    let (ada, mut phone) = (Ada::new(pool).await, Authenticator::new(1));
    let made = register(&ada, &mut phone, "My phone").await.unwrap();
    assert_eq!((made.name.as_str(), made.last_used_at), ("My phone", None));
    assert_eq!(phone.handle, ada.actor.user.unwrap().0.as_bytes());
    assert_eq!(sign_in_with(&ada, &mut phone, None).await.unwrap().email, "ada@example.org");
    sign_in_with(&ada, &mut phone, None).await.unwrap();
    let known = list(&ada.platform, &ada.actor).await.unwrap();
    assert_eq!((known.len(), known[0].last_used_at), (1, Some(ada.visit.now)));
    assert_eq!(ada.ways("account.sign_in").await, ["passkey", "passkey"]);

    remove(&ada.platform, &ada.actor, made.id).await.unwrap();
    assert_eq!(problem(sign_in_with(&ada, &mut phone, None).await).code, "bad_passkey");
    assert_eq!(problem(remove(&ada.platform, &ada.actor, made.id).await).status, 404);
    let noted: Vec<_> = ada.audit().await.into_iter().map(|(action, ..)| action).collect();
    assert!(noted.contains(&"account.add_passkey".into()) && noted.contains(&"account.remove_passkey".into()));
    assert_eq!(ada.mails().await, 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_passkey_is_added_by_who_knows_the_password_and_verifies(pool: PgPool) {
    let (ada, mut phone) = (Ada::new(pool).await, Authenticator::new(1));
    let refused = begin(&ada.platform, &ada.actor, "", "not my password", ada.visit.now).await.map(|_| ());
    assert_eq!(problem(refused).errors[0].field, "name");
    let refused = begin(&ada.platform, &ada.actor, "Phone", "not my password", ada.visit.now).await.map(|_| ());
    assert_eq!(problem(refused).errors[0].field, "password");
    phone.verifies = false;
    assert_eq!(problem(register(&ada, &mut phone, "Phone").await).code, "bad_passkey");
    phone.verifies = true;
    register(&ada, &mut phone, "Phone").await.unwrap();
    assert_eq!(problem(register(&ada, &mut phone, "Again").await).code, "bad_passkey");
    let token = Actor { grant: Some(model::Grant { scopes: Vec::new(), site: None }), ..ada.actor.clone() };
    assert_eq!(problem(list(&ada.platform, &token).await).code, "token_not_allowed");
    let bob = accounts::register(&ada.platform, registration("Bob")).await.unwrap();
    let actor = accounts::actor(&ada.platform, bob.user.id).await.unwrap().unwrap();
    let bob = Ada { actor, ..ada };
    assert_eq!(problem(register(&bob, &mut phone, "Stolen").await).code, "passkey_known");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_challenge_is_for_one_account_and_five_minutes(pool: PgPool) {
    let (mut ada, mut phone) = (Ada::new(pool).await, Authenticator::new(1));
    let bob = accounts::register(&ada.platform, registration("Bob")).await.unwrap();
    let bob = accounts::actor(&ada.platform, bob.user.id).await.unwrap().unwrap();
    let (options, begun) = begin(&ada.platform, &ada.actor, "Phone", PASSWORD, ada.visit.now).await.unwrap();
    let answer = phone.create(&options);
    assert_eq!(problem(add(&ada.platform, &bob, begun, &answer, ada.visit.now).await).code, "sign_in_expired");
    let (options, begun) = begin(&ada.platform, &ada.actor, "Phone", PASSWORD, ada.visit.now).await.unwrap();
    let late = ada.visit.now + CEREMONY;
    assert_eq!(
        problem(add(&ada.platform, &ada.actor, begun, &phone.create(&options), late).await).code,
        "sign_in_expired"
    );
    register(&ada, &mut phone, "Phone").await.unwrap();

    let (options, asked) = ask(&ada.platform, ada.visit.now).unwrap();
    ada.wait(300);
    let late = sign_in(&ada.platform, asked, &phone.get(&options), None, ada.visit).await;
    assert_eq!(problem(late).code, "sign_in_expired");
    // What was signed for one challenge is nothing for the next.
    let (options, _) = ask(&ada.platform, ada.visit.now).unwrap();
    let (_, next) = ask(&ada.platform, ada.visit.now).unwrap();
    let replayed = sign_in(&ada.platform, next, &phone.get(&options), None, ada.visit).await;
    assert_eq!(problem(replayed).code, "bad_passkey");
}

/// What is wrong, and how it comes about.
type Wrong = (&'static str, fn(&mut Authenticator));

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_not_signed_here_by_a_verified_owner_is_refused(pool: PgPool) {
    let ada = Ada::new(pool).await;
    let mut phone = Authenticator::new(1);
    register(&ada, &mut phone, "Phone").await.unwrap();
    let wrong: [Wrong; 6] = [
        ("another site", |it| it.origin = "https://evil.example".into()),
        ("another port", |it| it.origin = "http://localhost:8888".into()),
        ("another host's key", |it| it.host = "evil.example".into()),
        ("unverified", |it| it.verifies = false),
        ("another key", |it| it.key = Authenticator::new(2).key),
        ("another account", |it| it.handle = UserId::new().0.as_bytes().to_vec()),
    ];
    for (what, change) in wrong {
        let mut other = Authenticator { handle: phone.handle.clone(), counter: 10, ..Authenticator::new(1) };
        change(&mut other);
        assert_eq!(problem(sign_in_with(&ada, &mut other, None).await).code, "bad_passkey", "{what}");
    }
    let (_, asked) = ask(&ada.platform, ada.visit.now).unwrap();
    assert_eq!(problem(sign_in(&ada.platform, asked, "{}", None, ada.visit).await).code, "unreadable");
    sign_in_with(&ada, &mut phone, None).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_counter_that_goes_back_tells_a_copy(pool: PgPool) {
    let (ada, mut phone) = (Ada::new(pool).await, Authenticator::new(1));
    register(&ada, &mut phone, "Phone").await.unwrap();
    let mut copy = Authenticator { handle: phone.handle.clone(), counter: phone.counter, ..Authenticator::new(1) };
    sign_in_with(&ada, &mut phone, None).await.unwrap();
    assert_eq!(problem(sign_in_with(&ada, &mut copy, None).await).code, "passkey_copied");
    assert_eq!(ada.ways("account.fail_sign_in").await, ["passkey"]);
    sign_in_with(&ada, &mut phone, None).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn it_is_a_second_step_for_its_own_account(pool: PgPool) {
    let (ada, ..) = Ada::with_totp(pool).await;
    let mut phone = Authenticator::new(1);
    register(&ada, &mut phone, "Phone").await.unwrap();
    let pending = ada.begin().await;
    sign_in_with(&ada, &mut phone, Some(&pending)).await.unwrap();
    assert_eq!(ada.ways("account.sign_in").await, ["password_and_passkey"]);
    sign_in_with(&ada, &mut phone, None).await.unwrap();

    let bob = accounts::register(&ada.platform, registration("Bob")).await.unwrap();
    let actor = accounts::actor(&ada.platform, bob.user.id).await.unwrap().unwrap();
    let mut other = Authenticator::new(2);
    let bob = Ada { actor, ..ada };
    register(&bob, &mut other, "Bob's").await.unwrap();
    assert_eq!(problem(sign_in_with(&bob, &mut other, Some(&pending)).await).code, "passkey_of_another");
    let done = crate::sign_in::begin(&bob.platform, "bob@example.org", PASSWORD, bob.visit).await.unwrap();
    assert!(matches!(done, FirstStep::Done(_)), "a passkey alone makes no second factor of the password");
}

#[sqlx::test(migrations = "../../migrations")]
async fn there_are_none_where_the_platform_has_no_name(pool: PgPool) {
    let mut ada = Ada::new(pool).await;
    assert!(are_possible(&ada.platform));
    ada.platform.settings.public_url = "http://127.0.0.1:3000".into();
    assert!(!are_possible(&ada.platform));
    assert_eq!(problem(ask(&ada.platform, ada.visit.now).map(|_| ())).code, "passkeys_impossible");
}
