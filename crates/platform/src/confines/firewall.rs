//! Keeps builds from the addresses at which clouds tell a machine its secrets. The engine has no call for that; its
//! manual names the chain `DOCKER-USER` for rules of one's own:
//! <https://docs.docker.com/engine/network/packet-filtering-firewalls/#add-iptables-policies-before-dockers-rules>
//!
//! Other sites' networks need no rule: the engine keeps bridges apart. What listens on loopback alone, as the managed
//! PostgreSQL and the proxy's API do, is out of reach of any container.

use std::{io, process::Stdio, sync::Once};
use tokio::process::Command;

/// What the names of builds' bridges begin with. The engine's own are `br-` and hexadecimal digits.
pub(super) const BRIDGES: &str = "br-wmb";
/// Link-local addresses (AWS, Azure, Google and most others), and those of Azure's and Alibaba's own.
const METADATA: [&str; 3] = ["169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32"];
static TOLD: Once = Once::new();

/// Makes sure of the rules, one set for all installations on this machine: they name the bridges by a pattern, so that
/// none is left behind with a bridge that is gone.
pub(super) async fn ensure() {
    for address in METADATA {
        if let Err(error) = ensure_one(address).await {
            TOLD.call_once(|| {
                tracing::warn!(%error, "builds are not kept from the cloud's metadata addresses by iptables");
            });
            return;
        }
    }
}

async fn ensure_one(address: &str) -> io::Result<()> {
    if iptables("-C", address).await? {
        return Ok(());
    }
    if iptables("-I", address).await? {
        return Ok(());
    }
    Err(io::Error::other("iptables refused a rule in the chain DOCKER-USER"))
}

async fn iptables(what: &str, address: &str) -> io::Result<bool> {
    let bridges = format!("{BRIDGES}+");
    let arguments = ["-w", "5", what, "DOCKER-USER", "-i", &bridges, "-d", address, "-j", "REJECT"];
    let mut command = Command::new("iptables");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Ok(command.status().await?.success())
}
