//! Where a repository's address leads: nowhere inside the operator's network, unless that is allowed.

use super::{FetchError, version};
use model::{deployment::FailureCode, names::RepoUrl, ssh::SshAddress};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Why a token is not sent over plain HTTP, and what to do.
pub const IN_THE_CLEAR: &str =
    "Over plain http:// everybody on the way can read the token; give the repository's https:// address.";

/// An address that may be connected to.
pub(super) struct Target {
    /// As the `url` crate writes it, so that git and we read the same host.
    pub(super) url: Url,
    /// Value for git's `http.curloptResolve`: the checked addresses, so that no second look-up finds others.
    pub(super) pin: Option<String>,
}

/// What is sent to this repository cannot be read on its way: it is encrypted, or does not leave this machine.
pub fn keeps_secrets(repository: &RepoUrl) -> bool {
    let Ok(url) = Url::parse(repository.as_str()) else { return false };
    url.scheme() == "https"
        || url.scheme() == "http"
            && match url.host() {
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => ip.is_loopback(),
                Some(Host::Domain(name)) => name == "localhost",
                None => false,
            }
}

/// Both lie on one server: the same scheme, host and port.
pub fn same_server(one: &RepoUrl, other: &RepoUrl) -> bool {
    match (Url::parse(one.as_str()), Url::parse(other.as_str())) {
        (Ok(one), Ok(other)) => one.origin().is_tuple() && one.origin() == other.origin(),
        _ => false,
    }
}

/// Refuses to send a token where others can read it.
pub(super) fn may_carry_token(repository: &RepoUrl, has_token: bool) -> Result<(), FetchError> {
    if has_token && !keeps_secrets(repository) {
        return Err(refused(IN_THE_CLEAR));
    }
    Ok(())
}

pub(super) fn refused(message: impl Into<String>) -> FetchError {
    FetchError::new(FailureCode::FetchFailed, message)
}

/// Looks the host up and checks every address that it has.
///
/// # Errors
/// If the host has no address, or one in a private range (SSRF), or the scheme is plain HTTP, or Git does not keep to the
/// addresses that are found for a name, and `allow_private` is not set.
pub(super) async fn check(repository: &RepoUrl, allow_private: bool) -> Result<Target, FetchError> {
    let url = Url::parse(repository.as_str())
        .map_err(|e| refused(format!("“{repository}” is not an address that can be fetched: {e}.")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refused("The repository's address is none of HTTPS."));
    }
    if url.scheme() != "https" && !allow_private {
        return Err(refused(
            "The repository is fetched over https:// only; plain http:// can be read and changed on its way.",
        ));
    }
    let host = url.host().ok_or_else(|| refused("The repository's address has no host."))?.to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let name = match &host {
        Host::Domain(name) => Some(name.clone()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    };
    let addresses = look_up(&host, port, allow_private).await?;
    if name.is_some() && !allow_private {
        version().await?.may_fetch_by_name()?;
    }
    let pin = name.map(|name| {
        let list: Vec<String> = addresses
            .iter()
            .map(|ip| match ip {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            })
            .collect();
        format!("{name}:{port}:{}", list.join(","))
    });
    Ok(Target { url, pin })
}

/// The same for an address of SSH: every address that the host has, all of them checked.
///
/// # Errors
/// If the host has no address, or one in a private range, and `allow_private` is not set.
pub(super) async fn check_ssh(address: &SshAddress, allow_private: bool) -> Result<Vec<IpAddr>, FetchError> {
    let host = Host::parse(&address.host)
        .map_err(|e| refused(format!("“{}” is not a host that can be fetched from: {e}.", address.host)))?;
    look_up(&host, address.port(), allow_private).await
}

/// Whether a repository may be fetched from where its address leads.
///
/// # Errors
/// As a fetch would refuse it.
pub async fn may_fetch(repository: &RepoUrl, allow_private: bool) -> Result<(), FetchError> {
    match repository.ssh() {
        Some(address) => check_ssh(&address, allow_private).await.map(drop),
        None => check(repository, allow_private).await.map(drop),
    }
}

/// The addresses of a host, each of which may be connected to.
///
/// # Errors
/// If the host has none, or one in a private range (SSRF), and `allow_private` is not set.
pub(crate) async fn look_up(host: &Host, port: u16, allow_private: bool) -> Result<Vec<IpAddr>, FetchError> {
    let addresses = match host {
        Host::Ipv4(ip) => vec![IpAddr::V4(*ip)],
        Host::Ipv6(ip) => vec![IpAddr::V6(*ip)],
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name.as_str(), port)).await;
            let found: Vec<IpAddr> = found.map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default();
            if found.is_empty() {
                return Err(refused(format!("The host “{name}” of the repository cannot be found.")));
            }
            found
        }
    };
    if !allow_private && !addresses.iter().all(|ip| is_public(*ip)) {
        return Err(refused(
            "The repository's address leads into a private network, which this platform does not fetch from.",
        ));
    }
    Ok(addresses)
}

/// Reachable on the open internet, by the IANA special-purpose address registries (RFC 6890 and its successors).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    // An IPv4 address in IPv6 clothes (mapped, NAT64, 6to4) is judged as what it is.
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        // Global unicast is 2000::/3; within it, protocol assignments and documentation are not.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_a_network_are_not_public() {
        for ip in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "::7f00:1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in
            ["1.1.1.1", "140.82.121.3", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a01:4f8::1", "::ffff:1.1.1.1"]
        {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[tokio::test]
    async fn however_it_is_written_loopback_is_refused() {
        for url in [
            "https://127.0.0.1/a/b",
            "https://127.1/a/b",
            "https://0x7f000001/a/b",
            "https://2130706433/a/b",
            "https://localhost/a/b",
            "https://[::1]/a/b",
            "https://[::ffff:127.0.0.1]/a/b",
            "https://0/a/b",
            "https://169.254.169.254/latest/meta-data",
        ] {
            let error = check(&RepoUrl::parse(url).unwrap(), false).await.err().unwrap();
            assert!(error.message.contains("private network"), "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn plain_http_is_refused_unless_allowed() {
        let url = RepoUrl::parse("http://127.0.0.1:3000/a/b.git").unwrap();
        assert!(check(&url, false).await.err().unwrap().message.contains("https://"));
        assert!(check(&url, true).await.is_ok());
    }

    #[test]
    fn a_token_goes_encrypted_or_stays_on_this_machine() {
        let keeps = |url: &str| keeps_secrets(&RepoUrl::parse(url).unwrap());
        for url in [
            "https://example.org/a",
            "https://10.0.0.1/a",
            "http://127.0.0.1:3000/a",
            "http://127.1/a",
            "http://[::1]/a",
            "http://LOCALHOST/a",
        ] {
            assert!(keeps(url), "{url}");
        }
        for url in [
            "http://example.org/a",
            "http://10.0.0.1/a",
            "http://localhost.example.org/a",
            "http://127.0.0.1.example.org/a",
            "http://[::ffff:10.0.0.1]/a",
            "ssh://git@localhost/a",
            "git@localhost:a",
        ] {
            assert!(!keeps(url), "{url}");
        }
    }

    #[tokio::test]
    async fn over_ssh_too_loopback_is_refused_however_it_is_written() {
        for url in [
            "git@127.0.0.1:a/b",
            "git@127.1:a/b",
            "git@0x7f000001:a/b",
            "git@2130706433:a/b",
            "git@localhost:a/b",
            "ssh://git@LOCALHOST:2222/a/b",
            "ssh://git@[::1]/a/b",
            "ssh://git@[::ffff:127.0.0.1]/a/b",
            "git@169.254.169.254:a/b",
        ] {
            let address = RepoUrl::parse(url).unwrap().ssh().unwrap();
            let error = check_ssh(&address, false).await.err().unwrap();
            assert!(error.message.contains("private network"), "{url}: {error}");
            assert!(check_ssh(&address, true).await.is_ok(), "{url}");
        }
    }

    #[test]
    fn a_server_is_a_scheme_a_host_and_a_port() {
        let same = |a: &str, b: &str| same_server(&RepoUrl::parse(a).unwrap(), &RepoUrl::parse(b).unwrap());
        assert!(same("https://example.org/a", "https://EXAMPLE.org:443/b/c.git"));
        for other in [
            "http://example.org/a",
            "https://example.org:8443/a",
            "https://example.org.evil.example/a",
            "https://git.example.org/a",
            "ssh://git@example.org/a",
            "git@example.org:a",
        ] {
            assert!(!same("https://example.org/a", other), "{other}");
        }
    }

    #[tokio::test]
    async fn a_name_is_pinned_to_the_addresses_that_were_checked() {
        let target = check(&RepoUrl::parse("http://localhost:3000/a/b.git").unwrap(), true).await.unwrap();
        assert!(target.pin.unwrap().starts_with("localhost:3000:"));
        let literal = check(&RepoUrl::parse("http://127.0.0.1/a/b.git").unwrap(), true).await.unwrap();
        assert_eq!(literal.pin, None);
    }
}
