//! How an account is signed in to, all in one.

use super::{passkeys, providers, totp};
use crate::{Platform, Result, access, accounts};
use model::{Actor, views::SecurityView};
use store::second_factor as rows;
use time::OffsetDateTime;

/// How the caller's account is signed in to.
///
/// # Errors
/// 403 for an API token.
pub async fn get(platform: &Platform, actor: &Actor, now: OffsetDateTime) -> Result<SecurityView> {
    access::in_person(actor)?;
    let user = accounts::own_account(platform, actor).await?;
    let passkeys = passkeys::list(platform, actor).await?;
    let identities = providers::identities(platform, actor).await?;
    let mut conn = platform.pool.acquire().await?;
    let row = rows::get(&mut conn, user.id).await?;
    Ok(SecurityView {
        setup: totp::setup(platform, &user, row.as_ref(), now)?,
        second_factor_since: row.and_then(|row| row.confirmed_at),
        recovery_codes: rows::codes_left(&mut conn, user.id).await?,
        passkeys,
        passkeys_possible: passkeys::are_possible(platform),
        has_password: user.has_password,
        identities,
        providers: providers::list(platform),
    })
}
