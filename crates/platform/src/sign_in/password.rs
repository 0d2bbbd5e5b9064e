//! The password: the first thing that is asked for.

use super::notice;
use crate::{
    Platform, Result,
    passwords::{self, Verdict},
};
use model::{Origin, Problem, names::Email};
use sqlx::PgPool;
use store::users::{self, User};

/// The account with this address and password; a hash of older parameters is renewed.
///
/// # Errors
/// 401 `bad_credentials` for either being wrong, after the same work.
pub(super) async fn check(platform: &Platform, email: &str, password: &str, origin: Origin) -> Result<User> {
    let user = match Email::parse(email) {
        Ok(email) => users::find_by_email(&mut *platform.pool.acquire().await?, email.as_str()).await?,
        Err(_) => None,
    };
    let too_long = password.chars().count() > passwords::MAX_CHARS;
    let stored = user.as_ref().map(|user| user.password_hash.as_str()).filter(|_| !too_long);
    let verdict = passwords::verify(if too_long { "" } else { password }, stored).await?;
    match (user, verdict) {
        (Some(user), Verdict::Right) => Ok(user),
        (Some(user), Verdict::RightButOutdated) => {
            let hash = passwords::hash(password).await?;
            users::replace_hash(&mut *platform.pool.acquire().await?, user.id, &user.password_hash, &hash).await?;
            Ok(User { password_hash: hash, ..user })
        }
        (user, _) => {
            if let Some(user) = user {
                // Beside the answer, which takes as long where there is no such account.
                tokio::spawn(note(platform.pool.clone(), user, origin));
            }
            Err(Problem::new(401, "bad_credentials", "This address and this password do not belong together.").into())
        }
    }
}

/// The visitor knows the password of its own account, asked for once more before something that a borrowed browser
/// must not do.
///
/// # Errors
/// 422 for the field `password`.
pub(super) async fn confirm(user: &User, password: &str) -> Result<()> {
    let too_long = password.chars().count() > passwords::MAX_CHARS;
    if too_long || passwords::verify(password, Some(&user.password_hash)).await? == Verdict::Wrong {
        return Err(Problem::invalid("password", "wrong", "This is not your password.").into());
    }
    Ok(())
}

async fn note(pool: PgPool, user: User, origin: Origin) {
    let noted = async { notice::refused(&mut *pool.acquire().await?, &user, origin, "password").await };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "a refused sign-in could not be noted");
    }
}
