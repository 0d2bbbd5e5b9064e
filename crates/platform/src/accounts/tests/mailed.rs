//! What is done by mailed links, and that nothing of it tells who has an account.

use super::*;
use crate::{
    admin,
    mail::{self, Transport},
    passwords::tests::WORK,
};
use model::views::{LinkKind, SignupMode};

/// A platform whose mail reaches people, though nobody sends it here.
fn mailing(pool: PgPool) -> Platform {
    let mut platform = platform(pool, Signup::Open);
    platform.settings.mail.transport = Transport::Folder("/nonexistent/mails".into());
    platform
}

/// To whom, with which subject and which link; those that are meant to be sent, the newest first.
async fn mails(platform: &Platform) -> Vec<(String, String, Option<String>)> {
    let rows: Vec<(model::MailId, String, Vec<u8>)> =
        sqlx::query_as("select id, recipient, sealed from mails where due_at is not null order by id desc")
            .fetch_all(&platform.pool)
            .await
            .unwrap();
    let link = |text: &str| text.lines().find_map(|line| Some(line.split_once("?token=")?.1.to_owned()));
    let read = |(id, to, sealed): (model::MailId, String, Vec<u8>)| {
        let mail = mail::tests::opened(platform, id, &sealed);
        (to, mail.subject, link(&mail.text))
    };
    rows.into_iter().map(read).collect()
}

/// The token of the newest link.
async fn newest(platform: &Platform) -> String {
    mails(platform).await.into_iter().find_map(|(_, _, token)| token).expect("a link was sent")
}

async fn forget_mails(platform: &Platform) {
    sqlx::query("delete from mails").execute(&platform.pool).await.unwrap();
}

/// An account whose address is proved.
async fn verified(platform: &Platform, name: &str) -> (Registered, Actor) {
    let made = create_user(platform, registration(name), false).await.unwrap();
    let actor = actor_of(platform, &made.user).await;
    (made, actor)
}

async fn sign_up_as(platform: &Platform, new: Registration) -> Result<SignedUp> {
    sign_up(platform, &Actor::nobody(), new).await
}

async fn actions(platform: &Platform) -> Vec<(String, String)> {
    sqlx::query_as("select action, actor_name from audit_entries order by id").fetch_all(&platform.pool).await.unwrap()
}

fn is_void<T: std::fmt::Debug>(result: Result<T>) -> bool {
    codes(&told(result)) == [("token", "invalid")]
}

#[sqlx::test(migrations = "../../migrations")]
async fn where_mail_is_sent_an_account_is_made_when_its_link_is_confirmed(pool: PgPool) {
    let platform = mailing(pool);
    assert!(matches!(sign_up_as(&platform, registration("Ada")).await.unwrap(), SignedUp::ConfirmationSent));
    assert_eq!(told(sign_in(&platform, "ada@example.org", PASSWORD).await).status, 401);
    let token = newest(&platform).await;
    let link = look_at_link(&platform, &token).await.unwrap();
    assert_eq!((link.kind, link.email.as_str()), (LinkKind::Register, "ada@example.org"));
    assert_eq!(told(sign_in(&platform, "ada@example.org", PASSWORD).await).status, 401, "it was only opened");
    confirm_link(&platform, &Actor::nobody(), &token).await.unwrap();
    let ada = sign_in(&platform, "ada@example.org", PASSWORD).await.unwrap();
    assert!(ada.email_verified && !ada.is_admin);
    assert_eq!(teams::list(&platform, &actor_of(&platform, &ada).await).await.unwrap()[0].slug, "ada");
    assert!(is_void(confirm_link(&platform, &Actor::nobody(), &token).await));
    assert!(actions(&platform).await.contains(&("account.register".into(), "ada@example.org".into())));
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_is_no_longer_let_in_does_not_come_by_an_earlier_link(pool: PgPool) {
    let platform = mailing(pool);
    let root = Actor { is_admin: true, ..Actor::nobody() };
    create_user(&platform, registration("Root"), true).await.unwrap();
    sign_up_as(&platform, registration("Ada")).await.unwrap();
    let token = newest(&platform).await;
    admin::set_signup(&platform, &root, Some(SignupMode::Invite)).await.unwrap();
    let refused = told(confirm_link(&platform, &Actor::nobody(), &token).await);
    assert_eq!((refused.status, refused.code.as_str()), (403, "signup_closed"));
    admin::set_signup(&platform, &root, None).await.unwrap();
    confirm_link(&platform, &Actor::nobody(), &token).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_that_has_an_account_is_answered_alike_and_told_by_mail(pool: PgPool) {
    let platform = mailing(pool);
    verified(&platform, "Ada").await;
    let (mut work, mut answers) = (Vec::new(), Vec::new());
    for name in ["Ada", "Bob"] {
        let before = WORK.get();
        answers.push(format!("{:?}", sign_up_as(&platform, registration(name)).await.unwrap()));
        work.push(WORK.get() - before);
    }
    assert_eq!(work, [1, 1]);
    assert_eq!(answers[0], answers[1]);
    let sent = mails(&platform).await;
    assert_eq!((sent[0].0.as_str(), sent[0].2.is_some()), ("bob@example.org", true));
    assert_eq!((sent[1].0.as_str(), sent[1].2.is_none()), ("ada@example.org", true));
    assert!(sent[1].1.contains("already"), "{}", sent[1].1);
    sign_in(&platform, "ada@example.org", PASSWORD).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_registrations_with_one_address_the_first_to_be_confirmed_stands(pool: PgPool) {
    let platform = mailing(pool);
    sign_up_as(&platform, registration("Ada")).await.unwrap();
    let first = newest(&platform).await;
    let other = Registration { name: "Eve".into(), password: "another long one".into(), ..registration("Ada") };
    sign_up_as(&platform, other).await.unwrap();
    let second = newest(&platform).await;
    assert_ne!(first, second);
    confirm_link(&platform, &Actor::nobody(), &first).await.unwrap();
    assert!(is_void(confirm_link(&platform, &Actor::nobody(), &second).await));
    assert_eq!(sign_in(&platform, "ada@example.org", PASSWORD).await.unwrap().name, "Ada");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_setup_token_proves_its_holder_even_where_mail_is_sent(pool: PgPool) {
    let platform = mailing(pool);
    let token = ensure_setup_token(&platform).await.unwrap().unwrap();
    let made = sign_up_as(&platform, with_token("Ada", &token)).await.unwrap();
    assert!(matches!(made, SignedUp::Made(made) if made.user.is_admin && made.user.email_verified));
    assert!(mails(&platform).await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_mail_an_account_is_made_at_once_and_its_address_proved_later(pool: PgPool) {
    let platform = platform(pool, Signup::Open);
    let SignedUp::Made(made) = sign_up_as(&platform, registration("Ada")).await.unwrap() else { panic!("not made") };
    assert!(!made.user.email_verified);
    let actor = actor_of(&platform, &made.user).await;
    send_verification(&platform, &actor).await.unwrap();
    let token = newest(&platform).await;
    assert_eq!(look_at_link(&platform, &token).await.unwrap().kind, LinkKind::Verify);
    confirm_link(&platform, &Actor::nobody(), &token).await.unwrap();
    assert!(me(&platform, &actor).await.unwrap().email_verified);
    forget_mails(&platform).await;
    send_verification(&platform, &actor).await.unwrap();
    assert!(mails(&platform).await.is_empty(), "there is nothing to prove any more");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_forgotten_password_is_set_by_a_link_once_and_ends_everything(pool: PgPool) {
    let platform = mailing(pool.clone());
    let (ada, _) = verified(&platform, "Ada").await;
    begin_session(&pool, "ada", ada.user.id).await;
    let pair = tokens::issue(&platform, ada.user.id).await.unwrap();
    request_reset(&platform, " ADA@example.org").await.unwrap();
    let unused = newest(&platform).await;
    request_reset(&platform, "ada@example.org").await.unwrap();
    let token = newest(&platform).await;
    look_at_reset(&platform, &token).await.unwrap();

    let nobody = Actor::nobody();
    let weak = told(confirm_reset(&platform, &nobody, &token, "short").await);
    assert_eq!(codes(&weak), [("password", "length")], "what is refused spends nothing");
    confirm_reset(&platform, &nobody, &token, "seven brass lamps").await.unwrap();
    assert_eq!(told(sign_in(&platform, "ada@example.org", PASSWORD).await).status, 401);
    sign_in(&platform, "ada@example.org", "seven brass lamps").await.unwrap();
    assert!(sessions::get(&mut pool.acquire().await.unwrap(), "ada").await.unwrap().is_none());
    assert!(tokens::refresh(&platform, &pair.refresh_token).await.is_err());
    for used in [&token, &unused] {
        assert!(is_void(confirm_reset(&platform, &nobody, used, "another long one").await));
    }
    assert_eq!(mails(&platform).await[0].1, "Your password was changed");
    assert!(actions(&platform).await.contains(&("account.reset_password".into(), "ada@example.org".into())));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_is_good_for_its_time_and_purpose_and_stored_as_a_hash(pool: PgPool) {
    let platform = mailing(pool.clone());
    verified(&platform, "Ada").await;
    request_reset(&platform, "ada@example.org").await.unwrap();
    let token = newest(&platform).await;
    assert!(is_void(confirm_link(&platform, &Actor::nobody(), &token).await));
    let stored: Vec<String> =
        sqlx::query_scalar("select encode(token_hash, 'hex') from account_links").fetch_all(&pool).await.unwrap();
    assert!(!stored.contains(&token));
    let later = "update account_links set expires_at = expires_at - interval '61 minutes'";
    sqlx::query(later).execute(&pool).await.unwrap();
    assert!(is_void(confirm_reset(&platform, &Actor::nobody(), &token, "seven brass lamps").await));
}

#[sqlx::test(migrations = "../../migrations")]
async fn asking_for_a_link_does_the_same_whether_or_not_there_is_an_account(pool: PgPool) {
    let platform = mailing(pool.clone());
    verified(&platform, "Ada").await;
    for (email, is_known) in [("ada@example.org", true), ("bob@example.org", false), ("no address", false)] {
        forget_mails(&platform).await;
        let before = WORK.get();
        request_reset(&platform, email).await.unwrap();
        assert_eq!(WORK.get(), before, "{email}");
        let rows: i64 = sqlx::query_scalar("select count(*) from mails").fetch_one(&pool).await.unwrap();
        assert_eq!((rows, mails(&platform).await.len()), (1, usize::from(is_known)), "{email}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn signing_in_takes_one_hash_whatever_the_address(pool: PgPool) {
    let platform = mailing(pool);
    verified(&platform, "Ada").await;
    for email in ["ada@example.org", "bob@example.org", "no address"] {
        let before = WORK.get();
        told(sign_in(&platform, email, "another long one").await);
        assert_eq!(WORK.get() - before, 1, "{email}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_is_sent_a_few_mails_an_hour_and_the_answer_stays_the_same(pool: PgPool) {
    let platform = mailing(pool.clone());
    verified(&platform, "Ada").await;
    for _ in 0..8 {
        request_reset(&platform, "ada@example.org").await.unwrap();
    }
    assert_eq!(mails(&platform).await.len(), 5);
    let earlier = "update account_links set created_at = created_at - interval '61 minutes'";
    sqlx::query(earlier).execute(&pool).await.unwrap();
    request_reset(&platform, "ada@example.org").await.unwrap();
    assert_eq!(mails(&platform).await.len(), 6);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_changes_once_it_is_confirmed_and_the_old_one_is_told(pool: PgPool) {
    let platform = mailing(pool);
    let (_, actor) = verified(&platform, "Ada").await;
    let asked = async |email: &str, password: &str| request_email_change(&platform, &actor, email, password).await;
    assert_eq!(codes(&told(asked("nowhere", PASSWORD).await)), [("email", "email")]);
    assert_eq!(codes(&told(asked("ADA@example.org", PASSWORD).await)), [("email", "same")]);
    assert_eq!(codes(&told(asked("new@example.org", "not mine at all").await)), [("password", "wrong")]);
    assert!(mails(&platform).await.is_empty());

    request_reset(&platform, "ada@example.org").await.unwrap();
    let reset = newest(&platform).await;
    asked("new@example.org", PASSWORD).await.unwrap();
    let sent: Vec<_> = mails(&platform).await.into_iter().map(|(to, _, link)| (to, link.is_some())).collect();
    assert_eq!(sent[..2], [("ada@example.org".to_owned(), false), ("new@example.org".to_owned(), true)]);
    assert_eq!(me(&platform, &actor).await.unwrap().email, "ada@example.org");
    confirm_link(&platform, &Actor::nobody(), &newest(&platform).await).await.unwrap();
    let ada = me(&platform, &actor).await.unwrap();
    assert!(ada.email == "new@example.org" && ada.email_verified);
    assert_eq!(mails(&platform).await[0].0, "ada@example.org");
    assert!(is_void(confirm_reset(&platform, &Actor::nobody(), &reset, "seven brass lamps").await));
    let change: (serde_json::Value, serde_json::Value) =
        sqlx::query_as("select before, after from audit_entries where action = 'account.change_email'")
            .fetch_one(&platform.pool)
            .await
            .unwrap();
    assert_eq!(change, (json!({"email": "ada@example.org"}), json!({"email": "new@example.org"})));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_to_an_address_does_not_tell_whether_it_is_taken(pool: PgPool) {
    let platform = mailing(pool);
    let (_, actor) = verified(&platform, "Ada").await;
    verified(&platform, "Bob").await;
    for (email, is_taken) in [("bob@example.org", true), ("free@example.org", false)] {
        forget_mails(&platform).await;
        let before = WORK.get();
        request_email_change(&platform, &actor, email, PASSWORD).await.unwrap();
        assert_eq!(WORK.get() - before, 1, "{email}");
        let sent = mails(&platform).await;
        assert_eq!((sent.len(), sent[1].0.as_str(), sent[1].2.is_none()), (2, email, is_taken));
    }
    // Taken after the link was sent: whoever confirms reads the mail there, and may know.
    let token = newest(&platform).await;
    verified(&platform, "Free").await;
    let taken = told(confirm_link(&platform, &Actor::nobody(), &token).await);
    assert_eq!((taken.status, taken.code.as_str()), (409, "email_taken"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_changed_password_voids_a_change_of_address_that_was_asked_for_with_the_old_one(pool: PgPool) {
    let platform = mailing(pool);
    let (_, actor) = verified(&platform, "Ada").await;
    request_email_change(&platform, &actor, "eve@example.org", PASSWORD).await.unwrap();
    let token = newest(&platform).await;
    change_password(&platform, &actor, PASSWORD, "seven brass lamps").await.unwrap();
    assert!(is_void(confirm_link(&platform, &Actor::nobody(), &token).await));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_concerns_an_account_is_not_for_a_token(pool: PgPool) {
    let platform = mailing(pool);
    let (_, actor) = verified(&platform, "Ada").await;
    let token = Actor { grant: Some(model::Grant { scopes: model::Scope::ALL.to_vec(), site: None }), ..actor };
    let asked = DeleteAccount { email: "ada@example.org".into(), password: PASSWORD.into(), delete_sites: true };
    let unknown = super::super::sessions::Current::Unknown;
    let refused = [
        told(send_verification(&platform, &token).await),
        told(request_email_change(&platform, &token, "x@example.org", PASSWORD).await),
        told(change_password(&platform, &token, PASSWORD, "seven brass lamps").await),
        told(deletion(&platform, &token).await),
        told(delete(&platform, &token, &asked).await),
        told(super::super::sessions::list(&platform, &token, &unknown).await),
        told(super::super::sessions::revoke(&platform, &token, model::SessionId::new()).await),
        told(super::super::sessions::revoke_others(&platform, &token, &unknown).await),
    ];
    assert!(refused.iter().all(|it| it.code == "token_not_allowed"), "{refused:?}");
}
