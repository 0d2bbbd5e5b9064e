//! The keys by which servers are known.

use super::{connection::MOST_ADDRESSES, fingerprint, missing};
use crate::git::{FetchError, address};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::{deployment::FailureCode, names::RepoUrl, ssh::SshAddress};
use std::{net::IpAddr, process::Stdio, time::Duration};
use tokio::process::Command;

/// How long a server is given to show its keys, in seconds.
const SCAN_SECONDS: u64 = 8;
/// How long a server is looked for at all of its addresses; somebody waits for the answer.
const LEARN_LIMIT: Duration = Duration::from_secs(15);
/// Kinds of keys, the one to be known by first.
const KINDS: &[&str] = &["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/// What forges say of themselves, for their names on port 22:
/// <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints>,
/// <https://docs.gitlab.com/user/gitlab_com/#ssh-known_hosts-entries>,
/// <https://support.atlassian.com/bitbucket-cloud/docs/configure-ssh-and-two-step-verification/>,
/// <https://docs.codeberg.org/security/ssh-fingerprint/>.
const PUBLISHED: &[(&str, &str)] = &[
    ("github.com", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"),
    ("gitlab.com", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf"),
    ("bitbucket.org", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO"),
    ("codeberg.org", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIVIC02vnjFyL+I4RHfvIGNtOgJMe769VTF1VR4EB3ZB"),
];

/// A server's public key: its kind and its blob, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey(String);

impl HostKey {
    /// Reads a kind and a blob in base64; `None` for anything else.
    pub fn parse(raw: &str) -> Option<Self> {
        let (kind, blob) = raw.trim().split_once(' ')?;
        let known = KINDS.contains(&kind) && STANDARD.decode(blob).is_ok_and(|blob| blob.len() > 32);
        known.then(|| Self(format!("{kind} {blob}")))
    }

    /// As OpenSSH writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `SHA256:…`, as people compare it.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }

    fn rank(&self) -> usize {
        KINDS.iter().position(|kind| self.0.strip_prefix(kind).is_some()).unwrap_or(KINDS.len())
    }
}

/// The key that a forge publishes for itself; `None` for a server of somebody's own.
pub fn published_host_key(address: &SshAddress) -> Option<HostKey> {
    let (_, key) = PUBLISHED.iter().find(|(host, _)| *host == address.host && address.port() == 22)?;
    HostKey::parse(key)
}

/// Asks a server for its key; nobody vouches for the answer.
///
/// # Errors
/// `fetch_failed` if the address may not be asked, or does not answer.
pub async fn learn_host_key(url: &RepoUrl, allow_private: bool) -> Result<HostKey, FetchError> {
    let address = url.ssh().ok_or_else(|| address::refused("The address is none of SSH."))?;
    let reach = address::check_ssh(&address, allow_private).await?;
    let ask = async {
        for ip in reach.into_iter().take(MOST_ADDRESSES) {
            if let Some(key) = scan(ip, address.port()).await? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    };
    let found: Result<_, FetchError> = tokio::time::timeout(LEARN_LIMIT, ask).await.unwrap_or(Ok(None));
    let nothing =
        || FetchError::temporary(FailureCode::FetchFailed, "The repository's server does not answer over SSH.");
    found?.ok_or_else(nothing)
}

/// The best of the keys that an address shows; `None` if it shows none.
pub(super) async fn scan(ip: IpAddr, port: u16) -> Result<Option<HostKey>, FetchError> {
    let mut command = Command::new("ssh-keyscan");
    command
        .args(["-T", &SCAN_SECONDS.to_string(), "-t", "ed25519,ecdsa,rsa", "-p", &port.to_string(), "--"])
        .arg(ip.to_string())
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let work = async { command.output().await.map_err(|e| missing(&e)) };
    let Ok(output) = tokio::time::timeout(Duration::from_secs(3 * SCAN_SECONDS), work).await else { return Ok(None) };
    Ok(best(&String::from_utf8_lossy(&output?.stdout)))
}

fn best(listing: &str) -> Option<HostKey> {
    let lines = listing.lines().filter_map(|line| line.split_once(' '));
    lines.filter_map(|(_, key)| HostKey::parse(key)).min_by_key(HostKey::rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> SshAddress {
        SshAddress::parse(url).unwrap()
    }

    /// The fingerprints as the forges' pages give them.
    #[test]
    fn the_forges_are_known_by_what_they_publish() {
        for (url, fingerprint) in [
            ("git@github.com:a/b.git", "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"),
            ("ssh://git@GitLab.com:22/a/b", "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"),
            ("git@bitbucket.org:a/b.git", "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM"),
            ("git@codeberg.org:a/b.git", "SHA256:mIlxA9k46MmM6qdJOdMnAQpzGxF4WIVVL+fj+wZbw0g"),
        ] {
            assert_eq!(published_host_key(&address(url)).unwrap().fingerprint(), fingerprint, "{url}");
        }
        for url in ["git@example.org:a/b", "ssh://git@github.com:443/a/b", "git@github.com.example.org:a/b"] {
            assert_eq!(published_host_key(&address(url)), None, "{url}");
        }
    }

    #[test]
    fn the_best_of_a_servers_keys_is_taken_and_what_is_none_is_not() {
        let (_, ed25519) = PUBLISHED[0];
        let ecdsa = format!("ecdsa-sha2-nistp256 {}", STANDARD.encode([1; 64]));
        let listing = format!("# x\n1.2.3.4 {ecdsa}\n1.2.3.4 {ed25519}\n1.2.3.4 ssh-dss AAAA\n1.2.3.4 ssh-rsa !\n");
        assert_eq!(best(&listing).unwrap().as_str(), ed25519);
        assert_eq!(best(&format!("1.2.3.4 {ecdsa}\n")).unwrap().as_str(), ecdsa);
        assert_eq!(best(""), None);
        assert_eq!(HostKey::parse(&format!("{ed25519}\n* {ed25519}")), None, "one line alone");
    }

    #[tokio::test]
    async fn a_private_network_is_not_asked_for_its_key() {
        for url in ["git@127.0.0.1:a/b", "git@localhost:a/b", "ssh://git@[::1]/a", "git@10.0.0.1:a", "git@127.1:a"] {
            let error = learn_host_key(&RepoUrl::parse(url).unwrap(), false).await.unwrap_err();
            assert!(error.message.contains("private network"), "{url}: {error}");
        }
    }
}
