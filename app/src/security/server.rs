//! What the page asks of the server about signing in to the visitor's account.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    PasskeyId,
    views::{PasskeyView, SecurityView},
};
use serde::{Deserialize, Serialize};

/// In the session: recovery codes that were just made, sealed, until the page has shown them.
#[cfg(feature = "ssr")]
const FRESH: &str = "fresh_recovery_codes";

/// In the session: that a passkey is being made.
#[cfg(feature = "ssr")]
const MADE: &str = "passkey_made";

/// All that the page shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Security {
    /// How the account is signed in to.
    pub view: SecurityView,
    /// Recovery codes made a moment ago by a form without JavaScript, and shown this once.
    pub fresh: Option<Vec<String>>,
}

/// How the visitor's account is signed in to.
#[server(prefix = "/_fn", endpoint = "security")]
pub async fn get_security() -> Result<Security, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let now = time::OffsetDateTime::now_utc();
    let view = platform::sign_in::overview::get(&platform, &actor, now).await.map_err(context::failed)?;
    let fresh = context::take_from_session(FRESH).await?;
    let fresh = fresh.and_then(|sealed| platform::api_tokens::unwrap(&platform, &sealed));
    Ok(Security { view, fresh: fresh.map(|codes| codes.lines().map(ToOwned::to_owned).collect()) })
}

/// Begins to set up a second factor for the visitor.
#[server(prefix = "/_fn", endpoint = "begin_totp")]
pub async fn begin_totp(password: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let now = time::OffsetDateTime::now_utc();
    platform::sign_in::totp::begin(&platform, &actor, &password, now).await.map_err(context::failed)?;
    context::send_on(super::ADDRESS);
    Ok(())
}

/// Turns the visitor's second factor on. Answers the recovery codes.
#[server(prefix = "/_fn", endpoint = "confirm_totp")]
pub async fn confirm_totp(code: String) -> Result<Vec<String>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let now = time::OffsetDateTime::now_utc();
    let codes = platform::sign_in::totp::confirm(&platform, &actor, &code, now).await.map_err(context::failed)?;
    show(&platform, &codes).await?;
    Ok(codes)
}

/// Gives up setting up a second factor.
#[server(prefix = "/_fn", endpoint = "abandon_totp")]
pub async fn abandon_totp() -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::sign_in::totp::abandon(&platform, &actor).await.map_err(context::failed)?;
    context::send_on(super::ADDRESS);
    Ok(())
}

/// Makes the visitor's recovery codes anew. Answers them.
#[server(prefix = "/_fn", endpoint = "renew_recovery_codes")]
pub async fn renew_recovery_codes(renewal_code: String) -> Result<Vec<String>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let now = time::OffsetDateTime::now_utc();
    let codes = platform::sign_in::totp::renew_recovery_codes(&platform, &actor, &renewal_code, now).await;
    let codes = codes.map_err(context::failed)?;
    show(&platform, &codes).await?;
    Ok(codes)
}

/// Turns the visitor's second factor off.
#[server(prefix = "/_fn", endpoint = "turn_off_totp")]
pub async fn turn_off_totp(password: String, code: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let now = time::OffsetDateTime::now_utc();
    platform::sign_in::totp::turn_off(&platform, &actor, &password, &code, now).await.map_err(context::failed)?;
    context::send_on(super::ADDRESS);
    Ok(())
}

/// Begins to add a passkey to the visitor's account. Answers what the browser needs, as JSON.
#[server(prefix = "/_fn", endpoint = "begin_passkey")]
pub async fn begin_passkey(name: String, #[server(default)] passkey_password: String) -> Result<String, Failure> {
    use crate::context;
    use platform::sign_in::passkeys;
    let (platform, actor) = context::signed_in().await?;
    let now = time::OffsetDateTime::now_utc();
    let begun = passkeys::begin(&platform, &actor, &name, &passkey_password, now).await;
    let (options, begun) = begun.map_err(context::failed)?;
    context::begin_ceremony(MADE, &begun).await?;
    Ok(options.to_string())
}

/// Adds the passkey that the browser has made.
#[server(prefix = "/_fn", endpoint = "add_passkey")]
pub async fn add_passkey(credential: String) -> Result<PasskeyView, Failure> {
    use crate::context;
    use platform::sign_in::{self, passkeys};
    let (platform, actor) = context::signed_in().await?;
    // Taken out before it is judged: it is good once.
    let begun: Option<passkeys::Registering> = context::end_ceremony(MADE).await?;
    let begun = begun.ok_or_else(|| context::refuse(sign_in::expired()))?;
    let now = time::OffsetDateTime::now_utc();
    passkeys::add(&platform, &actor, begun, &credential, now).await.map_err(context::failed)
}

/// Takes a passkey off the visitor's account.
#[server(prefix = "/_fn", endpoint = "remove_passkey")]
pub async fn remove_passkey(id: PasskeyId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::sign_in::passkeys::remove(&platform, &actor, id).await.map_err(context::failed)?;
    context::send_on(super::ADDRESS);
    Ok(())
}

/// Unlinks the visitor's account at a provider.
#[server(prefix = "/_fn", endpoint = "unlink_provider")]
pub async fn unlink_provider(provider: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::sign_in::providers::unlink(&platform, &actor, &provider).await.map_err(context::failed)?;
    context::send_on(super::ADDRESS);
    Ok(())
}

/// A form without JavaScript is answered with the page, which shows the codes.
#[cfg(feature = "ssr")]
async fn show(platform: &platform::Platform, codes: &[String]) -> Result<(), Failure> {
    use crate::context;
    if !context::called_by_program() {
        let sealed = platform::api_tokens::wrap(platform, &codes.join("\n")).map_err(context::failed)?;
        context::put_into_session(FRESH, sealed).await?;
        context::send_on(super::ADDRESS);
    }
    Ok(())
}
