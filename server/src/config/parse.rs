//! How each setting's text becomes its value. Every refusal says what would be accepted.

use ipnet::IpNet;
use platform::{Signup, mail};
use secrecy::SecretString;
use std::{
    io::IsTerminal,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

type Parsed<T> = Result<T, String>;

/// Label names and values for what is made in Docker.
pub type Labels = Vec<(String, String)>;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The word of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pretty => "pretty",
            Self::Json => "json",
        }
    }
}

/// The pool of subnets, an IPv4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnets {
    /// First address.
    pub base: Ipv4Addr,
    /// Prefix length, 8 to 27.
    pub prefix: u8,
}

/// An absolute path, from the working directory where it is not.
pub fn absolute(raw: &str) -> Parsed<PathBuf> {
    std::path::absolute(raw).map_err(|e| format!("“{raw}” is no folder's path ({e})."))
}

/// A path, or nothing.
pub fn optional_path(raw: &str) -> Parsed<Option<PathBuf>> {
    if raw.is_empty() { Ok(None) } else { absolute(raw).map(Some) }
}

/// An address and a port to listen on.
pub fn address(raw: &str) -> Parsed<SocketAddr> {
    raw.parse().map_err(|_| format!("“{raw}” is not an address and a port, such as 127.0.0.1:3000 or [::1]:3000."))
}

/// An address and a port, or nothing.
pub fn optional_address(raw: &str) -> Parsed<Option<SocketAddr>> {
    if raw.is_empty() { Ok(None) } else { address(raw).map(Some) }
}

/// IP addresses, separated by commas.
pub fn addresses(raw: &str) -> Parsed<Vec<IpAddr>> {
    let one = |part: &str| {
        part.parse().map_err(|_| format!("“{part}” is not an IP address; list them such as 203.0.113.7,2001:db8::7."))
    };
    raw.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

/// A port other than 0.
pub fn port(raw: &str) -> Parsed<u16> {
    match raw.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("“{raw}” is not a port from 1 to 65535.")),
    }
}

/// An HTTP or HTTPS address without path, query and credentials.
pub fn public_url(raw: &str) -> Parsed<String> {
    let wrong = || format!("“{raw}” is not an address such as https://paas.example.org, without a path.");
    let url = url::Url::parse(raw).map_err(|_| wrong())?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !bare || !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    Ok(url.origin().ascii_serialization())
}

/// An HTTPS address without query and credentials, HTTP on this machine itself; a token goes there.
pub fn forge_url(raw: &str) -> Parsed<url::Url> {
    let wrong = || format!("“{raw}” is not an address such as https://github.example.org/api/v3.");
    let url = url::Url::parse(raw).map_err(|_| wrong())?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !is_safe || !is_bare || url.password().is_some() {
        return Err(wrong());
    }
    Ok(url)
}

/// A domain such as `localhost` or `sites.example.org`.
pub fn domain(raw: &str) -> Parsed<String> {
    let value = raw.to_ascii_lowercase();
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // A site's own label and its dot stand before it; a whole name has at most 253 characters (RFC 1035).
    if value.len() > 200 || !value.split('.').all(label) {
        return Err(format!("“{raw}” is not a domain such as sites.example.org, without a port or a star."));
    }
    Ok(value)
}

/// Where PostgreSQL is; unset for a local one that is managed.
pub fn database_url(raw: &str) -> Parsed<Option<SecretString>> {
    if raw.is_empty() {
        return Ok(None);
    }
    raw.parse::<sqlx::postgres::PgConnectOptions>().map(|_| Some(SecretString::from(raw))).map_err(|_| {
        "not an address such as postgres://user:password@host:5432/name; unset it for a managed one.".into()
    })
}

/// An IPv4 network in which every environment gets a /27.
pub fn subnets(raw: &str) -> Parsed<Subnets> {
    let wrong = || format!("“{raw}” is not a network such as 10.64.0.0/12, with a prefix of 8 to 27.");
    let (base, prefix) = raw.split_once('/').ok_or_else(wrong)?;
    let base: Ipv4Addr = base.parse().map_err(|_| wrong())?;
    let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
    if !(8..=27).contains(&prefix) {
        return Err(wrong());
    }
    if base.to_bits().trailing_zeros() < u32::from(32 - prefix) {
        let first = Ipv4Addr::from_bits(base.to_bits() & (u32::MAX << (32 - prefix)));
        return Err(format!("{base} is not the first address of a /{prefix}; {first}/{prefix} is."));
    }
    if !base.is_private() {
        return Err(format!("{base} is not in a private range (RFC 1918); take one of 10/8, 172.16/12 or 192.168/16."));
    }
    Ok(Subnets { base, prefix })
}

/// Networks with commas between them; `none` for none.
pub fn networks(raw: &str) -> Parsed<Vec<IpNet>> {
    if raw == "none" {
        return Ok(Vec::new());
    }
    let network = |part: &str| {
        let one = || part.parse::<IpAddr>().map(IpNet::from);
        part.parse().or_else(|_| one()).map_err(|_| {
            format!("“{part}” is not a network such as 10.0.0.0/8 or an address; write `none` to trust no proxy.")
        })
    };
    raw.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect()
}

/// A number from 1 to 1000.
pub fn factor(raw: &str) -> Parsed<u32> {
    raw.parse()
        .ok()
        .filter(|n| (1..=1000).contains(n))
        .ok_or_else(|| format!("“{raw}” is not a number from 1 to 1000."))
}

/// Origins with commas between them, or nothing.
pub fn origins(raw: &str) -> Parsed<Vec<String>> {
    let parts = raw.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(public_url).collect()
}

/// A number from 1 to 64; unset for half the cores.
pub fn concurrency(raw: &str) -> Parsed<usize> {
    if raw.is_empty() {
        return Ok((std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1));
    }
    raw.parse().ok().filter(|n| (1..=64).contains(n)).ok_or_else(|| format!("“{raw}” is not a number from 1 to 64."))
}

/// How many releases of an environment are kept.
pub fn kept_releases(raw: &str) -> Parsed<i64> {
    raw.parse().ok().filter(|n| (1..=50).contains(n)).ok_or_else(|| format!("“{raw}” is not a number from 1 to 50."))
}

/// 32 bytes as 64 hexadecimal digits or as base64; unset for the file in the data folder.
pub fn master_key(raw: &str) -> Parsed<Option<SecretString>> {
    if raw.is_empty() {
        return Ok(None);
    }
    crate::keys::decode(raw)
        .map(|_| Some(SecretString::from(raw)))
        .ok_or_else(|| "not 32 bytes as 64 hexadecimal digits or base64; make one with `openssl rand -hex 32`.".into())
}

/// Several of them, with commas between.
pub fn master_keys(raw: &str) -> Parsed<Vec<SecretString>> {
    let keys = raw.split(',').map(str::trim).filter(|key| !key.is_empty());
    keys.filter_map(|key| master_key(key).transpose()).collect()
}

/// What `tracing` takes as a filter.
pub fn log_filter(raw: &str) -> Parsed<String> {
    tracing_subscriber::EnvFilter::try_new(raw).map(|_| raw.to_owned()).map_err(|_| {
        format!("“{raw}” is not a level (error, warn, info, debug, trace) or a list such as info,sqlx=debug.")
    })
}

/// `pretty` or `json`; unset: by whether a person looks at it.
pub fn log_format(raw: &str) -> Parsed<LogFormat> {
    match raw {
        "pretty" => Ok(LogFormat::Pretty),
        "" if std::io::stderr().is_terminal() => Ok(LogFormat::Pretty),
        "json" | "" => Ok(LogFormat::Json),
        _ => Err(format!("“{raw}” is neither `pretty` nor `json`.")),
    }
}

/// `open` or `invite`.
pub fn signup(raw: &str) -> Parsed<Signup> {
    match raw {
        "open" => Ok(Signup::Open),
        "invite" => Ok(Signup::Invite),
        _ => Err(format!("“{raw}” is neither `open` nor `invite`.")),
    }
}

/// Who mail is from: `WebMeteor <no-reply@example.org>`; unset where none is sent.
pub fn mail_from(raw: &str) -> Parsed<String> {
    if raw.is_empty() || mail::is_sender(raw) {
        return Ok(raw.to_owned());
    }
    Err(format!("“{raw}” is not a sender such as WebMeteor <no-reply@example.org>."))
}

/// The first of `site` beside the program and `target/site`, unless it is set.
pub fn site_root(raw: &str) -> Parsed<PathBuf> {
    folder(raw, [beside_program("site"), Some("target/site".into())])
}

/// The first of `templates` in the working directory and beside the program, unless it is set.
pub fn templates_dir(raw: &str) -> Parsed<PathBuf> {
    folder(raw, [Some("templates".into()), beside_program("templates")])
}

fn beside_program(name: &str) -> Option<PathBuf> {
    std::env::current_exe().ok()?.parent().map(|folder| folder.join(name))
}

fn folder<const N: usize>(raw: &str, candidates: [Option<PathBuf>; N]) -> Parsed<PathBuf> {
    if !raw.is_empty() {
        return absolute(raw);
    }
    let candidates: Vec<PathBuf> = candidates.into_iter().flatten().collect();
    let found = candidates.iter().find(|path| path.is_dir()).or(candidates.last());
    found.map_or_else(|| absolute("."), |path| absolute(&as_text(path)))
}

fn as_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// `true` or `false`, and the other usual words.
pub fn yes_or_no(raw: &str) -> Parsed<bool> {
    match raw.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Ok(true),
        "false" | "no" | "0" | "off" => Ok(false),
        _ => Err(format!("“{raw}” is neither `true` nor `false`.")),
    }
}

/// Small letters, digits and hyphens, up to 64.
pub fn word(raw: &str) -> Parsed<String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=64).contains(&raw.len()) && raw.bytes().all(fits) {
        return Ok(raw.to_owned());
    }
    Err(format!("“{raw}” is not a word of small letters, digits and hyphens, up to 64."))
}

/// `name=value,name=value`
pub fn labels(raw: &str) -> Parsed<Labels> {
    raw.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=').unwrap_or((part, "")) {
            ("", _) => Err(format!("“{part}” has no name; labels look like name=value,name=value.")),
            (name, value) => Ok((name.to_owned(), value.to_owned())),
        })
        .collect()
}

/// Whole seconds, up to an hour.
pub fn seconds(raw: &str) -> Parsed<Duration> {
    raw.parse()
        .ok()
        .filter(|n| *n <= 3600)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("“{raw}” is not a number of seconds from 0 to 3600."))
}

/// Whole hours, up to thirty days.
pub fn hours(raw: &str) -> Parsed<Duration> {
    raw.parse()
        .ok()
        .filter(|n| *n <= 720)
        .map(Duration::from_hours)
        .ok_or_else(|| format!("“{raw}” is not a number of hours from 0 to 720."))
}

/// Whole seconds, at least one and up to six hours.
pub fn some_seconds(raw: &str) -> Parsed<Duration> {
    raw.parse()
        .ok()
        .filter(|n| (1..=21_600).contains(n))
        .map(Duration::from_secs)
        .ok_or_else(|| format!("“{raw}” is not a number of seconds from 1 to 21600."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_nothing() {
        assert_eq!(some_seconds("1").unwrap(), Duration::from_secs(1));
        for bad in ["0", "-1", "21601", "1.5", "", "x"] {
            assert!(some_seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hours_are_whole_and_end_with_a_month() {
        assert_eq!(hours("24").unwrap(), Duration::from_hours(24));
        assert_eq!(hours("0").unwrap(), Duration::ZERO);
        for bad in ["-1", "721", "1.5", "", "1h"] {
            assert!(hours(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pool_begins_at_its_first_address_and_is_private() {
        assert_eq!(subnets("10.64.0.0/12").unwrap().prefix, 12);
        for bad in ["", "10.64.0.0", "10.64.0.1/12", "8.0.0.0/8", "10.64.0.0/28", "10.0.0.0/4", "x/12", "10.64.0.0/x"] {
            assert!(subnets(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_address_has_no_path_and_loses_its_last_slash() {
        assert_eq!(public_url("https://paas.example.org/").unwrap(), "https://paas.example.org");
        assert_eq!(public_url("http://localhost:3000").unwrap(), "http://localhost:3000");
        for bad in ["", "paas.example.org", "ftp://x", "https://x/y", "https://u:p@x", "https://x?q"] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_forge_is_spoken_to_in_secret_or_on_this_machine() {
        assert_eq!(forge_url("https://git.example.org/api/v3").unwrap().as_str(), "https://git.example.org/api/v3");
        assert!(forge_url("http://127.0.0.1:3000/api/v3").is_ok());
        for bad in ["", "git.example.org", "http://git.example.org", "https://u:p@x", "https://x?q", "ssh://x"] {
            assert!(forge_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_domain_has_no_port_star_or_empty_label() {
        assert_eq!(domain("Sites.Example.org").unwrap(), "sites.example.org");
        for bad in ["", ".", "a..b", "*.example.org", "localhost:8888", "-a.org", "a_b.org"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_are_pairs() {
        assert_eq!(labels("a=1, b").unwrap(), [("a".into(), "1".into()), ("b".into(), String::new())]);
        assert!(labels("=1").is_err());
        assert!(labels("").unwrap().is_empty());
    }
}
