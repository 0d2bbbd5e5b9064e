//! Where a repository lies that is reached over SSH.

use crate::names::{NameError, RepoUrl};

/// The parts of `ssh://user@host:port/path` or `user@host:path`, each of letters that neither a shell nor an option
/// begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAddress {
    /// Who signs in.
    pub user: String,
    /// A name or an address; an IPv6 address in brackets.
    pub host: String,
    /// `None`: 22.
    pub port: Option<u16>,
    /// Where on the server.
    pub path: String,
}

impl SshAddress {
    /// Reads either form; both name their user.
    ///
    /// # Errors
    /// A [`NameError`] that says which part is wrong.
    pub fn parse(raw: &str) -> Result<Self, NameError> {
        let shape = "An SSH address looks like git@example.org:me/site.git or ssh://git@example.org:22/me/site.git.";
        let (user, host, port, path) = if let Some(rest) = raw.strip_prefix("ssh://") {
            let (place, path) = rest.split_once('/').ok_or_else(|| wrong(shape))?;
            let (user, place) = place.split_once('@').ok_or_else(|| wrong(shape))?;
            let (host, port) = split_port(place).ok_or_else(|| wrong(shape))?;
            (user, host, port, path)
        } else {
            let (place, path) = raw.split_once(':').ok_or_else(|| wrong(shape))?;
            let (user, host) = place.split_once('@').ok_or_else(|| wrong(shape))?;
            (user, host, None, path.strip_prefix('/').unwrap_or(path))
        };
        if !is_user(user) {
            return Err(wrong("The user in an SSH address has letters, digits, dots, hyphens and underscores only."));
        }
        if !is_host(host) {
            return Err(wrong("The host in an SSH address is a name such as example.org, or an IP address."));
        }
        if raw.len() > 500 || !is_path(path) {
            return Err(wrong(
                "The path in an SSH address has letters, digits and . _ - + ~ only, and no part that begins with a hyphen.",
            ));
        }
        Ok(Self { user: user.to_owned(), host: host.to_lowercase(), port, path: path.to_owned() })
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(22)
    }
}

impl RepoUrl {
    /// Its parts, if it is reached over SSH.
    pub fn ssh(&self) -> Option<SshAddress> {
        if self.as_str().starts_with("http") && self.as_str().contains("://") {
            return None;
        }
        SshAddress::parse(self.as_str()).ok()
    }
}

fn wrong(message: &str) -> NameError {
    NameError { code: "repository_url", message: message.to_owned() }
}

fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port = port.parse().ok().filter(|port| *port > 0)?;
            Some((host, Some(port)))
        }
        _ => Some((place, None)),
    }
}

fn begins_with_letter_or_digit(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

fn is_user(user: &str) -> bool {
    user.len() <= 64
        && (begins_with_letter_or_digit(user) || user.starts_with('_'))
        && user.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.len() <= 253
        && begins_with_letter_or_digit(host)
        && !host.contains("..")
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn is_path(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'~' | b'/'))
        && path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_ssh_address_are_read() {
        let parts = |raw: &str| {
            let it = RepoUrl::parse(raw).unwrap().ssh().unwrap();
            (it.user.clone(), it.host.clone(), it.port(), it.path)
        };
        let owned = |user: &str, host: &str, port, path: &str| (user.into(), host.into(), port, path.into());
        assert_eq!(parts("git@GitHub.com:Me/site.git"), owned("git", "github.com", 22, "Me/site.git"));
        assert_eq!(parts("ssh://git@h.example:2222/a/b.git"), owned("git", "h.example", 2222, "a/b.git"));
        assert_eq!(parts("ssh://me_1@[::1]:9/~me/b"), owned("me_1", "[::1]", 9, "~me/b"));
        assert_eq!(parts("git@10.0.0.1:/srv/b.git"), owned("git", "10.0.0.1", 22, "srv/b.git"));
    }

    #[test]
    fn nothing_in_an_ssh_address_reads_as_an_option_a_command_or_another_place() {
        for bad in [
            "-oProxyCommand=x@h:a/b",
            "git@-oProxyCommand=x:a/b",
            "ssh://-oProxyCommand=x/a/b",
            "ssh://git@-oProxyCommand=x/a/b",
            "ssh://git@h/-a",
            "ssh://git@h/a/--upload-pack=x",
            "git@h:-a/b",
            "git@h:a/../b",
            "git@h:a//b",
            "git@h:",
            "git@h:a b",
            "git@h:a;b",
            "git@h:a$(b)",
            "git@h:a`b`",
            "git@h:a'b",
            "git@h:a%2db",
            "git@h:a\nb",
            "g$t@h:a/b",
            "git@h$x:a/b",
            "git@h_x:a/b",
            "git:pass@h:a/b",
            "ssh://git:pass@h/a/b",
            "ssh://git@h:0/a",
            "ssh://git@h:70000/a",
            "ssh://git@h:-1/a",
            "ssh://git@h/",
            "ssh://git@[::1/a",
            "ssh://git@[localhost]/a",
            "ssh://h/a",
            "h:a/b",
            "ext::true",
            "ext::sh -c x",
            "git@ext::sh",
            "file:///etc",
            "ssh+git://git@h/a",
            "git+ssh://git@h/a",
        ] {
            assert!(RepoUrl::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(RepoUrl::parse("https://example.org/a").unwrap().ssh(), None);
    }
}
