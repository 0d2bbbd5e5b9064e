//! What the page asks of the server about the visitor's own account.

use crate::failure::Failure;
use leptos::prelude::*;
use model::views::UserView;

/// The visitor's account.
#[server(prefix = "/_fn", endpoint = "account")]
pub async fn get_account() -> Result<UserView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::accounts::me(&platform, &actor).await.map_err(context::failed)
}

/// Gives the visitor's account another name.
#[server(prefix = "/_fn", endpoint = "rename_account")]
pub async fn rename_account(name: String) -> Result<UserView, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    platform::accounts::rename(&platform, &actor, &name).await.map_err(context::failed).keep(&[("name", &name)])
}

/// Changes the visitor's password.
#[server(prefix = "/_fn", endpoint = "change_password")]
pub async fn change_password(current: String, new: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::accounts::change_password(&platform, &actor, &current, &new).await.map_err(context::failed)?;
    // Every session of the account has ended with the old password; this one goes on under a new id.
    match actor.user {
        Some(user) => context::begin_session(user).await,
        None => Ok(()),
    }
}
