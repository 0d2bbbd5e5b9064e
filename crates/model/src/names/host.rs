//! The name of a host, as people have it registered.

use super::{NameError, refuse};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};

/// What stands in front of a host where the proof is looked for that somebody holds it.
pub const PROOF_LABEL: &str = "_webmeteor";
/// A name in the DNS has no more characters (RFC 1035, section 2.3.4), and the proof's label stands in front of this one.
const MAX: usize = 253 - PROOF_LABEL.len() - 1;

name! {
    /// A host's name of at least two labels, in ASCII (RFC 5890: `bücher.example` is `xn--bcher-kva.example`), lower
    /// case, without a dot at its end. Neither an IP address nor a wildcard.
    Hostname, parse
}

impl Hostname {
    /// As people write it: `bücher.example`.
    pub fn unicode(&self) -> String {
        idna::domain_to_unicode(self.as_str()).0
    }
    /// It is this domain, or stands below it.
    pub fn is_within(&self, domain: &str) -> bool {
        let rest = self.as_str().strip_suffix(domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
    /// Where the TXT record stands that proves it: `_webmeteor.{host}`.
    pub fn proof_name(&self) -> String {
        format!("{PROOF_LABEL}.{self}")
    }
}

fn parse(raw: &str) -> Result<String, NameError> {
    let value = raw.trim();
    let value = value.strip_suffix('.').unwrap_or(value);
    if value.contains('*') {
        return refuse("wildcard", "A wildcard cannot be added; add each name by itself, such as shop.example.org.");
    }
    if value.contains(['/', '?', '#', '@', '\\']) {
        return refuse("host", "Only the name is needed, without https:// and without a path: shop.example.org.");
    }
    if value.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return refuse("address", "This is an IP address; a domain is a name, such as shop.example.org.");
    }
    if value.contains(':') {
        return refuse("host", "Leave out the port: shop.example.org.");
    }
    let Ok(host) = idna::domain_to_ascii_strict(value) else {
        return refuse("host", "This is not the name of a domain; it looks like shop.example.org.");
    };
    let Some((_, last)) = host.rsplit_once('.') else {
        return refuse("host", "A domain has at least one dot in it, such as shop.example.org.");
    };
    // What ends in a number is read as an address by browsers (https://url.spec.whatwg.org/#ends-in-a-number-checker).
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return refuse("address", "A domain does not end in a number; it looks like shop.example.org.");
    }
    if host.len() > MAX {
        return refuse("length", format!("A domain has at most {MAX} characters; this has {}.", host.len()));
    }
    let is_plain = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !host.split('.').all(is_plain) {
        return refuse("host", "Between its dots a domain has letters, digits and hyphens, such as shop.example.org.");
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_host_is_kept_in_ascii_and_lower_case() {
        for (raw, host) in [
            (" Shop.Example.org. ", "shop.example.org"),
            ("example.org", "example.org"),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("shop。example。org", "shop.example.org"),
            ("a-b.c1.example", "a-b.c1.example"),
        ] {
            assert_eq!(Hostname::parse(raw).unwrap().as_str(), host, "{raw}");
        }
        assert_eq!(Hostname::parse("bücher.example").unwrap().unicode(), "bücher.example");
        assert_eq!(Hostname::parse("bücher.example").unwrap().proof_name(), "_webmeteor.xn--bcher-kva.example");
    }

    #[test]
    fn what_is_no_host_is_refused_with_a_reason_of_its_own() {
        for (raw, code) in [
            ("*.example.org", "wildcard"),
            ("192.0.2.1", "address"),
            ("2001:db8::1", "address"),
            ("[2001:db8::1]", "address"),
            ("1.2.3", "address"),
            ("0x7f.1", "address"),
            ("https://example.org", "host"),
            ("example.org/shop", "host"),
            ("me@example.org", "host"),
            ("example.org:8080", "host"),
            ("localhost", "host"),
            ("", "host"),
            (".", "host"),
            ("a..example", "host"),
            ("-a.example", "host"),
            ("a_b.example", "host"),
            ("a`b.example", "host"),
            ("a b.example", "host"),
            ("xn--a.example", "host"),
        ] {
            assert_eq!(Hostname::parse(raw).unwrap_err().code, code, "{raw}");
        }
        let long = format!("{}.example", ["a".repeat(60).as_str(); 4].join("."));
        assert!(Hostname::parse(&long).is_err());
    }

    #[test]
    fn a_host_is_within_a_domain_by_whole_labels() {
        let host = Hostname::parse("shop.example.org").unwrap();
        for (domain, is) in
            [("shop.example.org", true), ("example.org", true), ("org", true), ("ample.org", false), ("x.org", false)]
        {
            assert_eq!(host.is_within(domain), is, "{domain}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_safe_in_a_rule_and_parses_again(raw in "\\PC{0,40}(\\.\\PC{0,10})?") {
            if let Ok(host) = Hostname::parse(&raw) {
                prop_assert!(host.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'));
                prop_assert_eq!(Hostname::parse(host.as_str()).unwrap(), host);
            }
        }
    }
}
