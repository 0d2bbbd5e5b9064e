//! The site's folder: a `docker-compose.yaml` and a `.env` such that `docker compose up -d` there runs what the
//! platform runs. It is the way out, and the way back after a disaster.

use crate::{Error, Result, files::replace, routes};
use model::plan::{ContainerPlan, ReleasePlan};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, path::Path};

/// What the compose file is made from.
pub struct ComposeInput<'a> {
    /// The release.
    pub plan: &'a ReleasePlan,
    /// Service → labels of its container.
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// Service → its own variables, beside those of `.env`; those of a database hold its password.
    pub environment: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Compose {
    name: String,
    services: BTreeMap<String, Service>,
    networks: BTreeMap<&'static str, Network>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, Volume>,
}

#[derive(Serialize)]
struct Service {
    container_name: String,
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Vec<String>>,
    restart: &'static str,
    init: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env_file: Vec<&'static str>,
    environment: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    networks: BTreeMap<&'static str, Attachment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<String>,
    mem_limit: u64,
    memswap_limit: u64,
    cpus: f64,
    pids_limit: u32,
    cap_drop: Vec<&'static str>,
    cap_add: Vec<&'static str>,
    security_opt: Vec<&'static str>,
    logging: Logging,
}

#[derive(Serialize)]
struct Attachment {
    ipv4_address: String,
    aliases: Vec<String>,
}

#[derive(Serialize)]
struct Logging {
    driver: &'static str,
    options: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct Network {
    name: String,
    ipam: Ipam,
}

#[derive(Serialize)]
struct Ipam {
    config: Vec<Subnet>,
}

#[derive(Serialize)]
struct Subnet {
    subnet: String,
}

#[derive(Serialize)]
struct Volume {
    name: String,
}

/// The capabilities that a site's container keeps.
const CAPABILITIES: [&str; 7] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// The compose file.
///
/// # Errors
/// [`Error::Format`] if it cannot be written.
pub fn render(input: &ComposeInput<'_>) -> Result<String> {
    let plan = input.plan;
    let compose = Compose {
        name: plan.project.replace('.', "-"),
        services: plan.containers.iter().map(|c| (c.service.to_string(), service(input, c))).collect(),
        networks: BTreeMap::from([(
            "site",
            Network {
                name: plan.network.name.clone(),
                ipam: Ipam {
                    config: vec![Subnet { subnet: format!("{}/{}", plan.network.base, plan.network.prefix) }],
                },
            },
        )]),
        volumes: plan.volumes.keys().map(|name| (name.clone(), Volume { name: name.clone() })).collect(),
    };
    serde_saphyr::to_string(&compose).map_err(|e| Error::Format(e.to_string()))
}

fn service(input: &ComposeInput<'_>, container: &ContainerPlan) -> Service {
    let name = container.service.to_string();
    let mut labels = input.labels.get(&name).cloned().unwrap_or_default();
    labels.extend(traefik_labels(input.plan, container));
    let dollars = |map: BTreeMap<String, String>| map.into_iter().map(|(k, v)| (k, v.replace('$', "$$"))).collect();
    Service {
        container_name: container.name.clone(),
        image: container.image.clone(),
        command: container.spec.command.as_ref().map(|argv| argv.iter().map(|a| a.replace('$', "$$")).collect()),
        restart: "unless-stopped",
        init: true,
        env_file: if container.stateful { vec![] } else { vec![".env"] },
        environment: dollars(input.environment.get(&name).cloned().unwrap_or_default()),
        labels: dollars(labels),
        networks: BTreeMap::from([(
            "site",
            Attachment { ipv4_address: container.address.to_string(), aliases: vec![name] },
        )]),
        volumes: container
            .spec
            .volumes
            .iter()
            .map(|(volume, path)| format!("{}-{volume}:{path}", input.plan.project))
            .collect(),
        mem_limit: container.spec.memory_bytes,
        memswap_limit: container.spec.memory_bytes,
        cpus: f64::from(container.spec.cpu_millis) / 1000.0,
        pids_limit: 256,
        cap_drop: vec!["ALL"],
        cap_add: CAPABILITIES.to_vec(),
        security_opt: vec!["no-new-privileges:true"],
        logging: Logging { driver: "json-file", options: BTreeMap::from([("max-size", "10m"), ("max-file", "3")]) },
    }
}

/// The labels by which a Traefik with the docker provider finds the service without this platform.
fn traefik_labels(plan: &ReleasePlan, container: &ContainerPlan) -> BTreeMap<String, String> {
    let Some(path) = &container.spec.route else { return BTreeMap::new() };
    let name = format!("{}-{}", plan.environment, container.service);
    let mut labels = BTreeMap::from([
        ("traefik.enable".to_owned(), "true".to_owned()),
        ("traefik.docker.network".to_owned(), plan.network.name.clone()),
        (format!("traefik.http.routers.{name}.rule"), routes::rule(&plan.hosts, path)),
        (format!("traefik.http.routers.{name}.priority"), routes::priority(path).to_string()),
        (format!("traefik.http.routers.{name}.service"), name.clone()),
        (format!("traefik.http.services.{name}.loadbalancer.server.port"), container.spec.port.to_string()),
    ]);
    if container.spec.strip_prefix && path != "/" {
        let prefix = path.trim_end_matches('/').to_owned();
        labels.insert(format!("traefik.http.middlewares.{name}.stripprefix.prefixes"), prefix);
        labels.insert(format!("traefik.http.routers.{name}.middlewares"), name);
    }
    labels
}

/// The `.env` file, by Compose's rules: single quotes take everything literally but themselves.
pub fn render_env(variables: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (key, value) in variables {
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key}='{value}'");
    }
    text
}

/// Writes both files, whole, for nobody else to read.
///
/// # Errors
/// If the folder or a file cannot be written.
pub fn write(folder: &Path, compose: &str, env: &str) -> Result<()> {
    replace(&folder.join("docker-compose.yaml"), compose.as_bytes(), Some(0o600))?;
    replace(&folder.join(".env"), env.as_bytes(), Some(0o600))
}
