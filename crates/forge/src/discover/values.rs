//! The values in `webmeteor.toml`, each parsed where it stands, so that an error has its line.

use model::names::ServiceName;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use std::fmt;

macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident($inner:ty), $parse:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub(super) struct $name(pub(super) $inner);
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(raw: String) -> Result<Self, String> { $parse(raw.trim()).map(Self) }
        }
    };
}

text_value! {
    /// Milliseconds, written as `500ms`, `5s` or `2m`.
    Duration(u64), parse_duration
}
text_value! {
    /// Bytes, written as `512mb` or `1gb` (powers of two).
    Memory(u64), parse_memory
}
text_value! {
    /// A path on the site's host, such as `/api`.
    Route(String), parse_route
}
text_value! {
    /// A path asked by a health check, with a query if need be.
    HealthPath(String), parse_health_path
}
text_value! {
    /// A folder of the repository; `.` is its root.
    Folder(String), parse_folder
}
text_value! {
    /// The name of an image with tag or digest.
    Image(String), parse_image
}
text_value! {
    /// The name of a volume.
    VolumeName(String), parse_volume_name
}
text_value! {
    /// Where a volume stands in the container.
    MountPath(String), parse_mount_path
}
text_value! {
    /// A service's name.
    Name(ServiceName), parse_name
}

/// Thousandths of a CPU, written as `0.5` or `2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Cpus(pub(super) u32);

/// How many of a service run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Replicas;

/// A TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Port(pub(super) u16);

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Retries(pub(super) u32);

/// A program and its arguments, as a list: no shell reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(pub(super) Vec<String>);

impl TryFrom<f64> for Cpus {
    type Error = String;
    fn try_from(cpus: f64) -> Result<Self, String> {
        if !(0.01..=64.0).contains(&cpus) {
            return Err(format!("cpus is between 0.01 and 64, such as 0.5; {cpus} is not"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 10 and 64,000 after the check
        Ok(Self((cpus * 1000.0).round() as u32))
    }
}

impl TryFrom<i64> for Replicas {
    type Error = String;
    fn try_from(replicas: i64) -> Result<Self, String> {
        if replicas == 1 { Ok(Self) } else { Err(format!("replicas is 1 for now; {replicas} is not supported yet")) }
    }
}

impl TryFrom<i64> for Port {
    type Error = String;
    fn try_from(port: i64) -> Result<Self, String> {
        u16::try_from(port)
            .ok()
            .filter(|port| *port > 0)
            .map(Self)
            .ok_or(format!("a port is between 1 and 65535; {port} is not"))
    }
}

impl TryFrom<i64> for Retries {
    type Error = String;
    fn try_from(retries: i64) -> Result<Self, String> {
        u32::try_from(retries)
            .ok()
            .filter(|retries| (1..=100).contains(retries))
            .map(Self)
            .ok_or(format!("retries is between 1 and 100; {retries} is not"))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Words;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words, such as [\"node\", \"server.js\"]")
            }
            fn visit_str<E: Error>(self, raw: &str) -> Result<Words, E> {
                let words: Vec<&str> = raw.split_whitespace().collect();
                Err(E::custom(format!("a command is a list of words, since no shell reads it: {words:?}")))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Words, A::Error> {
                let mut words: Vec<String> = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                if words.first().is_none_or(String::is_empty) {
                    return Err(A::Error::custom("a command begins with the name of a program"));
                }
                if words.iter().any(|word| word.contains('\0')) {
                    return Err(A::Error::custom("a command has no NUL characters"));
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(List)
    }
}

fn quantity(raw: &str) -> Option<(u64, String)> {
    let end = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
    let (number, unit) = raw.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_ascii_lowercase()))
}

fn parse_duration(raw: &str) -> Result<u64, String> {
    let wrong = || format!("a duration is written as \"500ms\", \"5s\" or \"2m\", from 100ms to 30m; \"{raw}\" is not");
    let (number, unit) = quantity(raw).ok_or_else(wrong)?;
    let factor = match unit.as_str() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).filter(|ms| (100..=1_800_000).contains(ms)).ok_or_else(wrong)
}

fn parse_memory(raw: &str) -> Result<u64, String> {
    let wrong = || format!("memory is written as \"512mb\" or \"1gb\", from 16mb to 64gb; \"{raw}\" is not");
    let (number, unit) = quantity(raw).ok_or_else(wrong)?;
    let factor = match unit.as_str() {
        "m" | "mb" | "mib" => 1024 * 1024,
        "g" | "gb" | "gib" => 1024 * 1024 * 1024,
        _ => return Err(wrong()),
    };
    let (least, most) = (16 * 1024 * 1024, 64 * 1024 * 1024 * 1024);
    number.checked_mul(factor).filter(|bytes| (least..=most).contains(bytes)).ok_or_else(wrong)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn parse_route(raw: &str) -> Result<String, String> {
    let route = if raw == "/" { raw } else { raw.trim_end_matches('/') };
    let segments_are_plain = || {
        route.split('/').skip(1).all(|part| {
            !part.is_empty() && part != "." && part != ".." && part.chars().all(|c| is_plain(c) || c == '~')
        })
    };
    if route == "/" || (route.starts_with('/') && route.len() <= 100 && segments_are_plain()) {
        return Ok(route.to_owned());
    }
    Err(format!("a route is \"/\" or a path such as \"/api\", of letters, digits and . _ - ~; \"{raw}\" is not"))
}

fn parse_health_path(raw: &str) -> Result<String, String> {
    if raw.starts_with('/') && raw.len() <= 500 && raw.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(raw.to_owned());
    }
    Err(format!(
        "the path of a health check begins with \"/\" and has no spaces; \"{}\" is not such",
        raw.escape_default()
    ))
}

fn parse_folder(raw: &str) -> Result<String, String> {
    let path = raw.strip_prefix("./").unwrap_or(raw).trim_end_matches('/');
    if matches!(path, "" | ".") && !raw.starts_with('/') {
        return Ok(".".to_owned());
    }
    let inside = !path.starts_with(['/', '-'])
        && path.len() <= 200
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'));
    if inside {
        return Ok(path.to_owned());
    }
    Err(format!("build names a folder inside the repository, such as \"www\"; \"{}\" is none", raw.escape_default()))
}

fn parse_image(raw: &str) -> Result<String, String> {
    let plain = raw.chars().all(|c| is_plain(c) || matches!(c, '/' | ':' | '@'));
    if plain && raw.len() <= 255 && raw.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(raw.to_owned());
    }
    Err(format!("image is the name of an image, such as \"postgres:16\"; \"{}\" is none", raw.escape_default()))
}

fn parse_volume_name(raw: &str) -> Result<String, String> {
    let plain = raw.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && raw.len() <= 30 && raw.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok(raw.to_owned());
    }
    Err(format!(
        "a volume's name has up to 30 lower-case letters, digits and underscores, a letter first; \"{}\" has not",
        raw.escape_default()
    ))
}

fn parse_mount_path(raw: &str) -> Result<String, String> {
    let path = raw.trim_end_matches('/');
    let plain = path.starts_with('/')
        && path.len() <= 200
        && path
            .split('/')
            .skip(1)
            .all(|part| !part.is_empty() && part != "." && part != ".." && part.chars().all(is_plain));
    let of_the_system =
        ["/proc", "/sys", "/dev", "/etc"].iter().any(|top| path == *top || path.starts_with(&format!("{top}/")));
    if plain && !of_the_system {
        return Ok(path.to_owned());
    }
    Err(format!(
        "a volume stands at an absolute path of its own, such as \"/data\"; \"{}\" cannot be one",
        raw.escape_default()
    ))
}

fn parse_name(raw: &str) -> Result<ServiceName, String> {
    ServiceName::parse(raw).map_err(|e| e.message)
}
