//! Setting up the second factor, its recovery codes, and turning it off.

use super::{
    notice, password, recovery_codes,
    second_factor::{self, Proof},
};
use crate::{Platform, Result, access, accounts};
use model::{
    Actor, Problem,
    names::Email,
    views::{QrView, TotpSetupView},
};
use qrcodegen::{QrCode, QrCodeEcc};
use rand::RngExt;
use sqlx::PgConnection;
use std::fmt::Write;
use store::{
    second_factor::{self as rows, TotpRow},
    users::{self, User},
};
use time::{Duration, OffsetDateTime};
use totp_rs::{Builder, Secret};

/// What was begun and not confirmed is forgotten after this time.
const SETUP_TIME: Duration = Duration::hours(1);
/// What the app shows the account under.
const ISSUER: &str = "WebMeteor";

/// Begins to set up a second factor; it counts once [`confirm`] was given a code of it.
///
/// # Errors
/// 422 for the field `password`; 409 `second_factor_on`, `no_password`; 403 for an API token.
pub async fn begin(platform: &Platform, actor: &Actor, password: &str, now: OffsetDateTime) -> Result<TotpSetupView> {
    let user = owner(platform, actor).await?;
    if !user.has_password {
        let detail =
            "Your account has no password that a second factor could stand beside. Have one set by a reset first.";
        return Err(Problem::conflict("no_password", detail).into());
    }
    password::confirm(&user, password).await?;
    // RFC 4226, section 4, R6: 160 bits.
    let secret: [u8; 20] = rand::rng().random();
    let sealed = platform.vault.seal(&second_factor::row(user.id), &secret)?;
    if !rows::begin(&mut *platform.pool.acquire().await?, user.id, &sealed, now).await? {
        let detail = "There is a second factor already; turn it off before you set up another one.";
        return Err(Problem::conflict("second_factor_on", detail).into());
    }
    setup_view(&user, secret.to_vec())
}

/// Turns the second factor that was begun on; answers the recovery codes, which are never shown again.
///
/// # Errors
/// 422 for the field `code`; 409 `nothing_begun`; 403 for an API token.
pub async fn confirm(platform: &Platform, actor: &Actor, code: &str, now: OffsetDateTime) -> Result<Vec<String>> {
    let user = owner(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    let row = rows::lock(&mut tx, user.id).await?.filter(|row| is_being_set_up(row, now));
    let row = row.ok_or_else(|| {
        Problem::conflict("nothing_begun", "No second factor is being set up, or it took too long; begin once more.")
    })?;
    let codes = second_factor::codes(second_factor::open(platform, user.id, &row.secret)?)?;
    let step =
        second_factor::digits(code).and_then(|code| second_factor::step(&codes, &code, now)).ok_or_else(|| {
            let message = "This is not the code that the app shows now. Look whether your phone's clock is right.";
            Problem::invalid("code", "wrong", message)
        })?;
    rows::accept(&mut tx, user.id, Some(step)).await?;
    rows::confirm(&mut tx, user.id, now).await?;
    let codes = renew(&mut tx, &user).await?;
    let subject = "A second factor was turned on for your account";
    notice::changed(platform, &mut tx, actor, &user, "account.enable_totp", subject, None).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Forgets what was begun and not confirmed.
///
/// # Errors
/// 403 for an API token.
pub async fn abandon(platform: &Platform, actor: &Actor) -> Result<()> {
    let user = owner(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    if rows::lock(&mut tx, user.id).await?.is_some_and(|row| row.confirmed_at.is_none()) {
        rows::remove(&mut tx, user.id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Makes the recovery codes anew, for a code; the old ones are void.
///
/// # Errors
/// 422 for the field `code`; 429 `totp_locked`; 409 `second_factor_off`; 403 for an API token.
pub async fn renew_recovery_codes(
    platform: &Platform,
    actor: &Actor,
    code: &str,
    now: OffsetDateTime,
) -> Result<Vec<String>> {
    let user = owner(platform, actor).await?;
    let mut tx = platform.pool.begin().await?;
    if let Err(refusal) = prove(platform, &mut tx, &user, code, now).await? {
        tx.commit().await?;
        return Err(refusal.into());
    }
    let codes = renew(&mut tx, &user).await?;
    notice::record(&mut tx, actor, &user, "account.renew_recovery_codes", None).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Turns the second factor off, for the password and a code.
///
/// # Errors
/// 422 for the fields `password` and `code`; 429 `totp_locked`; 409 `second_factor_off`; 403 for an API token.
pub async fn turn_off(
    platform: &Platform,
    actor: &Actor,
    password: &str,
    code: &str,
    now: OffsetDateTime,
) -> Result<()> {
    let user = owner(platform, actor).await?;
    password::confirm(&user, password).await?;
    let mut tx = platform.pool.begin().await?;
    if let Err(refusal) = prove(platform, &mut tx, &user, code, now).await? {
        tx.commit().await?;
        return Err(refusal.into());
    }
    take_off(platform, &mut tx, actor, &user).await?;
    tx.commit().await?;
    Ok(())
}

/// Turns the second factor of the account with this address off, for the operator at the machine itself; `false` if it
/// has none.
///
/// # Errors
/// 404 if there is no such account.
pub async fn rescue(platform: &Platform, email: &str) -> Result<bool> {
    let email = Email::parse(email).map_err(|e| Problem::invalid("email", e.code, e.message))?;
    let mut tx = platform.pool.begin().await?;
    let user = users::find_by_email(&mut tx, email.as_str()).await?.ok_or_else(|| Problem::not_found("account"))?;
    let is_on = rows::is_on(&mut tx, user.id).await?;
    if is_on {
        take_off(platform, &mut tx, &Actor::nobody(), &user).await?;
        tx.commit().await?;
    }
    Ok(is_on)
}

async fn take_off(platform: &Platform, conn: &mut PgConnection, actor: &Actor, user: &User) -> Result<()> {
    rows::remove(conn, user.id).await?;
    let subject = "The second factor was turned off for your account";
    notice::changed(platform, conn, actor, user, "account.disable_totp", subject, None).await
}

async fn renew(conn: &mut PgConnection, user: &User) -> Result<Vec<String>> {
    let codes = recovery_codes::make();
    let plain = codes.iter().filter_map(|code| recovery_codes::parse(code));
    let hashes: Vec<_> = plain.map(|code| recovery_codes::hash(user.id, &code)).collect();
    rows::replace_codes(conn, user.id, &hashes).await?;
    Ok(codes)
}

/// Whose second factor it is: an API token has none to do with it.
async fn owner(platform: &Platform, actor: &Actor) -> Result<User> {
    access::in_person(actor)?;
    accounts::own_account(platform, actor).await
}

/// What is being set up, to be shown once more.
pub(super) fn setup(
    platform: &Platform,
    user: &User,
    row: Option<&TotpRow>,
    now: OffsetDateTime,
) -> Result<Option<TotpSetupView>> {
    let Some(row) = row.filter(|row| is_being_set_up(row, now)) else { return Ok(None) };
    setup_view(user, second_factor::open(platform, user.id, &row.secret)?).map(Some)
}

fn is_being_set_up(row: &TotpRow, now: OffsetDateTime) -> bool {
    row.confirmed_at.is_none() && now < row.created_at + SETUP_TIME
}

/// A code that is asked for once more; the refusal stands beside its field, and a wait stays what it is.
async fn prove(
    platform: &Platform,
    conn: &mut PgConnection,
    user: &User,
    code: &str,
    now: OffsetDateTime,
) -> Result<Result<Proof, Problem>> {
    if !rows::is_on(conn, user.id).await? {
        return Ok(Err(Problem::conflict("second_factor_off", "There is no second factor; it was turned off.")));
    }
    let judged = second_factor::judge(platform, conn, user.id, code, now).await?;
    Ok(judged.map_err(|refusal| match refusal.problem {
        bad if bad.code == "bad_totp" => Problem::invalid("code", "wrong", bad.detail),
        other => other,
    }))
}

fn setup_view(user: &User, secret: Vec<u8>) -> Result<TotpSetupView> {
    let written = Secret::from(secret.clone()).to_base32();
    let url = Builder::new()
        .with_secret(secret)
        .with_issuer(Some(ISSUER))
        .with_account_name(user.email.replace(':', ""))
        .build()
        .and_then(|totp| totp.to_url())
        .map_err(|error| anyhow::anyhow!("a second factor's address: {error}"))?;
    let qr = qr(&url)?;
    Ok(TotpSetupView { secret: recovery_codes::grouped(&written).replace('-', " "), url, qr })
}

/// A text as a QR code, with the quiet margin of four squares that the standard asks for (ISO/IEC 18004).
fn qr(text: &str) -> Result<QrView> {
    const MARGIN: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|error| anyhow::anyhow!("a QR code: {error}"))?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Ok(QrView { size: code.size() + 2 * MARGIN, path })
}
