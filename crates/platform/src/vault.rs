//! Secrets at rest: XChaCha20-Poly1305 under the master key, bound to their row.

use crate::{Error, Result};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use rand::RngExt;
use sha2::Sha256;

/// First byte of everything sealed: tells which key and layout.
const VERSION: u8 = 1;

/// Seals and opens secrets. The associated data names the row (`sites/{id}/webhook_secret`), so that a sealed value
/// copied into another row does not open.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    key: [u8; 32],
}

impl Vault {
    /// A vault under this master key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&key.into()), key }
    }

    /// Seals a secret for one row.
    ///
    /// # Errors
    /// Only if the cipher refuses (a secret of many gigabytes).
    pub fn seal(&self, row: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; 24] = rand::rng().random();
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: row.as_bytes() })
            .map_err(|_| anyhow::anyhow!("a secret could not be sealed"))?;
        Ok([&[VERSION][..], &nonce, &sealed].concat())
    }

    /// Opens what was sealed for this row.
    ///
    /// # Errors
    /// With another master key, for another row, or if it was changed.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || Error::Internal(anyhow::anyhow!("the secret of {row} does not open with this master key"));
        let (version, rest) = sealed.split_first().ok_or_else(wrong)?;
        let (nonce, body) = rest.split_at_checked(24).ok_or_else(wrong)?;
        let nonce: [u8; 24] = nonce.try_into().map_err(|_| wrong())?;
        if *version != VERSION {
            return Err(wrong());
        }
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg: body, aad: row.as_bytes() }).map_err(|_| wrong())
    }

    /// The master key and the keys derived from it, as people write keys down, to keep them out of logs.
    pub(crate) fn written(&self) -> Vec<String> {
        let keys = [self.key, self.derive(crate::tokens::SIGNING_KEY)];
        let digits = keys.iter().map(hex::encode).flat_map(|text| [text.to_ascii_uppercase(), text]);
        digits.chain(keys.iter().flat_map(|key| [STANDARD_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(key)])).collect()
    }

    /// A key for another purpose, derived from the master key (HMAC-SHA-256); the same at every start and in every
    /// process of the installation.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        // A block of the hash, so that there is no length to refuse; HMAC itself would add the same zeros.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"webmeteor derived key: ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Random text that is safe in headers, addresses and environment files: 32 bytes as hexadecimal digits.
pub fn random_secret() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    hex::encode(bytes)
}

/// A short, stable name for a text: 16 hexadecimal digits of its SHA-256.
pub fn fingerprint(text: &str) -> String {
    use sha2::{Digest, Sha256};
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

    #[test]
    fn derived_keys_differ_by_purpose_and_master_key_and_stay_the_same() {
        let vault = Vault::new([7; 32]);
        assert_eq!(vault.derive("a"), Vault::new([7; 32]).derive("a"));
        assert_ne!(vault.derive("a"), vault.derive("b"));
        assert_ne!(vault.derive("a"), Vault::new([8; 32]).derive("a"));
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
