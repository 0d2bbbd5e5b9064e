//! Links that are mailed. Their token stands in the query of the address, as forms without JavaScript need it: the
//! platform's own log has paths without queries, and these pages send the address to no other site
//! (`Referrer-Policy: same-origin`). A fragment would be sent to nobody at all, and could be read by scripts alone.

use crate::{Platform, Result, vault};
use model::{Problem, UserId, names::Email};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::time::Duration;
use store::account_links::{self, LinkRow, NewLink};

/// Makes an account.
pub(super) const REGISTER: &str = "register";
/// Proves the address of an account.
pub(super) const VERIFY: &str = "verify";
/// Gives an account another address.
pub(super) const EMAIL: &str = "email";
/// Gives an account another password.
pub(super) const RESET: &str = "reset";
/// Stands for a mail without a link.
pub(super) const NOTICE: &str = "notice";

/// What is confirmed on the page `/confirm`.
pub(super) const CONFIRMED: [&str; 3] = [REGISTER, VERIFY, EMAIL];

/// So many mails an address is sent in an hour; who asks for more is answered the same, and nothing is sent.
const MOST_IN_AN_HOUR: i64 = 5;

/// What a link is made for.
pub(super) struct For<'a> {
    pub(super) kind: &'a str,
    pub(super) user: Option<UserId>,
    pub(super) email: &'a Email,
    /// Name and hash of the password, of an account that it makes.
    pub(super) account: Option<(&'a str, &'a str)>,
    pub(super) lifetime: Duration,
}

/// Makes a link: its token, and whether the address may be sent another mail.
pub(super) async fn make(conn: &mut PgConnection, wanted: &For<'_>) -> Result<(String, bool)> {
    let token = vault::random_secret();
    let email = wanted.email.as_str();
    let may_send = account_links::recent(conn, email).await? < MOST_IN_AN_HOUR;
    let new = NewLink {
        hash: &digest(&token),
        kind: wanted.kind,
        user: wanted.user,
        email,
        name: wanted.account.map(|(name, _)| name),
        password_hash: wanted.account.map(|(_, hash)| hash),
        seconds: wanted.lifetime.as_secs_f64(),
    };
    account_links::insert(conn, &new).await?;
    Ok((token, may_send))
}

/// The link with this token; it stays good.
pub(super) async fn look(conn: &mut PgConnection, kinds: &[&str], token: &str) -> Result<LinkRow> {
    Ok(account_links::get(conn, kinds, &digest(token)).await?.ok_or_else(void)?)
}

/// Spends the link with this token.
pub(super) async fn take(conn: &mut PgConnection, kinds: &[&str], token: &str) -> Result<LinkRow> {
    Ok(account_links::take(conn, kinds, &digest(token)).await?.ok_or_else(void)?)
}

/// Where a link leads.
pub(super) fn address(platform: &Platform, page: &str, token: &str) -> String {
    format!("{}/{page}?token={token}", platform.settings.public_url)
}

fn void() -> Problem {
    Problem::invalid("token", "invalid", "This link was used before, or is too old; ask for another one.")
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.trim().as_bytes()).into()
}
