//! Who may register: the setting says so, and an administrator otherwise.

use super::only;
use crate::{Platform, Result, Signup, accounts, audit};
use model::{
    Actor,
    views::{SignupMode, SignupView},
};
use serde_json::json;
use sqlx::PgConnection;

/// Where an administrator's choice is kept.
const KEY: &str = "signup";

/// Who may register now.
pub(crate) async fn mode(platform: &Platform, conn: &mut PgConnection) -> Result<Signup> {
    let chosen = store::settings::get(conn, KEY).await?;
    Ok(match chosen.as_ref().and_then(|value| SignupMode::from_word(value.as_str()?)) {
        Some(SignupMode::Open) => Signup::Open,
        Some(SignupMode::Invite) => Signup::Invite,
        None => platform.settings.signup,
    })
}

/// As configured, and as it is.
pub(super) async fn view(platform: &Platform) -> Result<SignupView> {
    let mut conn = platform.pool.acquire().await?;
    let mode = word(mode(platform, &mut conn).await?);
    drop(conn);
    Ok(SignupView { mode, configured: word(platform.settings.signup), state: accounts::signup_state(platform).await? })
}

fn word(signup: Signup) -> SignupMode {
    match signup {
        Signup::Open => SignupMode::Open,
        Signup::Invite => SignupMode::Invite,
    }
}

/// Sets who may register; `None`: what the setting says.
///
/// # Errors
/// 404 for everybody but administrators.
pub async fn set(platform: &Platform, actor: &Actor, wanted: Option<SignupMode>) -> Result<SignupView> {
    only(actor)?;
    let mut tx = platform.pool.begin().await?;
    let before = word(mode(platform, &mut tx).await?);
    match wanted {
        Some(wanted) => store::settings::put(&mut tx, KEY, &json!(wanted.as_str())).await?,
        None => store::settings::delete(&mut tx, KEY).await?,
    }
    let after = word(mode(platform, &mut tx).await?);
    let entry = audit::Entry::new("signup.change", "signup", "Who may register");
    audit::record(&mut tx, actor, entry.change(json!(before.as_str()), json!(after.as_str()))).await?;
    tx.commit().await?;
    view(platform).await
}
