//! By which way mail is sent, as `WEBMETEOR_MAIL` says it.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use std::{fmt, net::IpAddr, path::PathBuf};
use url::Url;

/// By which way.
#[derive(Debug, Clone, Default)]
pub enum Transport {
    /// Nobody is sent anything: the log tells it, for the operator to pass on.
    #[default]
    Log,
    /// One file for each mail in this folder.
    Folder(PathBuf),
    /// To this server.
    Smtp(Smtp),
}

/// A mail server that takes mail from us.
#[derive(Clone)]
pub struct Smtp {
    /// Its name, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub tls: Tls,
    /// Who we are there.
    pub credentials: Option<(String, SecretString)>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// In the clear; on this machine alone.
    None,
    /// It has to offer STARTTLS (RFC 3207).
    StartTls,
    /// From the first byte on (RFC 8314).
    Implicit,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, .. } = self;
        f.debug_struct("Smtp").field("host", host).field("port", port).field("tls", tls).finish_non_exhaustive()
    }
}

impl Transport {
    /// Reads `log`, `file:DIR`, `smtp://user:password@host:port` or `smtps://…`; empty is `log`.
    ///
    /// # Errors
    /// What would be accepted, without what was given: there may be a password in it.
    pub fn parse(raw: &str) -> Result<Self, String> {
        if matches!(raw, "" | "log") {
            return Ok(Self::Log);
        }
        if let Some(folder) = raw.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
            let folder =
                std::path::absolute(folder).map_err(|e| format!("the folder cannot be made absolute: {e}."))?;
            return Ok(Self::Folder(folder));
        }
        Smtp::parse(raw).map(Self::Smtp)
    }

    /// A mail reaches its reader without the operator. Where it does not, nothing may depend on it.
    pub fn reaches_people(&self) -> bool {
        !matches!(self, Self::Log)
    }
}

impl Smtp {
    fn parse(raw: &str) -> Result<Self, String> {
        let wrong = || "not `log`, `file:DIR`, smtp://user:password@host:587 or smtps://user:password@host.".to_owned();
        let url = Url::parse(raw).map_err(|_| wrong())?;
        let (mut tls, port) = match url.scheme() {
            "smtp" => (Tls::StartTls, 587),
            "smtps" => (Tls::Implicit, 465),
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(wrong());
        }
        match (url.query(), tls) {
            (None, _) => {}
            (Some("tls=none"), Tls::StartTls) if is_loopback(&host) => tls = Tls::None,
            (Some("tls=none"), _) => {
                return Err("`?tls=none` is for smtp:// and a server on this machine (127.0.0.1) alone.".to_owned());
            }
            (Some(_), _) => return Err("after the `?` there can be `tls=none` and nothing else.".to_owned()),
        }
        let text =
            |part: &str| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| wrong());
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => Some((text(user)?, SecretString::from(text(password)?))),
            _ => return Err("a user needs a password and a password a user: smtp://user:password@host.".to_owned()),
        };
        Ok(Self { host, port: url.port().unwrap_or(port), tls, credentials })
    }
}

/// This machine itself.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn smtp(raw: &str) -> Smtp {
        match Transport::parse(raw) {
            Ok(Transport::Smtp(smtp)) => smtp,
            other => panic!("{raw}: {other:?}"),
        }
    }

    #[test]
    fn a_server_is_spoken_to_over_tls_unless_it_is_this_machine() {
        let known = smtp("smtp://ada%40example.org:hu%20sh@mail.example.org");
        assert_eq!((known.host.as_str(), known.port, known.tls), ("mail.example.org", 587, Tls::StartTls));
        let (user, password) = known.credentials.unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("ada@example.org", "hu sh"));
        let implicit = smtp("smtps://mail.example.org:4650");
        assert_eq!((implicit.port, implicit.tls), (4650, Tls::Implicit));
        for here in ["smtp://127.0.0.1:25?tls=none", "smtp://[::1]:25?tls=none", "smtp://localhost:25?tls=none"] {
            assert_eq!(smtp(here).tls, Tls::None, "{here}");
        }
    }

    #[test]
    fn what_is_no_way_is_refused_without_repeating_it() {
        for wrong in [
            "smtp://mail.example.org?tls=none",
            "smtp://192.168.0.1?tls=none",
            "smtps://127.0.0.1?tls=none",
            "smtp://u:hush@mail.example.org?tls=maybe",
            "smtp://u@mail.example.org",
            "smtp://:hush@mail.example.org",
            "smtp://u:hush@mail.example.org/path",
            "http://u:hush@mail.example.org",
            "smtp://",
            "file:",
            "post",
        ] {
            let told = Transport::parse(wrong).unwrap_err();
            assert!(!told.contains("hush"), "{told}");
        }
        assert!(matches!(Transport::parse(""), Ok(Transport::Log)));
        assert!(matches!(Transport::parse("log"), Ok(Transport::Log)));
        assert!(matches!(Transport::parse("file:mails"), Ok(Transport::Folder(folder)) if folder.is_absolute()));
    }

    #[test]
    fn a_password_is_not_printed() {
        assert!(!format!("{:?}", smtp("smtp://u:hush@mail.example.org")).contains("hush"));
    }
}
