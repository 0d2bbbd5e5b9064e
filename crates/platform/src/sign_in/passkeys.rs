//! Passkeys: adding one to an account, and signing in with one, as the only step or as the second.
//!
//! The challenge of a ceremony stands in what is kept for the visitor on the server, is taken out before it is judged,
//! and is good for five minutes. User verification is asked for always, so a passkey is two factors by itself.

use super::{Pending, Visit, expect_a_way, notice, password, signed_in};
use crate::{Error, Platform, Result, access, accounts};
use model::{
    Actor, PasskeyId, Problem, UserId,
    names::DisplayName,
    views::{PasskeyView, UserView},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration as Span;
use store::{
    passkeys::{self as rows, PasskeyRow},
    users,
};
use time::{Duration, OffsetDateTime};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Webauthn, WebauthnBuilder, WebauthnError,
};

/// How long a challenge is good for.
pub const CEREMONY: Duration = Duration::minutes(5);
/// So many an account may have.
const MOST: usize = 20;

/// A passkey that is being added. Kept where only the server can read and write.
#[derive(Serialize, Deserialize)]
pub struct Registering {
    user: UserId,
    name: String,
    state: PasskeyRegistration,
    until: OffsetDateTime,
}

/// Somebody was asked for a passkey. Kept where only the server can read and write.
#[derive(Serialize, Deserialize)]
pub struct Asking {
    state: DiscoverableAuthentication,
    until: OffsetDateTime,
}

/// Passkeys belong to a host's name, so there are none where the platform is reached by an IP address.
pub fn are_possible(platform: &Platform) -> bool {
    Url::parse(&platform.settings.public_url).is_ok_and(|url| url.domain().is_some())
}

/// Begins to add a passkey to the caller's account: what the browser's `navigator.credentials.create` is to be given, as
/// JSON (`{"publicKey": …}`), and what [`add`] has to be given. An account without a password is not asked for one.
///
/// # Errors
/// 422 for the fields `name` and `password`; 409 `passkeys_impossible`, `too_many_passkeys`; 403 for an API token.
pub async fn begin(
    platform: &Platform,
    actor: &Actor,
    name: &str,
    password: &str,
    now: OffsetDateTime,
) -> Result<(Value, Registering)> {
    access::in_person(actor)?;
    let user = accounts::own_account(platform, actor).await?;
    let webauthn = webauthn(platform)?;
    let name = DisplayName::parse(name).map_err(|e| Problem::invalid("name", e.code, e.message))?;
    if user.has_password {
        password::confirm(&user, password).await?;
    }
    let known = rows::of_user(&mut *platform.pool.acquire().await?, user.id).await?;
    if known.len() >= MOST {
        let detail = format!("An account has {MOST} passkeys at most; remove one first.");
        return Err(Problem::conflict("too_many_passkeys", detail).into());
    }
    let known = known.into_iter().map(|row| row.credential_id).collect();
    let (options, state) = webauthn
        .start_passkey_registration(user.id.0, &user.email, &user.name, Some(known))
        .map_err(|error| anyhow::anyhow!("a passkey's challenge: {error}"))?;
    let mut options = serde_json::to_value(options).map_err(anyhow::Error::from)?;
    // One that the browser finds by itself signs in without an address being typed.
    let choice = &mut options["publicKey"]["authenticatorSelection"];
    choice["residentKey"] = json!("required");
    choice["requireResidentKey"] = json!(true);
    Ok((options, Registering { user: user.id, name: name.as_str().to_owned(), state, until: now + CEREMONY }))
}

/// Adds a passkey: `answer` is what the browser made, as JSON.
///
/// # Errors
/// 422 `bad_passkey`; 409 `passkey_known`; 403 for an API token, and for another account than the one that began.
pub async fn add(
    platform: &Platform,
    actor: &Actor,
    begun: Registering,
    answer: &str,
    now: OffsetDateTime,
) -> Result<PasskeyView> {
    access::in_person(actor)?;
    let user = accounts::own_account(platform, actor).await?;
    if begun.user != user.id || now >= begun.until {
        return Err(took_too_long().into());
    }
    let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).map_err(|_| unreadable())?;
    let passkey = webauthn(platform)?.finish_passkey_registration(&answer, &begun.state).map_err(|error| {
        tracing::info!(%error, user = %user.id, "a passkey was not accepted");
        let detail = "This passkey cannot be used. It has to verify you, by a fingerprint, your face or a PIN.";
        Problem::new(422, "bad_passkey", detail)
    })?;
    let credential = serde_json::to_value(&passkey).map_err(anyhow::Error::from)?;
    let mut tx = platform.pool.begin().await?;
    let row = rows::insert(&mut tx, user.id, &begun.name, passkey.cred_id(), &credential).await.map_err(known)?;
    let subject = "A passkey was added to your account";
    let details = json!({ "passkey": row.name });
    notice::changed(platform, &mut tx, actor, &user, "account.add_passkey", subject, details).await?;
    tx.commit().await?;
    Ok(view(row))
}

/// The caller's passkeys, the oldest first.
///
/// # Errors
/// 403 for an API token.
pub async fn list(platform: &Platform, actor: &Actor) -> Result<Vec<PasskeyView>> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let rows = rows::of_user(&mut *platform.pool.acquire().await?, user).await?;
    Ok(rows.into_iter().map(view).collect())
}

/// Takes a passkey off the caller's account.
///
/// # Errors
/// 404; 409 `last_way`; 403 for an API token.
pub async fn remove(platform: &Platform, actor: &Actor, id: PasskeyId) -> Result<()> {
    access::in_person(actor)?;
    let user = accounts::own_account(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    users::lock(&mut tx, user.id).await?;
    let row = rows::remove(&mut tx, user.id, id).await?.ok_or_else(|| Problem::not_found("passkey"))?;
    expect_a_way(platform, &mut tx, user.id).await?;
    let subject = "A passkey was removed from your account";
    let details = json!({ "passkey": row.name });
    notice::changed(platform, &mut tx, actor, &user, "account.remove_passkey", subject, details).await?;
    tx.commit().await?;
    Ok(())
}

/// Asks for a passkey, whoever it is: what `navigator.credentials.get` is to be given, as JSON, and what [`sign_in`] has
/// to be given.
///
/// # Errors
/// 409 `passkeys_impossible`.
pub fn ask(platform: &Platform, now: OffsetDateTime) -> Result<(Value, Asking)> {
    let (options, state) = webauthn(platform)?
        .start_discoverable_authentication()
        .map_err(|error| anyhow::anyhow!("a passkey's challenge: {error}"))?;
    let options = serde_json::to_value(options).map_err(anyhow::Error::from)?;
    // Asked for by a button, and not beside a field.
    Ok((json!({ "publicKey": options["publicKey"] }), Asking { state, until: now + CEREMONY }))
}

/// Signs in with a passkey: `answer` is what the browser signed, as JSON. After a first step it has to be of that account.
///
/// # Errors
/// 401 `bad_passkey`, `passkey_copied`, `passkey_of_another`, `sign_in_expired`.
pub async fn sign_in(
    platform: &Platform,
    asked: Asking,
    answer: &str,
    first: Option<&Pending>,
    visit: Visit,
) -> Result<UserView> {
    if visit.now >= asked.until {
        return Err(took_too_long().into());
    }
    let webauthn = webauthn(platform)?;
    let answer: PublicKeyCredential = serde_json::from_str(answer).map_err(|_| unreadable())?;
    let (owner, credential_id) = webauthn.identify_discoverable_authentication(&answer).map_err(|_| bad())?;
    let mut tx = platform.pool.begin().await?;
    if let Some(first) = first
        && first.account(&mut tx, visit.now).await?.id.0 != owner
    {
        let detail = "This passkey is of another account than the password. Choose another one, or begin again.";
        return Err(Problem::new(401, "passkey_of_another", detail).into());
    }
    let user = users::get(&mut tx, UserId(owner)).await?.ok_or_else(bad)?;
    let row = rows::lock(&mut tx, user.id, credential_id).await?.ok_or_else(bad)?;
    let mut passkey: Passkey = serde_json::from_value(row.credential).map_err(anyhow::Error::from)?;
    let result = match webauthn.finish_discoverable_authentication_v2(&answer, asked.state, &passkey) {
        Ok(result) => result,
        Err(error) => {
            tracing::info!(%error, user = %user.id, "a passkey was refused");
            notice::refused(&mut tx, &user, visit.origin, "passkey").await?;
            tx.commit().await?;
            return Err(refusal(&error).into());
        }
    };
    passkey.update_credential(&result);
    let credential = serde_json::to_value(&passkey).map_err(anyhow::Error::from)?;
    rows::used(&mut tx, row.id, &credential, visit.now).await?;
    let way = if first.is_some() { "password_and_passkey" } else { "passkey" };
    signed_in(&mut tx, &user, visit.origin, way).await?;
    tx.commit().await?;
    platform.throttle.signed_in(&user.email, visit.origin.address);
    Ok(accounts::view(user))
}

/// Passkeys of this platform: of the host of its public address, asked for on its pages alone.
fn webauthn(platform: &Platform) -> Result<Webauthn> {
    let impossible = || {
        let detail = "Passkeys need a host name: the operator has to set WEBMETEOR_PUBLIC_URL to one.";
        Problem::conflict("passkeys_impossible", detail)
    };
    let origin = Url::parse(&platform.settings.public_url).map_err(|_| impossible())?;
    let host = origin.domain().ok_or_else(impossible)?;
    let builder = WebauthnBuilder::new(host, &origin).map_err(|_| impossible())?;
    let time = Span::from_secs(CEREMONY.whole_seconds().unsigned_abs());
    Ok(builder.rp_name("WebMeteor").timeout(time).build().map_err(|_| impossible())?)
}

fn known(error: sqlx::Error) -> Error {
    let error = Error::from(error);
    if error.constraint() == Some(rows::CREDENTIAL_KEY) {
        return Problem::conflict("passkey_known", "This passkey is known already.").into();
    }
    error
}

fn refusal(error: &WebauthnError) -> Problem {
    match error {
        // WebAuthn Level 3, section 7.2, step 22.
        WebauthnError::CredentialPossibleCompromise => {
            let detail = "This passkey may have been copied: it counts fewer uses than before. Sign in another way, then \
                          remove it.";
            Problem::new(401, "passkey_copied", detail)
        }
        _ => bad(),
    }
}

fn bad() -> Problem {
    Problem::new(401, "bad_passkey", "No account is opened by this passkey. It may have been removed.")
}

fn unreadable() -> Problem {
    Problem::new(400, "unreadable", "What the browser sent cannot be read; update it, or sign in another way.")
}

fn took_too_long() -> Problem {
    Problem::new(401, "sign_in_expired", "This took too long; try again.")
}

fn view(row: PasskeyRow) -> PasskeyView {
    PasskeyView { id: row.id, name: row.name, created_at: row.created_at, last_used_at: row.last_used_at }
}

#[cfg(test)]
pub(super) mod authenticator;
#[cfg(test)]
mod tests;
