//! What the pages ask of the server about signing up, in and out.

use crate::failure::Failure;
use leptos::prelude::*;
use model::views::{SignupState, UserView};
use serde::{Deserialize, Serialize};

/// Who looks at the page, and who may join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Who is signed in.
    pub user: Option<UserView>,
    /// Who may make an account now.
    pub signup: SignupState,
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
    Ok(Visitor { user, signup })
}

/// Makes an account and signs it in; for everybody whom the installation lets in. Answers where to go.
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
    let made = platform::accounts::register(&platform, new).await.map_err(context::failed).keep(&typed)?;
    platform.throttle.signed_in(&made.user.email, context::address());
    context::begin_session(made.user.id).await?;
    context::send_on("/sites");
    Ok("/sites".to_owned())
}

/// Signs in; for everybody. Answers where to go.
#[server(prefix = "/_fn", endpoint = "sign_in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: Option<String>,
) -> Result<String, Failure> {
    use crate::{context, failure::Keep};
    let platform = context::platform()?;
    let address = context::address();
    platform.throttle.sign_in(&email, address).map_err(context::refuse).keep(&[("email", &email)])?;
    let user = platform::accounts::sign_in(&platform, &email, &password)
        .await
        .map_err(context::failed)
        .keep(&[("email", &email)])?;
    platform.throttle.signed_in(&email, address);
    context::begin_session(user.id).await?;
    let next = context::safe_next(next.as_deref().unwrap_or_default());
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
