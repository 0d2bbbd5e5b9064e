//! Repositories that are reached over SSH: by a key of their own, from a server whose key is known.

mod connection;
mod host_key;
mod in_memory;
mod key_pair;

pub(super) use connection::Connection;
pub use host_key::{HostKey, learn_host_key, published_host_key};
pub use key_pair::KeyPair;

use super::FetchError;
use model::deployment::FailureCode;
use secrecy::SecretString;
use std::process::Stdio;
use tokio::process::Command;

/// What opens a repository over SSH.
#[derive(Debug, Clone)]
pub struct SshAccess {
    /// The private half, as OpenSSH writes it.
    pub private_key: SecretString,
    /// The public half, as OpenSSH writes it.
    pub public_key: String,
    /// The one key that the server may show.
    pub host_key: HostKey,
}

/// The OpenSSH client that this program runs, such as `OpenSSH_9.2p1`.
///
/// # Errors
/// `internal` if there is none.
pub async fn ssh_version() -> Result<String, FetchError> {
    let told = Command::new("ssh").arg("-V").stdin(Stdio::null()).output().await.map_err(|e| missing(&e))?;
    let told = String::from_utf8_lossy(&told.stderr).trim().to_owned();
    Ok(told.split([' ', ',']).next().unwrap_or_default().to_owned())
}

fn missing(error: &std::io::Error) -> FetchError {
    FetchError::new(
        FailureCode::Internal,
        format!("The OpenSSH client could not be started ({error}); it has to be installed beside the platform."),
    )
}

/// `SHA256:` and the hash of a key's blob in base64, as `ssh-keygen -l` shows it; the key is one line of OpenSSH's
/// public format (<https://man.openbsd.org/sshd#AUTHORIZED_KEYS_FILE_FORMAT>).
pub fn fingerprint(public_key: &str) -> String {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
    };
    use sha2::{Digest, Sha256};
    let blob = public_key.split_whitespace().nth(1).and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}
