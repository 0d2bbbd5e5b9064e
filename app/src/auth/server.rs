//! What the pages ask of the server about signing up, in and out.

use crate::failure::Failure;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use model::views::LinkKind;
use model::views::{LinkView, ProviderView, SignupState, UserView};
#[cfg(feature = "ssr")]
use platform::accounts::SignedUp;
use serde::{Deserialize, Serialize};

/// In the session: that a passkey was asked for.
#[cfg(feature = "ssr")]
const ASKED: &str = "passkey_asked";

/// Who looks at the page, and who may join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Who is signed in.
    pub user: Option<UserView>,
    /// Who may make an account now.
    pub signup: SignupState,
    /// One can sign in with a passkey.
    pub passkeys: bool,
    /// Providers that one can sign in with.
    pub providers: Vec<ProviderView>,
    /// Mail reaches people; else the operator has to pass on what stands in the log.
    #[serde(default)]
    pub sends_mail: bool,
}

/// Who looks at the page; for everybody.
#[server(prefix = "/_fn", endpoint = "visitor")]
pub async fn get_visitor() -> Result<Visitor, Failure> {
    use crate::context;
    let (platform, actor) = context::visitor().await?;
    let user = match actor {
        Some(actor) => Some(platform::accounts::me(&platform, &actor).await.map_err(context::failed)?),
        None => None,
    };
    let signup = platform::accounts::signup_state(&platform).await.map_err(context::failed)?;
    let passkeys = platform::sign_in::passkeys::are_possible(&platform);
    let providers = platform::sign_in::providers::list(&platform);
    let sends_mail = platform.settings.mail.transport.reaches_people();
    Ok(Visitor { user, signup, passkeys, providers, sends_mail })
}

/// Makes an account and signs it in, or has a link sent that makes it; for everybody whom the installation lets in.
/// Answers where to go.
#[server(prefix = "/_fn", endpoint = "sign_up")]
pub async fn sign_up(
    name: String,
    email: String,
    password: String,
    #[server(default)] setup_token: Option<String>,
) -> Result<String, Failure> {
    use crate::{context, failure::Keep};
    let platform = context::platform()?;
    let typed = [("name", name.clone()), ("email", email.clone())];
    let typed: Vec<_> = typed.iter().map(|(field, value)| (*field, value.as_str())).collect();
    let setup_token = setup_token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    let new = platform::accounts::Registration { email, password, name, setup_token };
    let done = platform::accounts::sign_up(&platform, &context::stranger(), new).await;
    let next = match done.map_err(context::failed).keep(&typed)? {
        SignedUp::Made(made) => {
            platform.throttle.signed_in(&made.user.email, context::address());
            context::begin_session(made.user.id).await?;
            "/sites"
        }
        SignedUp::ConfirmationSent => "/done/registration-sent",
    };
    context::send_on(next);
    Ok(next.to_owned())
}

/// Has a link sent by which a forgotten password is set anew; for everybody. Answers where to go.
#[server(prefix = "/_fn", endpoint = "request_reset")]
pub async fn request_reset(email: String) -> Result<String, Failure> {
    use crate::context;
    let platform = context::platform()?;
    platform::accounts::request_reset(&platform, &email).await.map_err(context::failed)?;
    context::send_on("/done/reset-sent");
    Ok("/done/reset-sent".to_owned())
}

/// Whether a link sets a password; for everybody.
#[server(prefix = "/_fn", endpoint = "look_at_reset")]
pub async fn look_at_reset(token: String) -> Result<(), Failure> {
    use crate::context;
    let platform = context::platform()?;
    platform::accounts::look_at_reset(&platform, &token).await.map_err(context::failed)
}

/// Sets a password by a mailed link; for everybody who has one. Answers where to go.
#[server(prefix = "/_fn", endpoint = "reset_password")]
pub async fn reset_password(token: String, password: String) -> Result<String, Failure> {
    use crate::context;
    let platform = context::platform()?;
    let done = platform::accounts::confirm_reset(&platform, &context::stranger(), &token, &password).await;
    done.map_err(context::failed)?;
    context::send_on("/done/password-set");
    Ok("/done/password-set".to_owned())
}

/// What a mailed link is for; for everybody. Changes nothing.
#[server(prefix = "/_fn", endpoint = "look_at_link")]
pub async fn look_at_link(token: String) -> Result<LinkView, Failure> {
    use crate::context;
    let platform = context::platform()?;
    platform::accounts::look_at_link(&platform, &token).await.map_err(context::failed)
}

/// Does what a mailed link is for; for everybody who has one. Answers where to go.
#[server(prefix = "/_fn", endpoint = "confirm_link")]
pub async fn confirm_link(token: String) -> Result<String, Failure> {
    use crate::context;
    let platform = context::platform()?;
    let done = platform::accounts::confirm_link(&platform, &context::stranger(), &token).await;
    let next = match done.map_err(context::failed)?.kind {
        LinkKind::Register => "/done/account-made",
        LinkKind::Verify => "/done/address-confirmed",
        LinkKind::Email => "/done/address-changed",
    };
    context::send_on(next);
    Ok(next.to_owned())
}

/// The first step of signing in; for everybody. Answers where to go: to the second step where the account has one.
#[server(prefix = "/_fn", endpoint = "sign_in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: Option<String>,
) -> Result<String, Failure> {
    use crate::{
        context::{self, SecondStep},
        failure::Keep,
    };
    use platform::sign_in::{self, FirstStep, Visit};
    let platform = context::platform()?;
    let step = sign_in::begin(&platform, &email, &password, Visit::from(context::origin()))
        .await
        .map_err(context::failed)
        .keep(&[("email", &email)])?;
    let next = context::safe_next(next.as_deref().unwrap_or_default());
    let next = match step {
        FirstStep::Done(user) => {
            context::begin_session(user.id).await?;
            next
        }
        FirstStep::CodeNeeded(pending) => {
            context::begin_second_step(SecondStep { pending, next: next.to_owned() }).await?;
            super::SECOND_STEP
        }
    };
    context::send_on(next);
    Ok(next.to_owned())
}

/// Whether the visitor gave the right password and a code is missing; for everybody.
#[server(prefix = "/_fn", endpoint = "second_step")]
pub async fn get_second_step() -> Result<bool, Failure> {
    use crate::context;
    Ok(context::second_step().await?.is_some())
}

/// The second step of signing in, for who has done the first. Answers where to go.
#[server(prefix = "/_fn", endpoint = "finish_sign_in")]
pub async fn finish_sign_in(code: String) -> Result<String, Failure> {
    use crate::context;
    use platform::sign_in::{self, Visit};
    let platform = context::platform()?;
    let Some(step) = context::second_step().await? else {
        return Err(context::refuse(sign_in::expired()));
    };
    let user = sign_in::finish(&platform, &step.pending, &code, Visit::from(context::origin())).await;
    let user = user.map_err(|error| match model::Problem::from(error) {
        bad if bad.code == "bad_totp" => context::refuse(model::Problem::invalid("code", "wrong", bad.detail)),
        other => context::refuse(other),
    })?;
    context::begin_session(user.id).await?;
    let next = context::safe_next(&step.next);
    context::send_on(next);
    Ok(next.to_owned())
}

/// Asks for a passkey; for everybody. Answers what the browser needs, as JSON.
#[server(prefix = "/_fn", endpoint = "ask_for_passkey")]
pub async fn ask_for_passkey() -> Result<String, Failure> {
    use crate::context;
    let platform = context::platform()?;
    let now = time::OffsetDateTime::now_utc();
    let (options, asked) = platform::sign_in::passkeys::ask(&platform, now).map_err(context::failed)?;
    context::begin_ceremony(ASKED, &asked).await?;
    Ok(options.to_string())
}

/// Signs in with a passkey, as the only step or as the second one; for everybody. Answers where to go.
#[server(prefix = "/_fn", endpoint = "sign_in_with_passkey")]
pub async fn sign_in_with_passkey(
    credential: String,
    #[server(default)] next: Option<String>,
) -> Result<String, Failure> {
    use crate::context;
    use platform::sign_in::{self, Visit, passkeys};
    let platform = context::platform()?;
    // Taken out before it is judged: it is good once.
    let asked: Option<passkeys::Asking> = context::end_ceremony(ASKED).await?;
    let asked = asked.ok_or_else(|| context::refuse(sign_in::expired()))?;
    let step = context::second_step().await?;
    let pending = step.as_ref().map(|step| &step.pending);
    let visit = Visit::from(context::origin());
    let user = passkeys::sign_in(&platform, asked, &credential, pending, visit).await.map_err(context::failed)?;
    context::begin_session(user.id).await?;
    let next = step.as_ref().map(|step| step.next.as_str()).or(next.as_deref());
    let next = context::safe_next(next.unwrap_or_default());
    context::send_on(next);
    Ok(next.to_owned())
}

/// Signs out; for everybody. Answers where to go.
#[server(prefix = "/_fn", endpoint = "sign_out")]
pub async fn sign_out() -> Result<String, Failure> {
    use crate::context;
    context::end_session().await?;
    context::send_on("/");
    Ok("/".to_owned())
}
