//! Cuts secrets out of text: as they are, and as programs print them when they encode them.

use crate::{Platform, Result, deploy_keys, github, secrets::EnvironmentSecrets, sites, webhooks};
use aho_corasick::AhoCorasick;
use anyhow::Context;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use std::{borrow::Cow, collections::BTreeSet, fmt::Write};
use store::sites::SiteRow;

/// Shown where a secret stood.
const MARK: &str = "••••••";
/// Shorter secrets would cut harmless words out of the log, and are none.
const SHORTEST: usize = 6;
/// So many characters in a row of a secret's base64 give it away: programs wrap base64 (`base64` does after 76), so
/// that a part of it may stand on a line by itself.
const WINDOW: usize = 12;
/// What RFC 3986 (2.3) leaves as it is.
const RFC_3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What ECMAScript's `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &RFC_3986.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
/// What ECMAScript's `encodeURI` leaves as it is.
const WHOLE_URI: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');

/// Finds secrets in text, all of them in one pass.
#[derive(Debug)]
pub(crate) struct Redactor(Option<AhoCorasick>);

impl Redactor {
    /// Knows these secrets in every form that programs print them in.
    ///
    /// # Errors
    /// If they are too many to search for at once: gigabytes of them.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            add_forms(&mut forms, secret.trim());
        }
        forms.retain(|form| form.len() >= SHORTEST);
        if forms.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(AhoCorasick::new(forms).context("preparing to cut secrets out of a log")?)))
    }

    /// Knows what may not be in the log of a site's deployment: the site's secrets and the platform's own.
    ///
    /// # Errors
    /// If a sealed secret does not open.
    pub(crate) fn for_site(platform: &Platform, site: &SiteRow, environment: &EnvironmentSecrets) -> Result<Self> {
        let mut secrets = environment.values();
        secrets.extend(sites::open_repository_token(platform, site)?);
        let key = deploy_keys::of_site(platform, site)?;
        secrets.extend(key.map(|key| key.access.private_key.expose_secret().to_owned()));
        secrets.extend(github::known_tokens(platform, site));
        secrets.push(sites::open_webhook_secret(platform, site)?);
        secrets.extend(webhooks::old_secret(platform, site)?);
        secrets.extend(platform.vault.written());
        secrets.extend(platform.signing.written());
        secrets.extend(platform.settings.private.iter().map(|secret| secret.expose_secret().to_owned()));
        Self::new(secrets)
    }

    /// The text without the secrets.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(search) = &self.0 else { return Cow::Borrowed(text) };
        // Forms overlap (windows of one base64 do), and none may leave a rest of another: their union is cut out.
        let mut found: Vec<(usize, usize)> =
            search.find_overlapping_iter(text).map(|hit| (hit.start(), hit.end())).collect();
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let (mut at, mut hits) = (0, found.into_iter().peekable());
        while let Some((start, mut end)) = hits.next() {
            while let Some((_, more)) = hits.next_if(|(next, _)| *next <= end) {
                end = end.max(more);
            }
            out.push_str(&text[at..start]);
            out.push_str(MARK);
            at = end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }
}

fn add_forms(forms: &mut BTreeSet<String>, secret: &str) {
    if secret.len() < SHORTEST {
        return;
    }
    // Logs are cut into lines, so a secret of several is searched for line by line. The lines around a key
    // (`-----BEGIN …`) say nothing.
    forms.extend(secret.lines().map(str::trim).filter(|line| !line.starts_with("-----")).map(str::to_owned));
    add_json(forms, secret);
    for set in [RFC_3986, COMPONENT, WHOLE_URI] {
        let upper = utf8_percent_encode(secret, set).to_string();
        forms.insert(lower_escapes(&upper));
        forms.insert(upper.replace("%20", "+"));
        forms.insert(upper);
    }
    let hexadecimal = hex::encode(secret);
    forms.insert(hexadecimal.to_ascii_uppercase());
    forms.insert(hexadecimal);
    add_base64(forms, secret.as_bytes());
}

/// As it stands in JSON, with what some writers escape besides: slashes, and everything beyond ASCII.
fn add_json(forms: &mut BTreeSet<String>, secret: &str) {
    let quoted = serde_json::Value::from(secret).to_string();
    let inner = quoted[1..quoted.len() - 1].to_owned();
    let mut ascii = String::with_capacity(inner.len());
    for unit in inner.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => ascii.push(char::from(byte)),
            _ => {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    forms.insert(inner.replace('/', "\\/"));
    forms.insert(ascii);
    forms.insert(inner);
}

/// `%2F` becomes `%2f`; nothing else changes.
fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        let _ = write!(out, "%{}{rest}", digits.to_ascii_lowercase());
    }
    out
}

/// In base64, wherever it stands in what was encoded: behind 0, 1 or 2 bytes of a group of three. Only characters
/// that the secret alone decides are searched for.
fn add_base64(forms: &mut BTreeSet<String>, secret: &[u8]) {
    for before in 0..3 {
        let bytes = [&[0_u8; 3][..before], secret].concat();
        let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let sure = &encoded[first..end];
            for start in 0..=sure.len().saturating_sub(WINDOW) {
                forms.insert(sure[start..(start + WINDOW).min(sure.len())].to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr3t/with+odd \"chars\"é&=";

    fn redactor(secret: &str) -> Redactor {
        Redactor::new([secret.to_owned()]).unwrap()
    }

    /// What is left of a text beside the marks.
    fn rest(redactor: &Redactor, text: &str) -> String {
        redactor.redact(text).replace(MARK, "")
    }

    #[test]
    fn a_secret_is_cut_out_as_it_is_and_the_rest_stays() {
        assert_eq!(redactor("hunter22").redact("a hunter22, hunter22!"), format!("a {MARK}, {MARK}!"));
        assert!(matches!(redactor("hunter22").redact("hunter2"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_secret_is_cut_out_of_json_addresses_and_hexadecimal_digits() {
        let redactor = redactor(SECRET);
        for (form, text) in [
            ("json", r#"{"a":"s3cr3t/with+odd \"chars\"é&=","b":1}"#),
            ("json in ascii", r#"{"a":"s3cr3t/with+odd \"chars\"\u00e9&=","b":1}"#),
            ("json with slashes", r#"{"a":"s3cr3t\/with+odd \"chars\"é&=","b":1}"#),
            ("percent", "x=s3cr3t%2Fwith%2Bodd%20%22chars%22%C3%A9%26%3D;"),
            ("percent, small", "x=s3cr3t%2fwith%2bodd%20%22chars%22%c3%a9%26%3d;"),
            ("form", "x=s3cr3t%2Fwith%2Bodd+%22chars%22%C3%A9%26%3D;"),
            ("whole address", "x=s3cr3t/with+odd%20%22chars%22%C3%A9&=;"),
            ("hexadecimal", "=7333637233742f776974682b6f646420226368617273 22c3a9263d"),
        ] {
            let told = redactor.redact(text);
            if form == "hexadecimal" {
                assert_eq!(told, text, "a blank in the middle makes it something else");
            } else {
                assert!(told.contains(MARK) && !told.contains("with"), "{form}: {told}");
            }
        }
        assert_eq!(rest(&redactor, &hex::encode(SECRET)), "");
    }

    #[test]
    fn base64_is_found_wherever_the_secret_stands_in_it() {
        let redactor = redactor("correct-horse-battery-staple");
        for before in ["", "a", "ab", "user:", "user:p", "DB_PASSWORD="] {
            for after in ["", "\n", "@host"] {
                let whole = format!("{before}correct-horse-battery-staple{after}");
                for text in [STANDARD_NO_PAD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    // At most the characters at both ends, which other bytes have a part in.
                    let left = rest(&redactor, &text);
                    let others = (before.len() + after.len()) * 4 / 3 + 6;
                    assert!(left.len() <= others, "{before}…{after}: {left} of {text}");
                }
            }
        }
    }

    #[test]
    fn base64_that_is_wrapped_is_found_on_every_line() {
        let secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".repeat(3);
        let redactor = redactor(&secret);
        let encoded = STANDARD_NO_PAD.encode(format!("x{secret}"));
        for line in encoded.as_bytes().chunks(76) {
            let line = std::str::from_utf8(line).unwrap();
            let left = rest(&redactor, line);
            assert!(left.len() < WINDOW, "{left} of {line}");
        }
    }

    #[test]
    fn a_secret_of_several_lines_is_cut_out_line_by_line() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\r\nAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n";
        let redactor = redactor(key);
        assert_eq!(redactor.redact("key: MIIEvQIBADANBgkqhkiG9w0BAQEF"), format!("key: {MARK}"));
        assert_eq!(redactor.redact("  AASCBKcwggSjAgEAAoIB"), format!("  {MARK}"));
        assert_eq!(redactor.redact("-----BEGIN PRIVATE KEY-----"), "-----BEGIN PRIVATE KEY-----");
        let json = serde_json::Value::from(key.trim()).to_string();
        assert!(!redactor.redact(&json).contains("MII"), "{json}");
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_each_other() {
        let redactor = Redactor::new(["abcdefgh".to_owned(), "efghijkl".to_owned()]).unwrap();
        assert_eq!(redactor.redact("<abcdefghijkl>"), format!("<{MARK}>"));
        assert_eq!(redactor.redact("<abcdefghefghijkl>"), format!("<{MARK}>"));
    }

    #[test]
    fn what_is_too_short_to_be_a_secret_stays() {
        assert_eq!(
            Redactor::new(["a".to_owned(), String::new(), "12345".to_owned()]).unwrap().redact("a 12345"),
            "a 12345"
        );
    }
}
