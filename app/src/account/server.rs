//! What the page asks of the server about the visitor's own account.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    SessionId,
    views::{DeletionView, SessionView, UserView},
};

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

/// Has a link sent by which the visitor's address is proved.
#[server(prefix = "/_fn", endpoint = "send_verification")]
pub async fn send_verification() -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::accounts::send_verification(&platform, &actor).await.map_err(context::failed)
}

/// Asks for another address of the visitor's account.
#[server(prefix = "/_fn", endpoint = "change_email")]
pub async fn change_email(new_email: String, email_password: String) -> Result<(), Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let done = platform::accounts::request_email_change(&platform, &actor, &new_email, &email_password).await;
    done.map_err(context::failed).keep(&[("new_email", &new_email)])?;
    context::send_on("/account?mailed=email");
    Ok(())
}

/// What the visitor's account is signed in with.
#[server(prefix = "/_fn", endpoint = "sessions")]
pub async fn list_sessions() -> Result<Vec<SessionView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let current = context::current_session().await?;
    platform::accounts::sessions::list(&platform, &actor, &current).await.map_err(context::failed)
}

/// Ends one of them.
#[server(prefix = "/_fn", endpoint = "revoke_session")]
pub async fn revoke_session(id: SessionId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::accounts::sessions::revoke(&platform, &actor, id).await.map_err(context::failed)
}

/// Ends all of them but the visitor's own; answers how many there were.
#[server(prefix = "/_fn", endpoint = "revoke_other_sessions")]
pub async fn revoke_other_sessions() -> Result<u64, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let current = context::current_session().await?;
    platform::accounts::sessions::revoke_others(&platform, &actor, &current).await.map_err(context::failed)
}

/// What stands in the way of deleting the visitor's account, and what goes with it.
#[server(prefix = "/_fn", endpoint = "account_deletion")]
pub async fn get_deletion() -> Result<DeletionView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::accounts::deletion(&platform, &actor).await.map_err(context::failed)
}

/// Deletes the visitor's account. Answers where to go.
#[server(prefix = "/_fn", endpoint = "delete_account")]
pub async fn delete_account(
    confirm_email: String,
    delete_password: String,
    #[server(default)] delete_sites: Option<bool>,
) -> Result<String, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let asked = platform::accounts::DeleteAccount {
        email: confirm_email,
        password: delete_password,
        delete_sites: delete_sites.unwrap_or_default(),
    };
    platform::accounts::delete(&platform, &actor, &asked).await.map_err(context::failed)?;
    context::end_session().await?;
    context::send_on("/done/account-deleted");
    Ok("/done/account-deleted".to_owned())
}
