//! Where a request came from: the peer's address, or what a proxy that is trusted says of it.

use crate::config::Config;
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderName, header},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
pub use platform::throttle::ClientAddress;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Notes the [`ClientAddress`] in the request, for everything behind.
pub async fn note(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(peer) = peer {
        let address = client(peer, request.headers(), &config.trusted_proxies);
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// The address that was noted in a request.
pub fn of(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ClientAddress>().map(|it| it.0)
}

/// The address of whoever sent the request. Each proxy adds the address that it was called from at the right; from there
/// on the first that is no trusted proxy's is the client's, and what stands left of it anybody may have written.
/// `Forwarded` (RFC 7239) is read where there is no `X-Forwarded-For`.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let mut address = peer;
    for part in hops(headers).iter().rev() {
        // Whoever wrote something else is not to be followed further.
        let Some(hop) = parse(part) else { break };
        address = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    address
}

fn hops(headers: &HeaderMap) -> Vec<String> {
    let lines = |name: HeaderName| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?").to_owned());
        values.collect::<Vec<_>>().join(",")
    };
    let listed = lines(FORWARDED_FOR);
    if !listed.is_empty() {
        return listed.split(',').map(|part| part.trim().to_owned()).collect();
    }
    let forwarded = lines(header::FORWARDED);
    if forwarded.is_empty() {
        return Vec::new();
    }
    let of = |element: &str| {
        let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        found.next().map_or_else(|| "?".to_owned(), |(_, value)| value.trim().trim_matches('"').to_owned())
    };
    forwarded.split(',').map(of).collect()
}

/// An address, with or without a port; IPv6 in brackets or bare.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|it| it.ip()));
    address.ok().map(|it: IpAddr| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[(&str, &str)]) -> String {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(|it| it.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let said = [("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen("198.51.100.7", &said), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &said), "203.0.113.9");
        assert_eq!(seen("::ffff:127.0.0.1", &said), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn the_rightmost_that_is_not_trusted_wins() {
        for (said, client) in [
            ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
            ("1.1.1.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
            ("203.0.113.9:4711, 10.1.2.3", "203.0.113.9"),
            ("[2001:db8::9]:4711", "2001:db8::9"),
            ("2001:db8::9", "2001:db8::9"),
            ("203.0.113.9, nonsense, 10.1.2.3", "10.1.2.3"),
            ("nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            assert_eq!(seen("127.0.0.1", &[("x-forwarded-for", said)]), client, "{said}");
        }
        let two_lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen("127.0.0.1", &two_lines), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_where_it_is_alone() {
        let forwarded = ("forwarded", "for=1.1.1.1, For=\"[2001:db8::9]:80\";proto=https;by=10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[forwarded]), "2001:db8::9");
        assert_eq!(seen("10.0.0.1", &[forwarded, ("x-forwarded-for", "203.0.113.9")]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &[("forwarded", "for=unknown")]), "10.0.0.1");
    }
}
