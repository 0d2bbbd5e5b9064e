//! An account that is made by invitation, whoever may register otherwise.

use super::register::{self, Fields, Registered, Registration, Standing};
use crate::{Result, passwords};
use model::Actor;
use sqlx::PgConnection;
use store::account_links;

/// What was checked before the transaction.
pub(crate) struct Invited {
    fields: Fields,
    hash: String,
}

/// Checks what a person sends, and hashes the password.
///
/// # Errors
/// 422 with every field that is wrong.
pub(crate) async fn check(email: &str, name: &str, password: &str) -> Result<Invited> {
    let new = Registration {
        email: email.to_owned(),
        password: password.to_owned(),
        name: name.to_owned(),
        setup_token: None,
    };
    let fields = Fields::parse(&new, Vec::new())?;
    Ok(Invited { fields, hash: passwords::hash(password).await? })
}

/// Makes the account with its personal team, in the caller's transaction. `is_proven`: it came by the mailed link, so
/// its address is known to be its own.
///
/// # Errors
/// 409 `email_taken`.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    actor: &Actor,
    new: &Invited,
    is_proven: bool,
) -> Result<Registered> {
    let standing = Standing { is_admin: false, is_verified: is_proven };
    let made = register::insert(conn, actor, &new.fields, &new.hash, standing).await?;
    account_links::void_registrations(conn, new.fields.email.as_str()).await?;
    Ok(made)
}
