//! Networks: one bridge per environment.

use super::{CALL, checked, convert, done, within};
use crate::{Error, Labels, NetworkSpec, NetworkState, Result};
use bollard::{
    Docker,
    models::{Ipam, IpamConfig, Network, NetworkCreateRequest},
    query_parameters::ListNetworksOptionsBuilder,
};
use std::{collections::HashMap, time::Duration};

pub(super) async fn ensure(docker: &Docker, spec: &NetworkSpec) -> Result<()> {
    ensure_with(docker, spec, HashMap::new()).await
}

/// <https://docs.docker.com/engine/network/drivers/bridge/#options>
pub(super) async fn ensure_for_builds(docker: &Docker, spec: &NetworkSpec, bridge: &str) -> Result<()> {
    let options = HashMap::from([
        ("com.docker.network.bridge.name".to_owned(), bridge.to_owned()),
        ("com.docker.network.bridge.enable_icc".to_owned(), "false".to_owned()),
    ]);
    ensure_with(docker, spec, options).await
}

async fn ensure_with(docker: &Docker, spec: &NetworkSpec, options: HashMap<String, String>) -> Result<()> {
    if let Some(there) = find(docker, &spec.name).await? {
        return same(spec, &there);
    }
    let request = NetworkCreateRequest {
        name: checked(&spec.name)?.to_owned(),
        driver: Some("bridge".into()),
        internal: Some(false),
        options: Some(options),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig { subnet: Some(spec.subnet()), ..IpamConfig::default() }]),
            ..Ipam::default()
        }),
        labels: Some(spec.labels.clone().into_iter().collect()),
        ..NetworkCreateRequest::default()
    };
    match within(CALL, docker.create_network(request)).await {
        Ok(_) => Ok(()),
        // Engine 20.10 takes a name twice, but never a subnet: whoever came second finds the first one's network.
        Err(error @ (Error::SubnetTaken(_) | Error::Conflict(_))) => match appears(docker, &spec.name).await? {
            Some(there) => same(spec, &there),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// A network whose making another call has begun takes its subnet before it can be found.
async fn appears(docker: &Docker, name: &str) -> Result<Option<NetworkState>> {
    for _ in 0..20 {
        let found = find(docker, name).await?;
        if found.is_some() {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(None)
}

fn same(spec: &NetworkSpec, there: &NetworkState) -> Result<()> {
    if there.subnet.as_deref() == Some(&spec.subnet()) {
        return Ok(());
    }
    Err(Error::SubnetTaken(format!(
        "the network {} is there with the subnet {} instead of {}",
        spec.name,
        there.subnet.as_deref().unwrap_or("(none)"),
        spec.subnet()
    )))
}

async fn find(docker: &Docker, name: &str) -> Result<Option<NetworkState>> {
    // The engine's filter takes parts of names too.
    let filter = HashMap::from([("name", vec![checked(name)?])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filter).build();
    let found = within(CALL, docker.list_networks(Some(options))).await?;
    Ok(found.into_iter().map(state).find(|network| network.name == name))
}

pub(super) async fn remove(docker: &Docker, name: &str) -> Result<()> {
    done(within(CALL, docker.remove_network(checked(name)?)).await)
}

pub(super) async fn list(docker: &Docker, labels: &Labels) -> Result<Vec<NetworkState>> {
    let options = ListNetworksOptionsBuilder::new().filters(&convert::label_filter(labels)).build();
    let found = within(CALL, docker.list_networks(Some(options))).await?;
    Ok(found.into_iter().map(state).collect())
}

fn state(found: Network) -> NetworkState {
    let subnet = found.ipam.and_then(|ipam| ipam.config).and_then(|configs| configs.into_iter().next());
    NetworkState {
        name: found.name.unwrap_or_default(),
        subnet: subnet.and_then(|config| config.subnet),
        labels: found.labels.unwrap_or_default().into_iter().collect(),
    }
}
