//! Who asks for a repository: HTTP Basic, with a token, or the account's password where it has no second factor.

use super::refusal::Refusal;
use crate::{address, auth, state::AppState};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::{Actor, Origin, UserId};
use platform::{accounts, sign_in, throttle::Way};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A push is two or three requests; hashing the password for each of them would take longer than the push.
const LIFETIME: Duration = Duration::from_mins(1);
const CAPACITY: usize = 1_000;

/// The caller of a Git address.
pub struct Caller(pub Actor);

impl FromRequestParts<AppState> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let (name, password) = basic(parts).ok_or(Refusal::SignIn)?;
        let address = address::of(&parts.extensions);
        if let Some(actor) = auth::actor(&state.platform, &password).await? {
            return Ok(Self(actor.at(address)));
        }
        let user = by_password(parts, state, &name, &password).await?;
        let actor = accounts::actor(&state.platform, user).await?.ok_or(Refusal::SignIn)?;
        Ok(Self(actor.at(address)))
    }
}

async fn by_password(parts: &Parts, state: &AppState, name: &str, password: &str) -> Result<UserId, Refusal> {
    let verified = parts.extensions.get::<Arc<Verified>>();
    if let Some(user) = verified.and_then(|verified| verified.get(name, password, Instant::now())) {
        // It may have been turned on a moment ago.
        sign_in::password_is_enough(&state.platform, user).await?;
        return Ok(user);
    }
    let address = address::of(&parts.extensions);
    state.platform.throttle.address(Way::SignIn, address)?;
    let origin = Origin { address, token: None };
    let user = sign_in::by_password_alone(&state.platform, name, password, origin).await?.id;
    if let Some(verified) = verified {
        verified.insert(name, password, user, Instant::now());
    }
    Ok(user)
}

/// RFC 7617: name and password are divided by the first colon.
fn basic(parts: &Parts) -> Option<(String, String)> {
    let (scheme, encoded) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Names and passwords that belonged together a moment ago; neither is kept.
pub struct Verified {
    salt: [u8; 16],
    known: Mutex<HashMap<[u8; 32], (UserId, Instant)>>,
}

impl Default for Verified {
    fn default() -> Self {
        Self { salt: uuid::Uuid::new_v4().into_bytes(), known: Mutex::default() }
    }
}

impl Verified {
    fn get(&self, name: &str, password: &str, now: Instant) -> Option<UserId> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (user, since) = known.get(&self.key(name, password))?;
        (now.duration_since(*since) < LIFETIME).then_some(*user)
    }

    fn insert(&self, name: &str, password: &str, user: UserId, now: Instant) {
        let key = self.key(name, password);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, since)| now.duration_since(*since) < LIFETIME);
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(key, (user, now));
    }

    fn key(&self, name: &str, password: &str) -> [u8; 32] {
        // A name has no colon, so no two pairs make one text.
        Sha256::new()
            .chain_update(self.salt)
            .chain_update(name)
            .chain_update(":")
            .chain_update(password)
            .finalize()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verified_password_is_known_for_a_minute_with_its_name_alone() {
        let (verified, user, now) = (Verified::default(), UserId::new(), Instant::now());
        verified.insert("ada@example.org", "hush", user, now);
        assert_eq!(verified.get("ada@example.org", "hush", now), Some(user));
        assert_eq!(verified.get("ada@example.org", "hush", now + LIFETIME), None);
        assert_eq!(verified.get("ada@example.org", "hush!", now), None);
        assert_eq!(verified.get("bob@example.org", "hush", now), None);
    }

    #[test]
    fn what_is_known_has_a_bound_and_old_things_go_first() {
        let (verified, user, now) = (Verified::default(), UserId::new(), Instant::now());
        for n in 0..3 * CAPACITY {
            verified.insert(&n.to_string(), "hush", user, now);
        }
        assert!(verified.known.lock().unwrap().len() <= CAPACITY);
        verified.insert("later", "hush", user, now + LIFETIME);
        assert_eq!(verified.known.lock().unwrap().len(), 1);
    }
}
