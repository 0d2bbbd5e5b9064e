//! The keys that sign access tokens: which one does now, which ones verify, and when the next one takes over.
//!
//! They stand in the database, sealed. A new key is announced some minutes before it signs, so that every process knows it
//! by then; one that has been followed by another verifies until what it signed has expired, and is forgotten. All that
//! follows from the times at which keys begin to sign: nothing has to happen at those moments.

use crate::{
    Platform, Result,
    audit::{Entry, record},
    tokens::ACCESS_LIFETIME,
    vault,
};
use anyhow::Context;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{AlgorithmParameters, Jwk, ThumbprintHash},
};
use model::Actor;
use rand::RngExt;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration as Span, Instant},
};
use store::signing_keys::{self, SigningKeyRow};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How long a key signs before the next one is made.
const LIFETIME: Duration = Duration::days(30);
/// How long a key is announced before it signs; longer than anybody keeps the public keys ([`crate::signing::MAX_AGE`]).
const LEAD: Duration = Duration::minutes(10);
/// For how many seconds others may keep the public keys.
pub const MAX_AGE: u32 = 300;
/// How long a key verifies after the next one began to sign; a minute more than its last token lives, for processes whose
/// clocks differ.
const OVERLAP: Duration = ACCESS_LIFETIME.saturating_add(Duration::MINUTE);
/// An unknown key is looked for at most this often, whoever names it.
const ASK_AGAIN: Span = Span::from_secs(5);
/// How often it is looked at whether a key's time is over.
const LOOK: Span = Span::from_hours(1);

/// A key, ready for use.
pub(crate) struct SigningKey {
    /// What tokens name it by: its public half's thumbprint.
    pub(crate) id: String,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    /// The public half, as JWK has it.
    public: String,
    seed: [u8; 32],
    signs_from: OffsetDateTime,
}

impl SigningKey {
    fn new(seed: [u8; 32], signs_from: OffsetDateTime) -> anyhow::Result<Self> {
        // RFC 8410, section 7: a PKCS #8 document around an Ed25519 seed is this prefix and the seed.
        const PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let encoding = EncodingKey::from_ed_der(&[PKCS8, &seed].concat());
        let jwk = Jwk::from_encoding_key(&encoding, Algorithm::EdDSA)?;
        let AlgorithmParameters::OctetKeyPair(pair) = &jwk.algorithm else {
            anyhow::bail!("a signing key is no Ed25519 key");
        };
        let (public, id) = (pair.x.clone(), jwk.thumbprint(ThumbprintHash::SHA256)?);
        Ok(Self { decoding: DecodingKey::from_jwk(&jwk)?, id, encoding, public, seed, signs_from })
    }
}

/// The keys at one time, in the order they sign in.
type Ring = Arc<[Arc<SigningKey>]>;

/// The signing keys that this process knows.
pub struct SigningKeys {
    ring: RwLock<Ring>,
    /// When an unknown key was last looked for. Held meanwhile, so that who comes at the same moment waits for the answer.
    asked: Mutex<Option<Instant>>,
    ask_again: Span,
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self { ring: RwLock::new(Arc::new([])), asked: Mutex::default(), ask_again: ASK_AGAIN }
    }
}

impl SigningKeys {
    #[cfg(test)]
    pub(crate) fn asking_every(ask_again: Span) -> Self {
        Self { ask_again, ..Self::default() }
    }

    fn ring(&self) -> Ring {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, keys: Vec<Arc<SigningKey>>) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    /// The private halves, as people write keys down, to keep them out of logs.
    pub(crate) fn written(&self) -> Vec<String> {
        self.ring().iter().flat_map(|key| vault::written(&key.seed)).collect()
    }
}

/// The key that signs at this time.
fn signing(ring: &Ring, now: OffsetDateTime) -> Option<Arc<SigningKey>> {
    ring.iter().rev().find(|key| key.signs_from <= now).cloned()
}

/// When a key is forgotten; `None`: it is the last one so far.
fn ends(ring: &[Arc<SigningKey>], number: usize) -> Option<OffsetDateTime> {
    ring.get(number + 1).map(|next| next.signs_from + OVERLAP)
}

/// The key of this id, if what it signed may be valid at this time.
fn verifying(ring: &Ring, id: &str, now: OffsetDateTime) -> Option<Arc<SigningKey>> {
    let number = ring.iter().position(|key| key.id == id)?;
    ends(ring, number).is_none_or(|end| now < end).then(|| ring[number].clone())
}

/// The key to sign with; the first one is made where there is none.
///
/// # Errors
/// The database's.
pub(crate) async fn to_sign(platform: &Platform, now: OffsetDateTime) -> Result<Arc<SigningKey>> {
    if let Some(key) = signing(&platform.signing.ring(), now) {
        return Ok(key);
    }
    keep(platform, now).await?;
    Ok(signing(&platform.signing.ring(), now).context("there is no key to sign with")?)
}

/// The key that a token names; one that is not known here is looked for, but not more often than strangers should be able
/// to make us.
///
/// # Errors
/// The database's.
pub(crate) async fn to_verify(platform: &Platform, id: &str, now: OffsetDateTime) -> Result<Option<Arc<SigningKey>>> {
    let keys = &platform.signing;
    if let Some(key) = verifying(&keys.ring(), id, now) {
        return Ok(Some(key));
    }
    let mut asked = keys.asked.lock().await;
    let is_soon = asked.is_some_and(|at| at.elapsed() < keys.ask_again);
    if !is_soon {
        *asked = Some(Instant::now());
        read(platform).await?;
    }
    Ok(verifying(&keys.ring(), id, now))
}

/// Reads the keys again: others were made or forgotten.
///
/// # Errors
/// The database's.
pub async fn read(platform: &Platform) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    read_in(platform, &mut conn).await?;
    Ok(())
}

/// Those that do not open are left out, and told of by [`keep`]: whoever lost the master key gets new signing keys.
async fn read_in(platform: &Platform, conn: &mut PgConnection) -> Result<Ring> {
    let known = platform.signing.ring();
    let rows = signing_keys::all(conn).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(key) = known.iter().find(|key| key.id == row.id && key.signs_from == row.signs_from) {
            keys.push(key.clone());
            continue;
        }
        match opened(platform, &row) {
            Ok(key) => keys.push(Arc::new(key)),
            Err(error) => tracing::debug!(id = row.id, error = format!("{error:#}"), "a signing key is of no use"),
        }
    }
    platform.signing.set(keys);
    Ok(platform.signing.ring())
}

fn opened(platform: &Platform, row: &SigningKeyRow) -> anyhow::Result<SigningKey> {
    let seed = platform.vault.open(&row_name(&row.id), &row.private_key)?;
    let seed = seed.try_into().map_err(|_| anyhow::anyhow!("it is not 32 bytes long"))?;
    let key = SigningKey::new(seed, row.signs_from)?;
    anyhow::ensure!(key.id == row.id, "it is another key than its name says");
    Ok(key)
}

/// What a signing key is sealed for.
fn row_name(id: &str) -> String {
    format!("signing_keys/{id}")
}

/// Makes the next key when it is time, and forgets those that are no longer needed.
///
/// # Errors
/// The database's.
pub async fn keep(platform: &Platform, now: OffsetDateTime) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    signing_keys::lock(&mut tx).await?;
    let ring = read_in(platform, &mut tx).await?;
    let unknown = signing_keys::all(&mut tx).await?.len().saturating_sub(ring.len());
    if unknown > 0 {
        tracing::warn!(
            count = unknown,
            "signing keys do not open with this master key; what they signed is refused here"
        );
    }
    let is_due = ring.last().is_none_or(|last| last.signs_from + LIFETIME <= now);
    if is_due {
        let from = if ring.is_empty() { now } else { now + LEAD };
        make(platform, &mut tx, &Actor::nobody(), from).await?;
    }
    let gone = (0..ring.len()).filter(|number| ends(&ring, *number).is_some_and(|end| end <= now));
    let gone: Vec<String> = gone.map(|number| ring[number].id.clone()).collect();
    if !gone.is_empty() {
        signing_keys::delete(&mut tx, &gone).await?;
        tracing::info!(keys = gone.join(" "), "signing keys are forgotten: what they signed has expired");
    }
    tx.commit().await?;
    if is_due || !gone.is_empty() {
        read(platform).await?;
    }
    Ok(())
}

/// A key that takes over before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its id.
    pub id: String,
    /// It signs from then on.
    pub signs_from: OffsetDateTime,
    /// The keys before it verify until then.
    pub old_until: OffsetDateTime,
}

/// Makes the next key now. It signs in some minutes, and what the present one signed is valid until it expires; or, with
/// `revoke`, it signs at once, and all access tokens end.
///
/// # Errors
/// The database's.
pub async fn rotate(platform: &Platform, actor: &Actor, now: OffsetDateTime, revoke: bool) -> Result<Rotated> {
    let mut tx = platform.pool.begin().await?;
    signing_keys::lock(&mut tx).await?;
    let ids: Vec<String> = signing_keys::all(&mut tx).await?.into_iter().map(|row| row.id).collect();
    if revoke && !ids.is_empty() {
        signing_keys::delete(&mut tx, &ids).await?;
    }
    let signs_from = if revoke || ids.is_empty() { now } else { now + LEAD };
    let id = make(platform, &mut tx, actor, signs_from).await?;
    tx.commit().await?;
    read(platform).await?;
    Ok(Rotated { id, signs_from, old_until: if revoke { now } else { signs_from + OVERLAP } })
}

async fn make(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    signs_from: OffsetDateTime,
) -> Result<String> {
    let seed: [u8; 32] = rand::rng().random();
    let SigningKey { id, .. } = SigningKey::new(seed, signs_from)?;
    let private_key = platform.vault.seal(&row_name(&id), &seed)?;
    signing_keys::insert(conn, &SigningKeyRow { id: id.clone(), private_key, signs_from }).await?;
    record(conn, actor, Entry::new("signing_key.rotate", &id, &id)).await?;
    tracing::info!(id, %signs_from, "a key to sign access tokens was made");
    Ok(id)
}

/// The public keys that verify access tokens, the one to come among them (RFC 7517, RFC 8037).
///
/// # Errors
/// The database's.
pub async fn public_keys(platform: &Platform, now: OffsetDateTime) -> Result<Value> {
    if platform.signing.ring().is_empty() {
        keep(platform, now).await?;
    }
    let ring = platform.signing.ring();
    let valid = ring.iter().enumerate().filter(|(number, _)| ends(&ring, *number).is_none_or(|end| now < end));
    let keys: Vec<Value> = valid
        .map(|(_, key)| {
            json!({"kty": "OKP", "crv": "Ed25519", "x": key.public, "kid": key.id, "alg": "EdDSA", "use": "sig"})
        })
        .collect();
    Ok(json!({"keys": keys}))
}

/// Keeps the keys until told to stop.
pub async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    let mut hourly = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hourly.tick() => {}
        }
        if let Err(error) = keep(&platform, OffsetDateTime::now_utc()).await {
            tracing::warn!(%error, "the signing keys could not be looked at; tried again in an hour");
        }
    }
}

#[cfg(test)]
mod tests;
