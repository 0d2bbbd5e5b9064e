//! Accounts and teams: registering, signing in, and who may do what.

use crate::{Platform, Result};
use model::{
    Actor, Problem, UserId,
    views::{TeamView, UserView},
};
pub use model::views::SignupState;
use serde::{Deserialize, Serialize};

/// The key under which a session keeps the [`UserId`] of who is signed in.
pub const SESSION_USER: &str = "user";

/// What a person sends to register.
#[derive(Debug, Clone, Deserialize)]
pub struct Registration {
    /// Address.
    pub email: String,
    /// Password, 12 characters or more.
    pub password: String,
    /// Name for people.
    pub name: String,
    /// Only where no administrator exists yet.
    #[serde(default)]
    pub setup_token: Option<String>,
}

/// A new account with its personal team.
#[derive(Debug, Clone, Serialize)]
pub struct Registered {
    /// The account.
    pub user: UserView,
    /// Its personal team.
    pub team: TeamView,
}

fn soon<T>() -> Result<T> {
    Err(Problem::new(503, "not_ready", "Not ready.").into())
}

/// Who may register now.
pub async fn signup_state(_platform: &Platform) -> Result<SignupState> {
    soon()
}
/// Makes an account and its personal team.
pub async fn register(_platform: &Platform, _new: Registration) -> Result<Registered> {
    soon()
}
/// The account with this address and password; 401 `bad_credentials` for either being wrong.
pub async fn sign_in(_platform: &Platform, _email: &str, _password: &str) -> Result<UserView> {
    soon()
}
/// The actor for a signed-in account; `None` if the account is gone.
pub async fn actor(_platform: &Platform, _user: UserId) -> Result<Option<Actor>> {
    soon()
}
/// The caller's own account.
pub async fn me(_platform: &Platform, _actor: &Actor) -> Result<UserView> {
    soon()
}
/// The caller's teams.
pub async fn teams(_platform: &Platform, _actor: &Actor) -> Result<Vec<TeamView>> {
    soon()
}
/// Gives the caller's account another name.
pub async fn rename(_platform: &Platform, _actor: &Actor, _name: &str) -> Result<UserView> {
    soon()
}
/// Changes the caller's password; ends every session and refresh token but the caller's own session.
pub async fn change_password(_platform: &Platform, _actor: &Actor, _current: &str, _new: &str) -> Result<()> {
    soon()
}
