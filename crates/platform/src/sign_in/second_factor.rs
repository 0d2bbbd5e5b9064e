//! Judging the second factor: a code of the app is accepted once, one step early or late, and a few wrong ones in a row
//! make it wait; a recovery code is spent.

use super::recovery_codes;
use crate::{Platform, Result};
use model::{Problem, UserId};
use sqlx::PgConnection;
use store::second_factor as rows;
use time::{Duration, OffsetDateTime};
use totp_rs::{Builder, Totp};

/// So many wrong codes in a row cost nothing.
const FREE_FAILURES: i32 = 5;
/// The first wait; each further wrong code doubles it.
const FIRST_WAIT: Duration = Duration::seconds(30);
/// The longest. Only who knows the password gets so far, so strangers keep nobody out; whoever does know it still has
/// no more than four tries an hour at one of a million codes.
const LONGEST_WAIT: Duration = Duration::minutes(15);

/// What was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// A code of the app.
    App,
    /// A recovery code, which is spent.
    RecoveryCode,
}

/// Nothing that proves anything was given.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What is told.
    pub(super) problem: Problem,
    /// Something was tried.
    pub(super) is_attempt: bool,
}

/// The codes of this secret (RFC 6238 with what every app takes: SHA-1, six digits, 30 s), one step of drift allowed.
pub(super) fn codes(secret: Vec<u8>) -> Result<Totp> {
    Ok(Builder::new().with_secret(secret).build().map_err(|error| anyhow::anyhow!("a second factor: {error}"))?)
}

/// The secret of an account's second factor.
pub(super) fn open(platform: &Platform, user: UserId, sealed: &[u8]) -> Result<Vec<u8>> {
    platform.vault.open(&row(user), sealed)
}

/// What the secret is sealed for.
pub(super) fn row(user: UserId) -> String {
    format!("totp/{user}")
}

/// The step of time whose code this is, if it is one just now.
pub(super) fn step(codes: &Totp, code: &str, now: OffsetDateTime) -> Option<i64> {
    let seconds = u64::try_from(now.unix_timestamp()).ok()?;
    codes.check(code, seconds).and_then(|step| i64::try_from(step).ok())
}

/// Six digits, however they were typed.
pub(super) fn digits(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit())).then_some(plain)
}

/// Judges what was given for an account's second factor. The caller commits whatever the answer is: it is counted.
///
/// # Errors
/// The database's, and a secret that does not open.
pub(super) async fn judge(
    platform: &Platform,
    conn: &mut PgConnection,
    user: UserId,
    given: &str,
    now: OffsetDateTime,
) -> Result<Result<Proof, Refusal>> {
    let refuse = |problem, is_attempt| Ok(Err(Refusal { problem, is_attempt }));
    let Some(row) = rows::lock(conn, user).await?.filter(|row| row.confirmed_at.is_some()) else {
        return refuse(super::expired(), false);
    };
    if let Some(code) = recovery_codes::parse(given) {
        if !rows::spend_code(conn, user, &recovery_codes::hash(user, &code)).await? {
            return refuse(bad("This recovery code is wrong, or was used before."), true);
        }
        rows::accept(conn, user, None).await?;
        return Ok(Ok(Proof::RecoveryCode));
    }
    let Some(code) = digits(given) else {
        return refuse(bad("A code has six digits; a recovery code has sixteen letters and digits."), false);
    };
    if let Some(until) = row.locked_until.filter(|until| *until > now) {
        return refuse(locked(until - now), false);
    }
    match step(&codes(open(platform, user, &row.secret)?)?, &code, now) {
        Some(step) if step > row.last_step => {
            rows::accept(conn, user, Some(step)).await?;
            Ok(Ok(Proof::App))
        }
        Some(_) => refuse(bad("This code was used before; wait for the next one."), true),
        None => {
            let failures = row.failures.saturating_add(1);
            let wait = wait(failures);
            rows::refuse(conn, user, failures, wait.map(|wait| now + wait)).await?;
            refuse(
                wait.map_or_else(|| bad("This code is wrong. Look whether your phone's clock is right."), locked),
                true,
            )
        }
    }
}

/// How long nothing is looked at after so many wrong codes in a row.
fn wait(failures: i32) -> Option<Duration> {
    let beyond = u32::try_from(failures - FREE_FAILURES).ok()?;
    Some((FIRST_WAIT * 2_i32.saturating_pow(beyond.min(16))).min(LONGEST_WAIT))
}

fn bad(detail: &str) -> Problem {
    Problem::new(401, "bad_totp", detail)
}

fn locked(wait: Duration) -> Problem {
    let seconds = wait.whole_seconds().max(1);
    let time = if seconds < 90 { format!("{seconds} seconds") } else { format!("{} minutes", (seconds + 59) / 60) };
    let detail = format!("Too many wrong codes. Try again in {time}; a recovery code is taken at once.");
    Problem { retry_after: Some(seconds.unsigned_abs()), ..Problem::new(429, "totp_locked", detail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_has_an_end() {
        let seconds: Vec<_> = (1..=12).map(|n| wait(n).map_or(0, Duration::whole_seconds)).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait(i32::MAX).unwrap(), LONGEST_WAIT);
    }

    #[test]
    fn six_digits_are_known_however_they_are_typed() {
        assert_eq!(digits(" 123 456 ").as_deref(), Some("123456"));
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let codes = codes(b"12345678901234567890".to_vec()).unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            assert_eq!(step(&codes, code, now), Some(seconds / 30));
            assert!(step(&codes, code, now + Duration::seconds(30)).is_some());
            assert!(step(&codes, code, now + Duration::seconds(90)).is_none());
        }
    }
}
