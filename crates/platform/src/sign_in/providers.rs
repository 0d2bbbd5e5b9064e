//! Signing in with an account at another provider: GitHub, Google, or whatever speaks OpenID Connect.
//!
//! A [`Journey`] to the provider begins and ends in one browser: what it began with is kept for the visitor on the server,
//! is taken out before the answer is judged, and is good for ten minutes. Whom the provider means is told by issuer and
//! subject, never by an address; an address that has an account here is linked by nobody but who is signed in to it.

mod github;
mod http;
mod oidc;

use super::{Visit, notice, signed_in};
use crate::{
    Error, Platform, Result, Signup, access,
    accounts::{self, Registered},
    admin,
    settings::{Provider, ProviderKind},
    vault::random_secret,
};
use model::{
    Actor, Problem, UserId,
    names::{DisplayName, Email},
    views::{IdentityView, ProviderView, UserView},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use store::{
    identities::{self as rows, IdentityRow, NewIdentity},
    users,
};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

/// How long somebody may be away.
const JOURNEY: Duration = Duration::minutes(10);

/// Somebody is at a provider. Kept where only the server can read and write.
#[derive(Serialize, Deserialize)]
pub struct Journey {
    provider: String,
    /// Comes back with the answer.
    state: String,
    /// Comes back inside the provider's signed word.
    nonce: String,
    /// What the code is given out for (RFC 7636).
    verifier: String,
    /// To link the provider's account to this one here, and not to sign in.
    link: Option<UserId>,
    /// Where to go afterwards.
    pub next: String,
    until: OffsetDateTime,
}

/// What the browser brings back.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Answer {
    /// The journey's.
    #[serde(default)]
    pub state: String,
    /// For the provider, in exchange for who it is.
    #[serde(default)]
    pub code: String,
    /// Why there is no code.
    #[serde(default)]
    pub error: String,
}

/// What came of a journey.
#[derive(Debug)]
pub enum Arrival {
    /// To be signed in.
    SignedIn(UserView),
    /// The provider's account is linked.
    Linked,
}

/// Whom a provider means.
struct Person {
    issuer: String,
    subject: String,
    /// One that the provider has verified.
    email: Option<Email>,
    name: Option<String>,
}

/// The providers that there are.
pub fn list(platform: &Platform) -> Vec<ProviderView> {
    let providers = platform.settings.providers.iter();
    providers.map(|it| ProviderView { key: it.key.to_owned(), label: it.label.clone() }).collect()
}

/// Where to send the browser to sign in with this provider, or to link its account to the caller's.
///
/// # Errors
/// 404 for a provider that there is not; 502 `provider_failed`; 403 for an API token.
pub async fn begin(
    platform: &Platform,
    key: &str,
    link: Option<&Actor>,
    next: &str,
    now: OffsetDateTime,
) -> Result<(String, Journey)> {
    let provider = provider(platform, key)?;
    if let Some(actor) = link {
        access::in_person(actor)?;
    }
    let journey = Journey {
        provider: provider.key.to_owned(),
        state: random_secret(),
        nonce: random_secret(),
        verifier: random_secret(),
        link: link.map(|actor| actor.user.ok_or_else(Problem::unauthenticated)).transpose()?,
        next: next.to_owned(),
        until: now + JOURNEY,
    };
    let url = match &provider.kind {
        ProviderKind::GitHub => Ok(github::way(platform, provider, &journey)),
        ProviderKind::OpenId { issuer } => oidc::way(platform, provider, issuer, &journey).await,
    };
    Ok((url.map_err(|error| failed(provider, &error))?, journey))
}

/// Judges what the browser brought back.
///
/// # Errors
/// 403 `bad_state` for an answer that belongs to no journey of this browser; 403 `provider_refused`; 502
/// `provider_failed`; to sign in: 403 `email_unverified`, `signup_closed`, 409 `account_exists`; to link: 409
/// `identity_taken`, `identity_known`.
pub async fn finish(
    platform: &Platform,
    journey: Journey,
    actor: Option<&Actor>,
    key: &str,
    answer: &Answer,
    visit: Visit,
) -> Result<Arrival> {
    let same = bool::from(journey.state.as_bytes().ct_eq(answer.state.as_bytes()));
    if !same || journey.provider != key || visit.now >= journey.until {
        return Err(bad_state().into());
    }
    let provider = provider(platform, key)?;
    if !answer.error.is_empty() {
        return Err(refused(provider, &answer.error).into());
    }
    let person = match &provider.kind {
        ProviderKind::GitHub => github::person(platform, provider, &journey, &answer.code).await,
        ProviderKind::OpenId { issuer } => oidc::person(platform, provider, issuer, &journey, &answer.code).await,
    };
    let person = person.map_err(|error| failed(provider, &error))?;
    match journey.link {
        Some(user) => {
            let actor = actor.filter(|actor| actor.user == Some(user)).ok_or_else(bad_state)?;
            link(platform, provider, actor, &person).await?;
            Ok(Arrival::Linked)
        }
        None => Ok(Arrival::SignedIn(sign_in(platform, provider, &person, visit).await?)),
    }
}

/// The caller's accounts at providers.
///
/// # Errors
/// 403 for an API token.
pub async fn identities(platform: &Platform, actor: &Actor) -> Result<Vec<IdentityView>> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let rows = rows::of_user(&mut *platform.pool.acquire().await?, user).await?;
    Ok(rows.into_iter().map(|row| view(platform, row)).collect())
}

/// Takes the account at a provider off the caller's, if there is another way to sign in.
///
/// # Errors
/// 404; 409 `last_way`; 403 for an API token.
pub async fn unlink(platform: &Platform, actor: &Actor, key: &str) -> Result<()> {
    access::in_person(actor)?;
    let user = accounts::own_account(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    users::lock(&mut tx, user.id).await?;
    let row = rows::remove(&mut tx, user.id, key).await?.ok_or_else(|| Problem::not_found("linked account"))?;
    super::expect_a_way(platform, &mut tx, user.id).await?;
    let subject = format!("An account at {} was unlinked from your account", view(platform, row).label);
    let details = json!({ "provider": key });
    notice::changed(platform, &mut tx, actor, &user, "account.unlink_provider", &subject, details).await?;
    tx.commit().await?;
    Ok(())
}

async fn sign_in(platform: &Platform, provider: &Provider, person: &Person, visit: Visit) -> Result<UserView> {
    let mut tx = platform.pool.begin().await?;
    if let Some(id) = rows::used(&mut tx, &person.issuer, &person.subject, visit.now).await? {
        let user = users::get(&mut tx, id).await?.ok_or_else(Problem::unauthenticated)?;
        signed_in(&mut tx, &user, visit.origin, provider.key).await?;
        tx.commit().await?;
        platform.throttle.signed_in(&user.email, visit.origin.address);
        return Ok(accounts::view(user));
    }
    let email = person.email.as_ref().ok_or_else(|| {
        let detail = format!("{} has not verified your e-mail address; do that there first.", provider.label);
        Problem::new(403, "email_unverified", detail)
    })?;
    if users::find_by_email(&mut tx, email.as_str()).await?.is_some() {
        let detail = format!(
            "There is an account with the address {email}. Sign in to it as you always do, then link {} under Account, \
             Security.",
            provider.label
        );
        return Err(Problem::conflict("account_exists", detail).into());
    }
    if admin::mode(platform, &mut tx).await? != Signup::Open {
        return Err(accounts::signup_closed().into());
    }
    let name = person.name.as_deref().and_then(|name| DisplayName::parse(name).ok());
    let name = match name {
        Some(name) => name,
        None => DisplayName::parse(email.as_str().split('@').next().unwrap_or_default())
            .map_err(|e| Problem::new(422, "invalid_input", e.message))?,
    };
    let stranger = Actor { origin: visit.origin, ..Actor::nobody() };
    let Registered { user, .. } = accounts::insert_without_password(&mut tx, &stranger, email, &name).await?;
    insert(&mut tx, provider, user.id, person).await?;
    let account = users::get(&mut tx, user.id).await?.ok_or_else(Problem::unauthenticated)?;
    signed_in(&mut tx, &account, visit.origin, provider.key).await?;
    tx.commit().await?;
    platform.throttle.signed_in(&user.email, visit.origin.address);
    Ok(user)
}

async fn link(platform: &Platform, provider: &Provider, actor: &Actor, person: &Person) -> Result<()> {
    let user = accounts::own_account(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    insert(&mut tx, provider, user.id, person).await?;
    let subject = format!("An account at {} was linked to your account", provider.label);
    let details = json!({ "provider": provider.key });
    notice::changed(platform, &mut tx, actor, &user, "account.link_provider", &subject, details).await?;
    tx.commit().await?;
    Ok(())
}

async fn insert(conn: &mut PgConnection, provider: &Provider, user: UserId, person: &Person) -> Result<()> {
    let new = NewIdentity {
        issuer: &person.issuer,
        subject: &person.subject,
        provider: provider.key,
        email: person.email.as_ref().map(Email::as_str).unwrap_or_default(),
    };
    let done = rows::insert(conn, user, new).await.map_err(Error::from);
    done.map(|_| ()).map_err(|error| match error.constraint() {
        Some(rows::KEY) => {
            let detail = format!("This account at {} is linked to an account here already.", provider.label);
            Problem::conflict("identity_taken", detail).into()
        }
        Some(rows::OF_USER_KEY) => {
            let detail = format!("Another account at {} is linked to yours; unlink it first.", provider.label);
            Problem::conflict("identity_known", detail).into()
        }
        _ => error,
    })
}

fn provider<'a>(platform: &'a Platform, key: &str) -> Result<&'a Provider> {
    let found = platform.settings.providers.iter().find(|it| it.key == key);
    Ok(found.ok_or_else(|| Problem::not_found("provider"))?)
}

/// Where the provider sends the browser back: exactly what was registered there.
fn redirect_uri(platform: &Platform, provider: &Provider) -> String {
    format!("{}/sign-in/with/{}/back", platform.settings.public_url, provider.key)
}

fn view(platform: &Platform, row: IdentityRow) -> IdentityView {
    let label = platform.settings.providers.iter().find(|it| it.key == row.provider).map(|it| it.label.clone());
    IdentityView {
        label: label.unwrap_or_else(|| row.provider.clone()),
        provider: row.provider,
        email: row.email,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    }
}

fn bad_state() -> Problem {
    let detail = "This answer is not to a question of yours, was given before, or came too late; begin once more.";
    Problem::new(403, "bad_state", detail)
}

/// What the provider's error means (RFC 6749, section 4.1.2.1); its own words are a stranger's and are not shown.
fn refused(provider: &Provider, error: &str) -> Problem {
    let label = &provider.label;
    tracing::info!(provider = provider.key, error = error.get(..40).unwrap_or(error), "a provider refused");
    let detail = match error {
        "access_denied" => {
            format!("{label} was not allowed to tell who you are. Begin once more, or sign in another way.")
        }
        "temporarily_unavailable" | "server_error" => format!("{label} has trouble just now; try again in a moment."),
        _ => format!("{label} refused. Tell the operator of this platform; its log says why."),
    };
    Problem::new(403, "provider_refused", detail)
}

/// What went wrong between the provider and us, which only the log may know.
fn failed(provider: &Provider, error: &anyhow::Error) -> Problem {
    tracing::warn!(provider = provider.key, error = format!("{error:#}"), "a sign-in with a provider failed");
    let detail = format!("{} did not tell who you are. Try again, or sign in another way.", provider.label);
    Problem::new(502, "provider_failed", detail)
}

#[cfg(test)]
mod tests;
