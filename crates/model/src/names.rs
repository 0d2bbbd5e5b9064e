//! Names that come from outside, parsed once at the edge: what holds one of these types is safe to use as a
//! container name, a host label, a Git argument or a path segment.

use crate::ssh::SshAddress;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a name was refused: a stable code and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NameError {
    /// Stable, snake_case.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, NameError> {
    Err(NameError { code, message: message.into() })
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $parse:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses what a person or a program sent.
            ///
            /// # Errors
            /// A [`NameError`] that says which rule was broken and what to do.
            pub fn parse(raw: &str) -> Result<Self, NameError> { $parse(raw).map(Self) }
            /// The name as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(raw: String) -> Result<Self, NameError> { Self::parse(&raw) }
        }
        impl From<$name> for String { fn from(name: $name) -> String { name.0 } }
        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(raw: &str) -> Result<Self, NameError> { Self::parse(raw) }
        }
    };
}

// Its tables are large, and the browser has no need of them.
#[cfg(not(target_arch = "wasm32"))]
mod host;
#[cfg(not(target_arch = "wasm32"))]
pub use host::{Hostname, PROOF_LABEL};

name! {
    /// A site's name on the web: one DNS label (RFC 1123), 3 to 40 characters, not reserved.
    SiteSlug, parse_site_slug
}
name! {
    /// A team's name in container names and Git addresses: letters and digits only, so that
    /// `{team}-{site}-{service}` has one reading.
    TeamSlug, parse_team_slug
}
name! {
    /// A service of a site, such as `www`: letters, digits and underscores, no hyphen, for the same reason.
    ServiceName, parse_service_name
}
name! {
    /// An environment of a site, such as `production` or `pr-12`.
    EnvironmentName, parse_environment_name
}
name! {
    /// A branch, by the rules of `git check-ref-format`, never option-like.
    BranchName, parse_branch
}
name! {
    /// A folder of a repository, relative to its root; empty is the root itself.
    RootFolder, parse_root_folder
}
name! {
    /// A full commit id: 40 or 64 hexadecimal digits, lower case.
    CommitSha, parse_commit
}
name! {
    /// An e-mail address, lower-cased.
    Email, parse_email
}
name! {
    /// A name for people: 1 to 80 characters, no control characters, trimmed.
    DisplayName, parse_display_name
}
name! {
    /// An environment variable's name.
    EnvKey, parse_env_key
}
name! {
    /// A remote repository over HTTPS (HTTP only where the platform allows it) or SSH ([`crate::ssh`]), without
    /// credentials in it.
    RepoUrl, parse_repo_url
}

const RESERVED: &[&str] = &[
    "www",
    "api",
    "admin",
    "app",
    "git",
    "mail",
    "static",
    "assets",
    "dashboard",
    "webmeteor",
    "webhook",
    "status",
    "localhost",
    "traefik",
    "socket",
    "health",
    "metrics",
];

fn label(raw: &str, what: &str, min: usize, max: usize) -> Result<String, NameError> {
    let value = raw.trim();
    if value.len() < min || value.len() > max {
        return refuse("length", format!("{what} has {min} to {max} characters; this has {}.", value.chars().count()));
    }
    if !value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return refuse("characters", format!("{what} has lower-case letters, digits and hyphens only."));
    }
    if value.starts_with('-') || value.ends_with('-') || value.contains("--") {
        return refuse("hyphens", format!("{what} neither begins nor ends with a hyphen, nor has two in a row."));
    }
    Ok(value.to_owned())
}

fn parse_site_slug(raw: &str) -> Result<String, NameError> {
    let value = label(raw, "The address of a site", 3, 40)?;
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return refuse("characters", "The address of a site has at least one letter.");
    }
    if RESERVED.contains(&value.as_str()) {
        return refuse("reserved", format!("“{value}” is kept for the platform; choose another."));
    }
    Ok(value)
}

fn parse_team_slug(raw: &str) -> Result<String, NameError> {
    let value = label(raw, "The short name of a team", 2, 24)?;
    if value.contains('-') {
        return refuse("characters", "The short name of a team has letters and digits only.");
    }
    Ok(value)
}

fn parse_service_name(raw: &str) -> Result<String, NameError> {
    let first_is_letter = raw.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if raw.len() > 30
        || !first_is_letter
        || !raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return refuse(
            "service_name",
            format!(
                "A service's name has up to 30 lower-case letters, digits and underscores, a letter first; “{raw}” has not."
            ),
        );
    }
    Ok(raw.to_owned())
}

fn parse_environment_name(raw: &str) -> Result<String, NameError> {
    label(raw, "The name of an environment", 2, 30)
}

fn parse_branch(raw: &str) -> Result<String, NameError> {
    let value = raw.trim();
    let bad = value.is_empty()
        || value.len() > 200
        || value.starts_with(['-', '/', '.'])
        || value.ends_with(['/', '.'])
        || value
            .to_ascii_lowercase()
            .split('/')
            .any(|part| part.strip_suffix(".lock").is_some() || part.starts_with('.') || part.is_empty())
        || value.contains("..")
        || value.contains("@{")
        || value == "@"
        || value
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\'));
    if bad {
        return refuse("branch", format!("“{}” is not a branch name that Git accepts.", value.escape_default()));
    }
    Ok(value.to_owned())
}

fn parse_root_folder(raw: &str) -> Result<String, NameError> {
    let value = raw.trim().trim_start_matches("./").trim_matches('/');
    if value.is_empty() || value == "." {
        return Ok(String::new());
    }
    let bad = value.len() > 200
        || value.split('/').any(|part| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git"))
        || value.chars().any(|c| c.is_control() || c == '\\');
    if bad {
        return refuse("root_folder", "A root folder is a path inside the repository, such as apps/web.");
    }
    Ok(value.to_owned())
}

fn parse_commit(raw: &str) -> Result<String, NameError> {
    let value = raw.trim().to_ascii_lowercase();
    if !matches!(value.len(), 40 | 64) || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
        return refuse("commit", "A commit is given by its full id: 40 hexadecimal digits.");
    }
    Ok(value)
}

fn parse_email(raw: &str) -> Result<String, NameError> {
    let value = raw.trim().to_lowercase();
    let valid = value.len() <= 254
        && !value
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '(' | ')' | ',' | ';'))
        && value.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && local.len() <= 64
                && !host.contains('@')
                && host.split('.').all(|part| {
                    !part.is_empty()
                        && part.len() <= 63
                        && !part.starts_with('-')
                        && !part.ends_with('-')
                        && part.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        });
    if !valid {
        return refuse("email", "This is not an e-mail address; it looks like name@example.org.");
    }
    Ok(value)
}

fn parse_display_name(raw: &str) -> Result<String, NameError> {
    let value = raw.trim();
    if value.is_empty() || value.chars().count() > 80 {
        return refuse("length", "A name has 1 to 80 characters.");
    }
    if value.chars().any(char::is_control) {
        return refuse("characters", "A name has no control characters.");
    }
    Ok(value.to_owned())
}

fn parse_env_key(raw: &str) -> Result<String, NameError> {
    let value = raw.trim();
    let first = value.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || value.len() > 128 || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return refuse(
            "env_key",
            "A variable's name has letters, digits and underscores, and does not begin with a digit.",
        );
    }
    Ok(value.to_owned())
}

fn parse_repo_url(raw: &str) -> Result<String, NameError> {
    let value = raw.trim();
    let rest = match value.split_once("://") {
        Some(("https" | "http", rest)) => rest,
        Some(("ssh", _)) => return SshAddress::parse(value).map(|_| value.to_owned()),
        None if value.contains('@') => return SshAddress::parse(value).map(|_| value.to_owned()),
        None => {
            return refuse(
                "repository_url",
                "A repository is given by its address, such as https://example.org/me/site.git or \
                 git@example.org:me/site.git.",
            );
        }
        Some(_) => {
            return refuse(
                "repository_url",
                "A repository is fetched over https:// or ssh://; other schemes are not accepted.",
            );
        }
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.contains('@') {
        return refuse(
            "repository_url",
            "Leave user names and tokens out of the address; the token has a field of its own.",
        );
    }
    if host.is_empty() || host.starts_with('-') || path.is_empty() || value.len() > 500 {
        return refuse(
            "repository_url",
            "The address needs a host and a path, such as https://example.org/me/site.git.",
        );
    }
    if value.chars().any(|c| {
        c.is_control() || c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '`' | '<' | '>' | '|' | '#' | '?')
    }) {
        return refuse("repository_url", "The address has characters that no repository address has.");
    }
    Ok(value.to_owned())
}

/// A slug made from a name for people: `Löwen Café!` → `loewen-cafe`; may still be too short to parse.
pub fn suggest_slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if let Some(latin) = latin(c) {
            slug.push_str(latin);
        } else if matches!(c, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}') {
            // An accent of the letter before, or an apostrophe: no gap.
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(40);
    slug.trim_matches('-').to_owned()
}

/// The usual way to write a lower-case letter of Europe's Latin alphabets without its accent. A whole table of
/// transliterations would weigh more than all the rest of the browser's part.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' | 'ø' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'þ' => "th",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'ŕ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ţ' | 'ť' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slug_is_one_dns_label() {
        assert_eq!(SiteSlug::parse(" my-site2 ").unwrap().as_str(), "my-site2");
        for bad in [
            "",
            "ab",
            "-abc",
            "abc-",
            "a--b",
            "Abc",
            "a_b",
            "a.b",
            "caf\u{e9}",
            "www",
            "123",
            &"a".repeat(41),
            "../etc",
        ] {
            assert!(SiteSlug::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_branch_never_looks_like_an_option_or_leaves_its_folder() {
        for good in ["main", "feature/x-1", "release-1.2"] {
            assert!(BranchName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "-x",
            "--upload-pack=x",
            "a..b",
            "/a",
            "a/",
            "a b",
            "a\nb",
            "a.lock",
            ".a",
            "a/.b",
            "a//b",
            "@",
            "a@{1}",
            "a:b",
            "",
        ] {
            assert!(BranchName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_root_folder_stays_inside_the_repository() {
        for (raw, folder) in [("", ""), (".", ""), ("/", ""), ("./apps/web/", "apps/web"), (" a b ", "a b")] {
            assert_eq!(RootFolder::parse(raw).unwrap().as_str(), folder, "{raw:?}");
        }
        for bad in ["..", "a/../b", "a//b", "a/.git/x", "a\\b", "a\nb", "a/./b"] {
            assert!(RootFolder::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_repository_address_is_https_without_credentials() {
        assert!(RepoUrl::parse("https://example.org/me/site.git").is_ok());
        for bad in [
            "file:///etc",
            "ext::sh -c x",
            "-oProxy",
            "ssh://a/b",
            "https://u:p@h/x",
            "https://h",
            "https:///x",
            "https://h/a b",
        ] {
            assert!(RepoUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_lower_cased_and_has_a_host() {
        assert_eq!(Email::parse("Me@Example.org").unwrap().as_str(), "me@example.org");
        for bad in ["", "a", "@b.c", "a@", "a@b@c", "a b@c.d", "a@-b.c", "a@b..c", "<a@b.c>"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn letters_with_accents_are_written_without() {
        for (name, slug) in [
            ("Löwen Bakery", "loewen-bakery"),
            ("  Café «Größe» ", "cafe-groesse"),
            ("Łódź & Kraków", "lodz-krakow"),
            ("Mary's Cafe\u{301}", "marys-cafe"),
            ("東京", ""),
        ] {
            assert_eq!(suggest_slug(name), slug);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_suggested_parses_or_is_too_short(name in ".{0,60}") {
            let slug = suggest_slug(&name);
            if slug.len() >= 3 && !slug.bytes().all(|b| b.is_ascii_digit()) && !RESERVED.contains(&slug.as_str()) {
                prop_assert!(SiteSlug::parse(&slug).is_ok(), "{slug}");
            }
        }

        #[test]
        fn what_parses_has_no_shell_or_path_characters(raw in "\\PC{0,40}") {
            for value in [SiteSlug::parse(&raw).map(String::from), ServiceName::parse(&raw).map(String::from), TeamSlug::parse(&raw).map(String::from)]
                .into_iter().flatten() {
                prop_assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            }
        }
    }
}
