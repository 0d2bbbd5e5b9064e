//! Whether the pool of subnets would hide an address that this machine reaches by another way.

use super::Subnets;
use std::net::Ipv4Addr;

/// Where the kernel shows its IPv4 routes (proc(5)): one line each, addresses as hexadecimal in host byte order.
const ROUTES: &str = "/proc/net/route";

/// A route of this machine into the pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "WEBMETEOR_SUBNET_POOL overlaps {base}/{prefix}, which this machine reaches through {interface}; \
     set it to a private network that is free here, such as 10.192.0.0/12 or 172.24.0.0/14"
)]
pub struct Overlap {
    /// First address of the route's network.
    pub base: Ipv4Addr,
    /// Its prefix length.
    pub prefix: u32,
    /// The network interface.
    pub interface: String,
}

/// The first route of this machine that overlaps the pool, if any. Where routes cannot be read, none is found.
pub fn overlap_with_host(pool: Subnets) -> Option<Overlap> {
    overlap(&std::fs::read_to_string(ROUTES).unwrap_or_default(), pool)
}

fn overlap(routes: &str, pool: Subnets) -> Option<Overlap> {
    routes.lines().skip(1).filter_map(parse).find(|route| {
        let shorter = route.prefix.min(u32::from(pool.prefix));
        let mask = u32::MAX.checked_shl(32 - shorter).unwrap_or(0);
        let overlaps = (route.base.to_bits() ^ pool.base.to_bits()) & mask == 0;
        overlaps && route.prefix > 0 && !is_our_network(route)
    })
}

/// Bridges are named `br-…`; those of environments have a /27 inside the pool, that of builds has a /26.
fn is_our_network(route: &Overlap) -> bool {
    route.interface.starts_with("br-") && route.prefix >= 26
}

fn parse(line: &str) -> Option<Overlap> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok().map(u32::swap_bytes);
    let (interface, base, mask) = (*fields.first()?, address(1)?, address(7)?);
    Some(Overlap { base: Ipv4Addr::from_bits(base), prefix: mask.leading_ones(), interface: interface.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";

    fn routes(lines: &[&str]) -> String {
        format!("{HEAD}{}", lines.join("\n"))
    }
    fn pool() -> Subnets {
        Subnets { base: Ipv4Addr::new(10, 64, 0, 0), prefix: 12 }
    }

    #[test]
    fn the_default_route_and_other_networks_do_not_overlap() {
        let text = routes(&[
            "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0",
            "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
        ]);
        assert_eq!(overlap(&text, pool()), None);
    }

    #[test]
    fn a_wider_and_a_narrower_route_overlap() {
        let wide = overlap(&routes(&["tun0\t0000000A\t0\t0001\t0\t0\t0\t000000FF\t0\t0\t0"]), pool()).unwrap();
        assert_eq!((wide.base, wide.prefix, wide.interface.as_str()), (Ipv4Addr::new(10, 0, 0, 0), 8, "tun0"));
        let narrow = overlap(&routes(&["eth1\t0001400A\t0\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"]), pool()).unwrap();
        assert!(narrow.to_string().contains("10.64.1.0/24") && narrow.to_string().contains("WEBMETEOR_SUBNET_POOL"));
    }

    #[test]
    fn the_bridges_of_environments_and_of_builds_are_our_own() {
        let text = routes(&[
            "br-0a1b2c3d4e5f\t2000400A\t0\t0001\t0\t0\t0\tE0FFFFFF\t0\t0\t0",
            "br-wmb0a1b2c3d\tC0FF4F0A\t0\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0",
        ]);
        assert_eq!(overlap(&text, pool()), None);
    }
}
