//! One name for a repository, whichever of its addresses was written down.

use std::fmt;
use url::Url;

/// Longer addresses are nobody's.
const MAX_URL: usize = 500;

/// A repository as `host/path`: without scheme, user, default port, `.git` and trailing slash, in lower case.
///
/// Lower case throughout, because the forges' repository names ignore case; it only serves to find whose secret to try.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryKey(String);

impl RepositoryKey {
    /// The key of an address in URL form (`https://…`, `ssh://…`, `git://…`) or in scp form (`git@host:path`); `None`
    /// if it is neither.
    pub fn of(address: &str) -> Option<Self> {
        let address = address.trim();
        if address.is_empty() || address.len() > MAX_URL {
            return None;
        }
        let (host, path) = if address.contains("://") {
            let url = Url::parse(address).ok()?;
            let host = url.host_str()?;
            let host = match (url.scheme(), url.port()) {
                ("http" | "https", Some(port)) => format!("{host}:{port}"),
                ("http" | "https" | "ssh" | "git", _) => host.to_owned(),
                _ => return None,
            };
            (host, url.path().to_owned())
        } else {
            let (host, path) = address.split_once(':')?;
            (host.rsplit_once('@').map_or(host, |(_, host)| host).to_owned(), path.to_owned())
        };
        let path = path.trim_matches('/').to_lowercase();
        let path = path.strip_suffix(".git").unwrap_or(&path).trim_matches('/');
        if host.is_empty() || path.is_empty() || host.contains('/') {
            return None;
        }
        Some(Self(format!("{}/{path}", host.to_lowercase())))
    }

    /// `host/path`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its web addresses in lower case, without `.git` and a slash at the end, and that of SSH, as
    /// `ssh://host/path`: the port of the one says nothing about the other's.
    pub fn addresses(&self) -> [String; 3] {
        let (host, path) = self.0.split_once('/').unwrap_or((&self.0, ""));
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let bare = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(bare, _)| bare);
        [format!("https://{}", self.0), format!("http://{}", self.0), format!("ssh://{bare}/{path}")]
    }
}

impl fmt::Display for RepositoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_repository_have_one_key() {
        for address in [
            "https://github.com/Octo/Hello.git",
            "https://GitHub.com/octo/hello",
            "https://github.com/octo/hello/",
            "https://github.com:443/octo/hello.git/",
            "http://github.com/octo/hello",
            "https://token@github.com/octo/hello",
            "git@github.com:octo/hello.git",
            "ssh://git@github.com/octo/hello.git",
            "ssh://git@github.com:2222/octo/hello.git",
            "git://github.com/octo/hello.git",
        ] {
            assert_eq!(RepositoryKey::of(address).unwrap().as_str(), "github.com/octo/hello", "{address}");
        }
    }

    #[test]
    fn a_port_of_ones_own_tells_two_forges_apart() {
        assert_eq!(RepositoryKey::of("http://127.0.0.1:3000/a/b.git").unwrap().as_str(), "127.0.0.1:3000/a/b");
        assert_ne!(
            RepositoryKey::of("https://git.example.org:8443/a/b"),
            RepositoryKey::of("https://git.example.org/a/b")
        );
    }

    #[test]
    fn what_is_no_repository_address_has_no_key() {
        let long = format!("https://example.org/{}", "a".repeat(600));
        for address in ["", "hello", "https://github.com", "https://github.com/", "file:///etc/passwd", &long] {
            assert_eq!(RepositoryKey::of(address), None, "{address}");
        }
    }

    #[test]
    fn its_addresses_have_the_key_they_came_from() {
        let key = RepositoryKey::of("https://example.org/Group/sub/site.git").unwrap();
        let [https, http, ssh] = key.addresses();
        assert_eq!(https, "https://example.org/group/sub/site");
        assert_eq!(http, "http://example.org/group/sub/site");
        assert_eq!(ssh, "ssh://example.org/group/sub/site");
        let ssh_of = |address: &str| RepositoryKey::of(address).unwrap().addresses()[2].clone();
        assert_eq!(ssh_of("https://example.org:8443/a/b"), "ssh://example.org/a/b");
        assert_eq!(ssh_of("http://[::1]:3000/a/b"), "ssh://[::1]/a/b");
        assert_eq!(ssh_of("ssh://git@[::1]/a/b"), "ssh://[::1]/a/b");
        assert!(key.addresses().iter().all(|address| RepositoryKey::of(address).as_ref() == Some(&key)));
    }
}
