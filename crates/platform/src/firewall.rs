//! Rules of the machine's packet filter, for what the engine leaves open.
//!
//! **Between sites.** The engine keeps its bridges apart, but by a jump in the chain `FORWARD` that it takes out and puts
//! back each time it makes a network, any network: for a few milliseconds every container reaches every other. A rule of
//! ours in another table, which it does not touch, has no such gap. One rule for the whole pool is enough: what is
//! bridged stays within an environment, what is routed from the pool into the pool does not.
//!
//! **Builds** are kept from the addresses at which clouds tell a machine its secrets. The engine's manual names the chain
//! `DOCKER-USER` for rules of one's own:
//! <https://docs.docker.com/engine/network/packet-filtering-firewalls/#add-iptables-policies-before-dockers-rules>
//!
//! What listens on loopback alone, as the managed PostgreSQL and the proxy's API do, is out of reach of any container.

use crate::Platform;
use std::{io, process::Stdio, sync::Once};
use tokio::process::Command;

/// What the names of builds' bridges begin with. The engine's own are `br-` and hexadecimal digits.
pub(crate) const BRIDGES: &str = "br-wmb";
/// Link-local addresses (AWS, Azure, Google and most others), and those of Azure's and Alibaba's own.
const METADATA: [&str; 3] = ["169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32"];
const CHAIN: &str = "DOCKER-USER";
/// What is told once is told by the process's whole life.
static TOLD: [Once; 2] = [const { Once::new() }; 2];

/// Makes sure that no environment of this installation reaches another, and that none reaches a build.
pub(crate) async fn keep_apart(platform: &Platform) {
    if let Err(error) = ensure_apart(platform).await {
        TOLD[0].call_once(|| {
            tracing::warn!(
                %error,
                "sites are kept apart by the engine alone, which lets go for a moment whenever it makes a network"
            );
        });
    }
}

async fn ensure_apart(platform: &Platform) -> io::Result<()> {
    let settings = &platform.settings;
    let pool = format!("{}/{}", settings.subnet_base, settings.subnet_prefix);
    let mark = format!("webmeteor-{}", settings.instance);
    let rule = [
        ["FORWARD", "-s", &pool, "-d", &pool].as_slice(),
        &["-m", "physdev", "!", "--physdev-is-bridged"],
        &["-m", "comment", "--comment", &mark, "-j", "DROP"],
    ]
    .concat();
    if iptables(&[&["-t", "mangle", "-C"][..], &rule].concat()).await.is_err() {
        iptables(&[&["-t", "mangle", "-I"][..], &rule].concat()).await?;
    }
    Ok(())
}

/// Makes sure of the rules for builds, one set for all installations on this machine: they name the bridges by a
/// pattern, so that none is left behind with a bridge that is gone.
pub(crate) async fn confine_builds() {
    if let Err(error) = ensure_confined().await {
        TOLD[1].call_once(|| {
            tracing::warn!(%error, "builds are not kept from the cloud's metadata addresses by iptables");
        });
    }
}

async fn ensure_confined() -> io::Result<()> {
    let listed = iptables(&["-S", CHAIN]).await?;
    for address in METADATA {
        let rule = ["-i", &format!("{BRIDGES}+"), "-d", address, "-j", "REJECT"];
        if !is_there(&listed, address) {
            iptables(&[&["-I", CHAIN][..], &rule].concat()).await?;
        }
    }
    Ok(())
}

/// Whether the chain, as `iptables -S` lists it, has the rule for an address. It writes the order of a rule's parts its
/// own way.
fn is_there(listed: &str, address: &str) -> bool {
    let rule = format!("-A {CHAIN} -d {address} -i {BRIDGES}+ -j REJECT");
    listed.lines().any(|line| line.starts_with(&rule))
}

async fn iptables(arguments: &[&str]) -> io::Result<String> {
    let mut command = Command::new("iptables");
    command.args(["-w", "5"]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let done = command.output().await?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!("iptables {}: {}", arguments.join(" "), said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_found_as_iptables_lists_it() {
        let listed = "-N DOCKER-USER\n-A DOCKER-USER -d 169.254.0.0/16 -i br-wmb+ -j REJECT --reject-with icmp-port-unreachable\n-A DOCKER-USER -j RETURN\n";
        assert!(is_there(listed, "169.254.0.0/16"));
        assert!(!is_there(listed, "100.100.100.200/32"));
    }
}
