//! A web server in front of the proxy, where ports 80 and 443 belong to it already. Pure.

use crate::{Error, Result, routes};

/// A site for Apache 2.4.47 or newer that hands the platform's dashboard and all sites on; WebSockets pass through.
/// `domain` is the one below which sites answer. Needs the modules `proxy`, `proxy_http` and `headers`.
/// <https://httpd.apache.org/docs/2.4/mod/mod_proxy_http.html>
///
/// # Errors
/// [`Error::NotRoutable`] if the domain is none.
pub fn apache(domain: &str, http_port: u16) -> Result<String> {
    if !routes::is_host(domain) {
        return Err(Error::NotRoutable { what: "host", value: domain.to_owned() });
    }
    Ok(format!(
        "\
<VirtualHost *:80>
    ServerName {domain}
    ServerAlias *.{domain}

    # The proxy finds the site by its host.
    ProxyPreserveHost On
    ProxyRequests Off
    RequestHeader set X-Forwarded-Proto expr=%{{REQUEST_SCHEME}}

    # Streams of events and long uploads are not cut.
    ProxyTimeout 3600
    ProxyPass / http://127.0.0.1:{http_port}/ upgrade=websocket flushpackets=on
    ProxyPassReverse / http://127.0.0.1:{http_port}/
</VirtualHost>
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_for_apache() {
        insta::assert_snapshot!(apache("example.org", 8888).unwrap());
    }

    #[test]
    fn a_domain_cannot_bring_directives_along() {
        for domain in ["", "a b", "a\n</VirtualHost>", "*.a"] {
            assert!(apache(domain, 80).is_err(), "{domain}");
        }
    }
}
