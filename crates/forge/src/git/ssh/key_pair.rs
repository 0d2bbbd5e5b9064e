//! A new pair of keys.

use crate::git::FetchError;
use model::deployment::FailureCode;
use secrecy::SecretString;
use ssh_key::{Algorithm, LineEnding, PrivateKey, rand_core::OsRng};

/// An Ed25519 pair in OpenSSH's formats.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The private half, without a passphrase.
    pub private_key: SecretString,
    /// The public half, without a comment.
    pub public_key: String,
}

impl KeyPair {
    /// A new one, from the system's source of randomness.
    ///
    /// # Errors
    /// `internal` if it cannot be written down.
    pub fn generate() -> Result<Self, FetchError> {
        let failed = |e: ssh_key::Error| FetchError::new(FailureCode::Internal, format!("No key could be made: {e}."));
        let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(failed)?;
        let private_key = key.to_openssh(LineEnding::LF).map_err(failed)?;
        let public_key = key.public_key().to_openssh().map_err(failed)?.trim().to_owned();
        Ok(Self { private_key: SecretString::from(private_key.as_str()), public_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::ssh::{fingerprint, in_memory::InMemory};
    use secrecy::ExposeSecret;
    use std::process::Command;

    fn keygen(args: &[&str]) -> String {
        let output = Command::new("ssh-keygen").args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn openssh_reads_the_pair_and_agrees_on_its_fingerprint() {
        let pair = KeyPair::generate().unwrap();
        assert!(pair.public_key.starts_with("ssh-ed25519 "), "{}", pair.public_key);
        let private = InMemory::new(pair.private_key.expose_secret().as_bytes()).unwrap();
        assert_eq!(keygen(&["-y", "-f", &private.path()]).trim(), pair.public_key);
        let listed = keygen(&["-l", "-f", &private.path()]);
        assert!(listed.contains(&fingerprint(&pair.public_key)), "{listed}");
        assert_ne!(KeyPair::generate().unwrap().public_key, pair.public_key);
        assert!(!format!("{pair:?}").contains("PRIVATE"));
    }
}
