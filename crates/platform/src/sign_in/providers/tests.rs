//! What holds for signing in with a provider, against one that really signs, and that can be told to misbehave.

mod provider;

use super::{
    super::{passkeys, tests::Ada},
    *,
};
use crate::{settings::Settings, testing::problem};
use provider::{Mock, Quirk};
use sqlx::PgPool;
use url::Url;

fn visit(mock: &Mock, url: &str) -> Answer {
    let (state, code) = mock.visit(url);
    Answer { state, code, error: String::new() }
}

/// Makes it one of the platform's.
fn join(mock: &Mock, settings: &mut Settings) {
    let url: Url = mock.base.parse().unwrap();
    settings.github = forge::report::GitHub { url: url.clone(), api: url };
    let kind = match mock.kind {
        "github" => ProviderKind::GitHub,
        _ => ProviderKind::OpenId { issuer: mock.base.clone() },
    };
    let (client_id, client_secret) = (provider::CLIENT.to_owned(), provider::SECRET.to_owned().into());
    settings.providers =
        vec![Provider { key: mock.kind, label: "The provider".into(), kind, client_id, client_secret }];
}

/// Goes to the provider and comes back.
async fn travel(ada: &Ada, mock: &Mock, link: Option<&Actor>) -> Result<Arrival> {
    let (url, journey) = begin(&ada.platform, mock.kind, link, "/sites", ada.visit.now).await?;
    let answer = visit(mock, &url);
    finish(&ada.platform, journey, link, mock.kind, &answer, ada.visit).await
}

async fn sign_in_at(ada: &Ada, mock: &Mock) -> Result<UserView> {
    match travel(ada, mock, None).await? {
        Arrival::SignedIn(user) => Ok(user),
        Arrival::Linked => panic!("nothing was to be linked"),
    }
}

/// With this provider and none of the accounts that it knows.
async fn stage(pool: PgPool, kind: &str) -> (Ada, Mock) {
    let mut ada = Ada::new(pool).await;
    // The provider checks the time itself.
    ada.visit.now = OffsetDateTime::now_utc();
    let mock = Mock::start(kind, "http://localhost:3000").await;
    join(&mock, &mut ada.platform.settings);
    (ada, mock)
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_first_sign_in_with_a_verified_address_makes_an_account(pool: PgPool) {
    for kind in ["oidc", "github"] {
        sqlx::query("truncate users cascade").execute(&pool).await.unwrap();
        let (ada, mock) = stage(pool.clone(), kind).await;
        let made = sign_in_at(&ada, &mock).await.unwrap();
        assert_eq!((made.email.as_str(), made.name.as_str()), ("grace@example.org", "Grace Hopper"), "{kind}");
        let actor = accounts::actor(&ada.platform, made.id).await.unwrap().unwrap();
        assert_eq!(actor.memberships.len(), 1, "it has a team of its own");
        assert_eq!(sign_in_at(&ada, &mock).await.unwrap().id, made.id, "the next time it is the same account");
        mock.tell(|it| it.email = "renamed@example.org".into());
        assert_eq!(sign_in_at(&ada, &mock).await.unwrap().id, made.id, "whatever its address is there");
        let ways = ada.ways("account.sign_in").await;
        assert_eq!(ways.iter().filter(|way| *way == kind).count(), 3, "{ways:?}");
        assert_eq!(mock.mistakes(), [""; 0], "{kind}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_that_has_an_account_is_linked_by_its_owner_alone(pool: PgPool) {
    for kind in ["oidc", "github"] {
        sqlx::query("truncate users cascade").execute(&pool).await.unwrap();
        let (ada, mock) = stage(pool.clone(), kind).await;
        mock.tell(|it| it.email = "ada@example.org".into());
        let refused = problem(sign_in_at(&ada, &mock).await);
        assert_eq!((refused.status, refused.code.as_str()), (409, "account_exists"));
        assert!(matches!(travel(&ada, &mock, Some(&ada.actor)).await.unwrap(), Arrival::Linked));
        assert_eq!(sign_in_at(&ada, &mock).await.unwrap().id, ada.actor.user.unwrap());
        let known = identities(&ada.platform, &ada.actor).await.unwrap();
        assert_eq!((known[0].provider.as_str(), known[0].email.as_str()), (kind, "ada@example.org"));
        assert_eq!(problem(travel(&ada, &mock, Some(&ada.actor)).await).code, "identity_taken");
        mock.tell(|it| it.subject = "4711".into());
        assert_eq!(problem(travel(&ada, &mock, Some(&ada.actor)).await).code, "identity_known");

        unlink(&ada.platform, &ada.actor, kind).await.unwrap();
        assert_eq!(problem(unlink(&ada.platform, &ada.actor, kind).await).status, 404);
        assert_eq!(problem(sign_in_at(&ada, &mock).await).code, "account_exists");
        assert_eq!(ada.mails().await, 2);
        sqlx::query("truncate mails").execute(&pool).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_unverified_address_and_a_closed_door_make_no_account(pool: PgPool) {
    for kind in ["oidc", "github"] {
        sqlx::query("truncate users cascade").execute(&pool).await.unwrap();
        let (mut ada, mock) = stage(pool.clone(), kind).await;
        mock.tell(|it| it.quirk = Some(Quirk::Unverified));
        assert_eq!(problem(sign_in_at(&ada, &mock).await).code, "email_unverified");
        mock.tell(|it| it.quirk = None);
        ada.platform.settings.signup = Signup::Invite;
        assert_eq!(problem(sign_in_at(&ada, &mock).await).code, "signup_closed");
        assert!(matches!(travel(&ada, &mock, Some(&ada.actor)).await.unwrap(), Arrival::Linked));
        sign_in_at(&ada, &mock).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_provider_did_not_sign_for_this_journey_is_refused(pool: PgPool) {
    let (ada, mock) = stage(pool, "oidc").await;
    for quirk in [
        Quirk::WrongNonce,
        Quirk::WrongAudience,
        Quirk::WrongIssuer,
        Quirk::Expired,
        Quirk::OtherKey,
        Quirk::Unsigned,
        Quirk::NoToken,
        Quirk::OtherUserInfo,
    ] {
        mock.tell(|it| it.quirk = Some(quirk));
        let refused = problem(sign_in_at(&ada, &mock).await);
        assert_eq!((refused.status, refused.code.as_str()), (502, "provider_failed"), "{quirk:?}");
        assert!(!refused.detail.contains("nonce"), "{quirk:?}: {}", refused.detail);
    }
    let known: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&ada.platform.pool).await.unwrap();
    assert_eq!(known, 1);
    mock.tell(|it| it.quirk = None);
    sign_in_at(&ada, &mock).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_answer_belongs_to_one_journey_of_one_browser(pool: PgPool) {
    let (ada, mock) = stage(pool, "oidc").await;
    let (url, journey) = begin(&ada.platform, "oidc", None, "/sites", ada.visit.now).await.unwrap();
    let answer = visit(&mock, &url);
    let forged = Answer { state: "another".into(), ..answer.clone() };
    let refused = finish(&ada.platform, journey, None, "oidc", &forged, ada.visit).await;
    assert_eq!(problem(refused).code, "bad_state");

    // The code of one journey is nothing in another: PKCE and the nonce tell.
    let (_, other) = begin(&ada.platform, "oidc", None, "/sites", ada.visit.now).await.unwrap();
    let mixed = Answer { state: other.state.clone(), ..answer };
    assert_eq!(problem(finish(&ada.platform, other, None, "oidc", &mixed, ada.visit).await).code, "provider_failed");

    let (url, journey) = begin(&ada.platform, "oidc", None, "/sites", ada.visit.now).await.unwrap();
    let answer = visit(&mock, &url);
    let late = Visit { now: ada.visit.now + JOURNEY, ..ada.visit };
    assert_eq!(problem(finish(&ada.platform, journey, None, "oidc", &answer, late).await).code, "bad_state");

    // What was begun to link is finished by who began it, signed in.
    let (url, journey) = begin(&ada.platform, "oidc", Some(&ada.actor), "/", ada.visit.now).await.unwrap();
    let answer = visit(&mock, &url);
    assert_eq!(problem(finish(&ada.platform, journey, None, "oidc", &answer, ada.visit).await).code, "bad_state");
    assert_eq!(problem(begin(&ada.platform, "nobody", None, "/", ada.visit.now).await.map(|_| ())).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_provider_s_own_words_are_not_shown(pool: PgPool) {
    let (ada, _mock) = stage(pool, "oidc").await;
    for (error, words) in [("access_denied", "was not allowed"), ("<b>evil</b>", "refused. Tell the operator")] {
        let (_, journey) = begin(&ada.platform, "oidc", None, "/sites", ada.visit.now).await.unwrap();
        let answer = Answer { state: journey.state.clone(), error: error.into(), ..Answer::default() };
        let told = problem(finish(&ada.platform, journey, None, "oidc", &answer, ada.visit).await);
        assert_eq!(told.code, "provider_refused");
        assert!(told.detail.contains(words) && !told.detail.contains("evil"), "{}", told.detail);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_last_way_to_sign_in_stays(pool: PgPool) {
    let (ada, mock) = stage(pool, "oidc").await;
    let made = sign_in_at(&ada, &mock).await.unwrap();
    let grace = accounts::actor(&ada.platform, made.id).await.unwrap().unwrap();
    assert_eq!(problem(unlink(&ada.platform, &grace, "oidc").await).code, "last_way");

    // A passkey is one, and needs no password where there is none.
    let grace = Ada { actor: grace, ..ada };
    let mut phone = passkeys::authenticator::Authenticator::new(1);
    let (options, begun) = passkeys::begin(&grace.platform, &grace.actor, "Phone", "", grace.visit.now).await.unwrap();
    let answer = phone.create(&options);
    let phone = passkeys::add(&grace.platform, &grace.actor, begun, &answer, grace.visit.now).await.unwrap();
    unlink(&grace.platform, &grace.actor, "oidc").await.unwrap();
    assert_eq!(problem(passkeys::remove(&grace.platform, &grace.actor, phone.id).await).code, "last_way");

    // So is a password, which a reset makes.
    accounts::reset_password(&grace.platform, "grace@example.org").await.unwrap();
    passkeys::remove(&grace.platform, &grace.actor, phone.id).await.unwrap();
}
