//! A checked way to a repository over SSH.

use super::{SshAccess, fingerprint, host_key::scan, in_memory::InMemory};
use crate::git::{FetchError, Git, GitError, remote::BROKEN_OFF};
use model::{deployment::FailureCode, names::RepoUrl, ssh::SshAddress};
use secrecy::ExposeSecret;
use std::{net::IpAddr, time::Duration};
use tokio_util::sync::CancellationToken;

/// The name under which the server's key stands in the list of known ones. It is ours, so that neither the address
/// nor the port has a part in finding it.
const ALIAS: &str = "repository";
/// So many of a host's addresses are tried.
pub(super) const MOST_ADDRESSES: usize = 4;

/// A repository, the addresses that were checked, and what opens it.
pub(in crate::git) struct Connection {
    pub(in crate::git) url: RepoUrl,
    pub(in crate::git) address: SshAddress,
    pub(in crate::git) reach: Vec<IpAddr>,
    pub(in crate::git) access: SshAccess,
    pub(in crate::git) timeout: Duration,
    pub(in crate::git) cancel: CancellationToken,
}

impl Connection {
    /// Runs git against the repository, at the first of its addresses that answers.
    pub(in crate::git) async fn run(&self, git: impl Fn(&str) -> Git) -> Result<Vec<u8>, FetchError> {
        let key = InMemory::new(self.access.private_key.expose_secret().as_bytes())?;
        let known = InMemory::new(format!("{ALIAS} {}\n", self.access.host_key.as_str()).as_bytes())?;
        let mut unreachable = None;
        let end = tokio::time::Instant::now() + self.timeout;
        for ip in self.reach.iter().take(MOST_ADDRESSES) {
            let outcome = git(self.url.as_str())
                .config("protocol.ssh.allow", "always")
                .env("GIT_SSH_VARIANT", "ssh")
                .env("GIT_SSH_COMMAND", command(&key.path(), &known.path(), *ip))
                .timeout(end.saturating_duration_since(tokio::time::Instant::now()))
                .cancel(&self.cancel)
                .run()
                .await;
            match outcome {
                Err(GitError::Exit { code, stderr }) if says(&stderr, NO_ANSWER) => {
                    unreachable = Some(GitError::Exit { code, stderr });
                }
                Err(error) => return Err(self.explain(error, *ip).await),
                Ok(found) => return Ok(found),
            }
        }
        let nothing = || FetchError::temporary(FailureCode::FetchFailed, "The repository's server does not answer.");
        Err(unreachable.map_or_else(nothing, |error| self.told(error)))
    }

    async fn explain(&self, error: GitError, ip: IpAddr) -> FetchError {
        let is_another = matches!(&error, GitError::Exit { stderr, .. } if says(stderr, ANOTHER_KEY));
        if !is_another {
            return self.told(error);
        }
        let known = self.access.host_key.fingerprint();
        let offered = scan(ip, self.address.port()).await.ok().flatten().map(|key| key.fingerprint());
        let shows = offered.as_deref().unwrap_or("another one");
        let message = format!(
            "The repository's server is known by the key {known}, and shows {shows} now. Either it was given a new one, \
             or somebody stands between: ask whoever runs it, and accept the new key in the site's settings if it is right."
        );
        FetchError { offered_host_key: offered, ..FetchError::new(FailureCode::HostKeyChanged, message) }
    }

    /// What went wrong, in words that say what to do.
    fn told(&self, error: GitError) -> FetchError {
        let stderr = match &error {
            GitError::Exit { stderr, .. } => stderr,
            GitError::TimedOut(limit) => {
                let message = format!("The repository's server did not deliver within {} s.", limit.as_secs());
                return FetchError::new(FailureCode::FetchTimeout, message);
            }
            _ => return error.into(),
        };
        let says = |words: &[&str]| says(stderr, words);
        let (code, message) = if says(&["ssh: not found", "cannot run ssh", "ssh: command not found"]) {
            let message = "The OpenSSH client is not installed beside the platform; ask the operator to install it.";
            (FailureCode::Internal, message.to_owned())
        } else if says(&["Load key \"/proc/", "no such identity: /proc/"]) {
            let message =
                "ssh cannot read what the platform hands it through /proc; ask the operator to run both as one user.";
            (FailureCode::Internal, message.to_owned())
        } else if says(&["couldn't find remote ref", "not our ref", "unadvertised object"]) {
            (FailureCode::RefNotFound, "The branch or commit is not in the repository.".to_owned())
        } else if says(&["Permission denied ("]) {
            let message = format!(
                "The repository's server does not let the deploy key in ({}). Add its public half to the repository at \
                 the forge, where reading is enough, then try again.",
                fingerprint(&self.access.public_key)
            );
            (FailureCode::DeployKeyRefused, message)
        } else if says(NO_ANSWER) {
            return FetchError::temporary(
                FailureCode::FetchFailed,
                "The repository's server does not answer over SSH.",
            );
        } else if says(&["not found", "does not appear to be a git repository", "could not be found", "does not exist"])
        {
            let message = "There is no repository at this address, or the deploy key was added to another one.";
            (FailureCode::FetchFailed, message.to_owned())
        } else if says(&["Unable to negotiate", "no matching"]) {
            let message = "The repository's server speaks none of the ways of encryption that are still safe.";
            (FailureCode::FetchFailed, message.to_owned())
        } else if says(BROKEN_OFF) {
            return FetchError::temporary(FailureCode::FetchFailed, "The repository's server broke off in the middle.");
        } else {
            return error.into();
        };
        FetchError::new(code, message)
    }
}

/// What ssh says when a server cannot be reached.
const NO_ANSWER: &[&str] = &[
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "No route to host",
    "Network is unreachable",
    "Connection closed by",
    "Connection reset by",
    "kex_exchange_identification",
];
/// … and when it shows another key than the known one.
const ANOTHER_KEY: &[&str] = &["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"];

fn says(stderr: &str, words: &[&str]) -> bool {
    words.iter().any(|word| stderr.contains(word))
}

/// How git is to start ssh. Git takes it as one text and has a shell read it, so that nothing stands in it but our own
/// words, the digits of two paths, and a parsed IP address. No settings of the user's or the system's are read; the
/// address is the one that was checked, whatever the name leads to by now (<https://man.openbsd.org/ssh_config>).
fn command(key: &str, known: &str, ip: IpAddr) -> String {
    let options = [
        "BatchMode=yes".to_owned(),
        "IdentitiesOnly=yes".to_owned(),
        "IdentityAgent=none".to_owned(),
        format!("IdentityFile={key}"),
        "PreferredAuthentications=publickey".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        format!("UserKnownHostsFile={known}"),
        "GlobalKnownHostsFile=none".to_owned(),
        "KnownHostsCommand=none".to_owned(),
        "VerifyHostKeyDNS=no".to_owned(),
        "CheckHostIP=no".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        format!("HostKeyAlias={ALIAS}"),
        format!("Hostname={ip}"),
        "ProxyCommand=none".to_owned(),
        "ProxyJump=none".to_owned(),
        "PermitLocalCommand=no".to_owned(),
        "ControlPath=none".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "ConnectTimeout=10".to_owned(),
        "ServerAliveInterval=10".to_owned(),
        "ServerAliveCountMax=3".to_owned(),
    ];
    options.iter().fold("ssh -F none".to_owned(), |command, option| format!("{command} -o {option}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_shell_reads_stands_in_the_command() {
        for ip in ["127.0.0.1", "2001:db8::1", "::ffff:1.2.3.4"] {
            let command = command("/proc/1/fd/7", "/proc/1/fd/8", ip.parse().unwrap());
            let harmless = |c: char| c.is_ascii_alphanumeric() || " -=/.:".contains(c);
            assert!(command.chars().all(harmless), "{command}");
            assert!(command.contains(&format!("Hostname={ip} ")), "{command}");
        }
    }

    /// The name is in no DNS (RFC 6761, section 6.4), so that whoever finds it went by the checked address; and where the
    /// name leads elsewhere by now, nobody goes there.
    #[tokio::test]
    async fn ssh_connects_to_the_addresses_that_were_checked_and_looks_up_no_others() {
        use tokio::io::AsyncReadExt;
        let checked = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = checked.local_addr().unwrap().port();
        let elsewhere = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        for host in ["pinned.invalid", "localhost"] {
            let url = RepoUrl::parse(&format!("ssh://git@{host}:{port}/a/b.git")).unwrap();
            let pair = crate::git::KeyPair::generate().unwrap();
            let host_key = crate::git::HostKey::parse(&pair.public_key).unwrap();
            let access = SshAccess { private_key: pair.private_key, public_key: pair.public_key, host_key };
            let connection = Connection {
                address: url.ssh().unwrap(),
                url,
                reach: vec!["127.0.0.2".parse().unwrap()],
                access,
                timeout: Duration::from_secs(20),
                cancel: CancellationToken::new(),
            };
            let banner = async {
                let (mut stream, _) = checked.accept().await.unwrap();
                let mut begin = [0; 8];
                stream.read_exact(&mut begin).await.unwrap();
                begin
            };
            let asked = connection.run(|url| Git::new(["ls-remote", "--", url]));
            let banner = tokio::time::timeout(Duration::from_mins(1), banner);
            let (outcome, banner) = tokio::join!(asked, banner);
            assert_eq!(&banner.expect("ssh asks the checked address"), b"SSH-2.0-", "{host}");
            assert!(outcome.unwrap_err().temporary, "{host}");
        }
        let nobody = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
        assert!(nobody.is_err(), "the name was looked up");
    }
}
