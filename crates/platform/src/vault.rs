//! Secrets at rest: XChaCha20-Poly1305 under the master key, bound to their row.
//!
//! There may be several master keys: the present one, which seals, and older ones, which open what was sealed before. What
//! is sealed names its key, so a process that meets one it does not know reads its keys again, and goes on.

use crate::{Error, Result};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::RngExt;
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError, RwLock};

/// First byte of what names its key: the key's id, a nonce and the sealed secret follow.
const VERSION: u8 = 2;
/// First byte of what was sealed when there was one key: a nonce and the sealed secret follow.
const WITHOUT_KEY: u8 = 1;
/// How long a nonce is.
const NONCE: usize = 24;
/// What everything begins with that is sealed with the present key: [`VERSION`] and the key's id.
pub type Prefix = [u8; 5];

/// The master keys of an installation.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeys {
    /// It seals.
    pub present: [u8; 32],
    /// They open what was sealed before.
    pub older: Vec<[u8; 32]>,
}

impl MasterKeys {
    /// One key, and none before it.
    pub fn one(key: [u8; 32]) -> Self {
        Self { present: key, older: Vec::new() }
    }
}

/// Where the master keys come from; asked again when they may have changed.
pub type KeySource = Box<dyn Fn() -> anyhow::Result<MasterKeys> + Send + Sync>;

/// One of the keys, ready for use.
struct Key {
    bytes: [u8; 32],
    prefix: Prefix,
    cipher: XChaCha20Poly1305,
}

impl Key {
    fn new(bytes: &[u8; 32]) -> Self {
        Self { bytes: *bytes, prefix: prefix(bytes), cipher: XChaCha20Poly1305::new(bytes.into()) }
    }

    fn open(&self, row: &str, nonce: &[u8; NONCE], body: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: row.as_bytes() }).ok()
    }
}

/// Four bytes of a hash of the key tell keys apart and tell nothing of a key that is random.
fn prefix(key: &[u8; 32]) -> Prefix {
    let hash = Sha256::new().chain_update(b"webmeteor master key id: ").chain_update(key).finalize();
    [VERSION, hash[0], hash[1], hash[2], hash[3]]
}

/// A master key's short name, as people are told it: eight hexadecimal digits.
pub fn key_id(key: &[u8; 32]) -> String {
    hex::encode(&prefix(key)[1..])
}

/// The keys at one time; the first one seals.
type Ring = Arc<[Key]>;

fn ring(keys: &MasterKeys) -> Ring {
    let mut ring = vec![Key::new(&keys.present)];
    for older in &keys.older {
        if ring.iter().all(|key| key.bytes != *older) {
            ring.push(Key::new(older));
        }
    }
    ring.into()
}

/// Seals and opens secrets. The associated data names the row (`sites/{id}/webhook_secret`), so that a sealed value
/// copied into another row does not open.
pub struct Vault {
    ring: RwLock<Ring>,
    source: KeySource,
}

impl Vault {
    /// A vault under this one master key.
    pub fn new(key: [u8; 32]) -> Self {
        let keys = MasterKeys::one(key);
        Self { ring: RwLock::new(ring(&keys)), source: Box::new(move || Ok(keys.clone())) }
    }

    /// A vault under the keys of this source.
    ///
    /// # Errors
    /// If it has none.
    pub fn of(source: KeySource) -> anyhow::Result<Self> {
        let keys = source()?;
        Ok(Self { ring: RwLock::new(ring(&keys)), source })
    }

    fn ring(&self) -> Ring {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the source for the keys again. Where they cannot be read just now, those known stay in use.
    fn ring_anew(&self) -> Ring {
        let keys = match (self.source)() {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the master key cannot be read again");
                return self.ring();
            }
        };
        let mut kept = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = kept.iter().map(|key| &key.bytes).eq([&keys.present].into_iter().chain(&keys.older));
        if !is_known {
            *kept = ring(&keys);
        }
        kept.clone()
    }

    /// Seals a secret for one row, with the key that is the present one at this moment: the source is asked each time, for
    /// nothing should come under an old key once everything was moved from it. Sealing is rare and the answer a short file.
    ///
    /// # Errors
    /// Only if the cipher refuses (a secret of many gigabytes).
    pub fn seal(&self, row: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let ring = self.ring_anew();
        let key = &ring[0];
        let sealed = key
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: row.as_bytes() })
            .map_err(|_| anyhow::anyhow!("a secret could not be sealed"))?;
        Ok([&key.prefix[..], &nonce, &sealed].concat())
    }

    /// Opens what was sealed for this row.
    ///
    /// # Errors
    /// With a master key that is not known here, for another row, or if it was changed.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || Error::Internal(anyhow::anyhow!("the secret of {row} does not open with this master key"));
        open_with(&self.ring(), row, sealed).or_else(|| open_with(&self.ring_anew(), row, sealed)).ok_or_else(wrong)
    }

    /// Seals anew what is not sealed with the present key; `None` where nothing is to be done.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn seal_again(&self, row: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        if sealed.starts_with(&self.prefix()) {
            return Ok(None);
        }
        self.seal(row, &self.open(row, sealed)?).map(Some)
    }

    /// What is sealed with the present key begins with this.
    pub fn prefix(&self) -> Prefix {
        self.ring_anew()[0].prefix
    }

    /// The short names of the keys that are known here, the present one first.
    pub fn key_ids(&self) -> Vec<String> {
        self.ring_anew().iter().map(|key| key_id(&key.bytes)).collect()
    }

    /// The master keys, as people write keys down, to keep them out of logs.
    pub(crate) fn written(&self) -> Vec<String> {
        self.ring().iter().flat_map(|key| written(&key.bytes)).collect()
    }
}

fn open_with(ring: &Ring, row: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (prefix, rest) = match *sealed.first()? {
        VERSION => sealed.split_at_checked(size_of::<Prefix>())?,
        WITHOUT_KEY => sealed.split_at(1),
        _ => return None,
    };
    let (nonce, body) = rest.split_first_chunk::<NONCE>()?;
    let fits = |key: &&Key| prefix == [WITHOUT_KEY] || prefix == key.prefix;
    ring.iter().filter(fits).find_map(|key| key.open(row, nonce, body))
}

/// A key, as people write keys down.
pub(crate) fn written(key: &[u8; 32]) -> [String; 4] {
    let digits = hex::encode(key);
    [digits.to_ascii_uppercase(), digits, STANDARD_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(key)]
}

/// Random text that is safe in headers, addresses and environment files: 32 bytes as hexadecimal digits.
pub fn random_secret() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    hex::encode(bytes)
}

/// A short, stable name for a text: 16 hexadecimal digits of its SHA-256.
pub fn fingerprint(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_own_row_alone() {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal("sites/1", b"hush").unwrap();
        assert_eq!(vault.open("sites/1", &sealed).unwrap(), b"hush");
        assert!(vault.open("sites/2", &sealed).is_err());
        assert!(Vault::new([8; 32]).open("sites/1", &sealed).is_err());
    }

    /// Keys that a test changes, and a vault that reads them.
    fn changing(first: MasterKeys) -> (Arc<RwLock<MasterKeys>>, Vault) {
        let keys = Arc::new(RwLock::new(first));
        let read = keys.clone();
        (keys, Vault::of(Box::new(move || Ok(read.read().unwrap().clone()))).unwrap())
    }

    /// As it was sealed when there was one key.
    fn sealed_without_key(key: [u8; 32], row: &str, secret: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: secret, aad: row.as_bytes() };
        let body = XChaCha20Poly1305::new(&key.into()).encrypt(&XNonce::from([9; 24]), payload).unwrap();
        [&[WITHOUT_KEY][..], &[9; 24], &body].concat()
    }

    #[test]
    fn what_was_sealed_without_a_keys_id_still_opens_with_whichever_key_it_was() {
        let old = sealed_without_key([7; 32], "r", b"hush");
        let vault = Vault::of(Box::new(|| Ok(MasterKeys { present: [8; 32], older: vec![[7; 32]] }))).unwrap();
        assert_eq!(vault.open("r", &old).unwrap(), b"hush");
        assert!(vault.open("other", &old).is_err());
        assert!(Vault::new([8; 32]).open("r", &old).is_err());
        let anew = vault.seal_again("r", &old).unwrap().unwrap();
        assert!(anew.starts_with(&vault.prefix()));
        assert_eq!(vault.open("r", &anew).unwrap(), b"hush");
        assert_eq!(vault.seal_again("r", &anew).unwrap(), None);
    }

    #[test]
    fn a_running_process_learns_of_a_new_key_when_it_meets_it_and_when_it_seals() {
        let (keys, running) = changing(MasterKeys::one([7; 32]));
        let before = running.seal("r", b"before").unwrap();
        let rotated = MasterKeys { present: [8; 32], older: vec![[7; 32]] };
        let other = Vault::of(Box::new({
            let rotated = rotated.clone();
            move || Ok(rotated.clone())
        }))
        .unwrap();
        let after = other.seal("r", b"after").unwrap();
        assert!(running.open("r", &after).is_err(), "its source does not have the key yet");
        *keys.write().unwrap() = rotated;
        assert_eq!(running.open("r", &after).unwrap(), b"after");
        assert_eq!(running.open("r", &before).unwrap(), b"before");
        assert!(running.seal("r", b"x").unwrap().starts_with(&other.prefix()));
    }

    #[test]
    fn keys_that_cannot_be_read_for_a_moment_stay_in_use() {
        let fails = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let read = fails.clone();
        let vault = Vault::of(Box::new(move || {
            anyhow::ensure!(!read.load(std::sync::atomic::Ordering::Relaxed), "no such file");
            Ok(MasterKeys::one([7; 32]))
        }))
        .unwrap();
        fails.store(true, std::sync::atomic::Ordering::Relaxed);
        let sealed = vault.seal("r", b"hush").unwrap();
        assert_eq!(vault.open("r", &sealed).unwrap(), b"hush");
    }

    #[test]
    fn all_keys_are_told_to_who_keeps_them_out_of_logs() {
        let vault = Vault::of(Box::new(|| Ok(MasterKeys { present: [8; 32], older: vec![[7; 32]] }))).unwrap();
        for key in [[7_u8; 32], [8; 32]] {
            assert!(vault.written().contains(&hex::encode(key)));
        }
        assert_eq!(vault.key_ids(), [key_id(&[8; 32]), key_id(&[7; 32])]);
    }

    #[test]
    fn a_changed_or_cut_secret_does_not_open() {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal("r", b"hush").unwrap();
        for cut in 0..sealed.len() {
            assert!(vault.open("r", &sealed[..cut]).is_err());
            let mut changed = sealed.clone();
            changed[cut] ^= 1;
            assert!(vault.open("r", &changed).is_err());
        }
    }
}
