//! The way out: a `docker-compose.yaml` and a `.env` from which `docker compose up -d` makes the same containers as
//! the platform did. Pure but for [`write`].

use crate::{Result, atomic, dotenv, routes, yaml};
use model::{
    hardening,
    plan::{ContainerPlan, ReleasePlan},
    site::HealthCheck,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// The file beside the compose file, named by it.
const ENV_FILE: &str = ".env";
/// Secrets are in both files.
const MODE: u32 = 0o600;

/// All that a compose file is made from.
#[derive(Debug, Clone)]
pub struct ComposeInput<'a> {
    /// The release.
    pub plan: &'a ReleasePlan,
    /// Domains that lead to it, beside its hosts.
    pub domains: &'a [String],
    /// Labels by service.
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// Variables of one service alone, by service; those that all share are in `.env`.
    pub environment: BTreeMap<String, BTreeMap<String, String>>,
}

/// The text of `docker-compose.yaml`; the same release gives the same text.
///
/// # Errors
/// [`crate::Error::NotRoutable`], [`crate::Error::Yaml`].
pub fn render(input: &ComposeInput<'_>) -> Result<String> {
    let plan = input.plan;
    let services = plan
        .containers
        .iter()
        .map(|container| Ok((container.service.to_string(), service(input, container)?)))
        .collect::<Result<_>>()?;
    let own = |name: &String, owner: &String| {
        let labels = input.labels.get(owner).map(of_environment).unwrap_or_default();
        (name.clone(), Volume { name: name.clone(), labels })
    };
    let network = Network {
        name: plan.network.name.clone(),
        driver: "bridge",
        labels: input.labels.values().next().map(of_environment).unwrap_or_default(),
        ipam: Ipam { config: vec![Subnet { subnet: format!("{}/{}", plan.network.base, plan.network.prefix) }] },
    };
    let file = File {
        // A project's name has no dots: https://docs.docker.com/reference/compose-file/version-and-name/
        name: plan.project.replace('.', "_"),
        services,
        networks: BTreeMap::from([(NETWORK, network)]),
        volumes: plan.volumes.iter().map(|(name, owner)| own(name, owner)).collect(),
    };
    yaml::render(&file)
}

/// The text of `.env`.
pub fn render_env(variables: &BTreeMap<String, String>) -> String {
    dotenv::render(variables)
}

/// Writes both files into the environment's folder, each by atomic rename; what is there already is not written
/// again. The folder is readable by its owner alone, and so are the files.
///
/// # Errors
/// Those of the file system.
pub fn write(folder: &Path, compose: &str, env: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for (name, text) in [(ENV_FILE, env), ("docker-compose.yaml", compose)] {
        let path = folder.join(name);
        if !fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            atomic::write(&path, text.as_bytes(), MODE)?;
        }
    }
    Ok(())
}

/// The key of the one network inside the file.
const NETWORK: &str = "site";

fn service(input: &ComposeInput<'_>, container: &ContainerPlan) -> Result<Service> {
    let (plan, spec) = (input.plan, &container.spec);
    let name = container.service.to_string();
    let mut labels = input.labels.get(&name).cloned().unwrap_or_default();
    labels.extend(traefik_labels(input, container)?);
    let environment = input.environment.get(&name).cloned().unwrap_or_default();
    let grace = if container.stateful { hardening::STATEFUL_STOP_GRACE_SECONDS } else { hardening::STOP_GRACE_SECONDS };
    let databases = plan.containers.iter().filter(|other| other.stateful && !container.stateful);
    Ok(Service {
        image: container.image.clone(),
        container_name: container.name.clone(),
        command: spec.command.as_ref().map(|argv| argv.iter().map(|arg| literal(arg)).collect()),
        depends_on: databases.map(|other| other.service.to_string()).collect(),
        env_file: if container.stateful { vec![] } else { vec![ENV_FILE] },
        environment: literals(environment),
        labels: literals(labels),
        expose: vec![spec.port.to_string()],
        networks: BTreeMap::from([(
            NETWORK,
            Endpoint { aliases: vec![name], ipv4_address: container.address.to_string() },
        )]),
        volumes: spec.volumes.iter().map(|(volume, path)| mount(plan, volume, path)).collect(),
        healthcheck: health(&spec.health),
        mem_limit: spec.memory_bytes,
        memswap_limit: spec.memory_bytes,
        cpus: f64::from(spec.cpu_millis) / 1000.0,
        pids_limit: hardening::PIDS,
        init: true,
        restart: "unless-stopped",
        stop_grace_period: format!("{grace}s"),
        cap_drop: vec!["ALL"],
        cap_add: hardening::CAPABILITIES.to_vec(),
        security_opt: vec!["no-new-privileges:true"],
        logging: Logging {
            driver: "json-file",
            options: BTreeMap::from([("max-file", hardening::LOG_MAX_FILES), ("max-size", hardening::LOG_MAX_SIZE)]),
        },
    })
}

/// A plan names its volumes `{project}-{volume}`; a service mounts them by the short name.
fn mount(plan: &ReleasePlan, volume: &str, path: &str) -> Mount {
    Mount { r#type: "volume", source: format!("{}-{volume}", plan.project), target: literal(path) }
}

/// What a Traefik with the Docker provider needs to route as the platform's own does.
/// <https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/>
fn traefik_labels(input: &ComposeInput<'_>, container: &ContainerPlan) -> Result<BTreeMap<String, String>> {
    let Some(path) = &container.spec.route else { return Ok(BTreeMap::new()) };
    let plan = input.plan;
    let hosts: Vec<String> = plan.hosts.iter().chain(input.domains).cloned().collect();
    let name = format!("{}-{}", plan.environment, container.service);
    let router = format!("traefik.http.routers.{name}");
    let mut labels = BTreeMap::from([
        ("traefik.enable".to_owned(), "true".to_owned()),
        ("traefik.docker.network".to_owned(), plan.network.name.clone()),
        (format!("{router}.rule"), routes::rule(&hosts, path)?),
        (format!("{router}.priority"), routes::priority(path).to_string()),
        (format!("{router}.entrypoints"), routes::ENTRY_POINT.to_owned()),
        (format!("{router}.service"), name.clone()),
        (format!("traefik.http.services.{name}.loadbalancer.server.port"), container.spec.port.to_string()),
    ]);
    if container.spec.strip_prefix && path != "/" {
        labels.insert(format!("{router}.middlewares"), name.clone());
        let prefix = path.trim_end_matches('/').to_owned();
        labels.insert(format!("traefik.http.middlewares.{name}.stripprefix.prefixes"), prefix);
    }
    Ok(labels)
}

/// Networks and volumes outlive deployments and services, so they carry neither's label.
fn of_environment(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let kept = |key: &str| !matches!(key, "webmeteor.deployment" | "webmeteor.service" | "webmeteor.stateful");
    labels.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), literal(value))).collect()
}

fn health(check: &HealthCheck) -> Option<Healthcheck> {
    let command = check.command.as_ref()?;
    Some(Healthcheck {
        test: std::iter::once("CMD".to_owned()).chain(command.iter().map(|arg| literal(arg))).collect(),
        interval: format!("{}ms", check.interval_ms),
        timeout: format!("{}ms", check.timeout_ms),
        retries: check.retries,
        start_period: format!("{}ms", check.start_period_ms),
    })
}

/// Compose replaces `$NAME` everywhere; a doubled sign stands for itself.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

fn literals(map: BTreeMap<String, String>) -> BTreeMap<String, String> {
    map.into_iter().map(|(key, value)| (key, literal(&value))).collect()
}

#[derive(Serialize)]
struct File {
    name: String,
    services: BTreeMap<String, Service>,
    networks: BTreeMap<&'static str, Network>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, Volume>,
}

#[derive(Serialize)]
struct Service {
    image: String,
    container_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env_file: Vec<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    expose: Vec<String>,
    networks: BTreeMap<&'static str, Endpoint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Mount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Healthcheck>,
    mem_limit: u64,
    memswap_limit: u64,
    cpus: f64,
    pids_limit: u32,
    init: bool,
    restart: &'static str,
    stop_grace_period: String,
    cap_drop: Vec<&'static str>,
    cap_add: Vec<&'static str>,
    security_opt: Vec<&'static str>,
    logging: Logging,
}

#[derive(Serialize)]
struct Endpoint {
    aliases: Vec<String>,
    ipv4_address: String,
}

#[derive(Serialize)]
struct Mount {
    r#type: &'static str,
    source: String,
    target: String,
}

#[derive(Serialize)]
struct Healthcheck {
    test: Vec<String>,
    interval: String,
    timeout: String,
    retries: u32,
    start_period: String,
}

#[derive(Serialize)]
struct Logging {
    driver: &'static str,
    options: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct Network {
    name: String,
    driver: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{
        DeploymentId, EnvironmentId, SiteId, TeamId,
        names::ServiceName,
        plan::NetworkPlan,
        site::{ServiceSource, ServiceSpec},
    };
    use std::net::Ipv4Addr;
    use uuid::Uuid;

    fn container(name: &str, last: u8, port: u16, route: Option<&str>) -> ContainerPlan {
        ContainerPlan {
            service: ServiceName::parse(name).unwrap(),
            name: format!("acme-shop-{name}"),
            image: format!("webmeteor/acme-shop-{name}:1"),
            address: Ipv4Addr::new(10, 64, 0, last),
            spec: ServiceSpec {
                name: ServiceName::parse(name).unwrap(),
                source: ServiceSource::Image("x".into()),
                port,
                command: None,
                route: route.map(Into::into),
                strip_prefix: route == Some("/api"),
                health: HealthCheck::default(),
                memory_bytes: 512 << 20,
                cpu_millis: 500,
                volumes: BTreeMap::new(),
            },
            stateful: false,
        }
    }

    fn plan() -> ReleasePlan {
        let mut db = container("db", 2, 5432, None);
        db.image = "webmeteor/postgres:latest".into();
        db.stateful = true;
        db.spec.volumes = BTreeMap::from([("db".into(), "/var/lib/postgresql/data".into())]);
        db.spec.health.command = Some(vec!["pg_isready".into(), "-U".into(), "$USER".into()]);
        let mut api = container("api", 4, 80, Some("/api"));
        api.spec.command = Some(vec!["php".into(), "-S".into(), "0.0.0.0:80".into()]);
        ReleasePlan {
            team: TeamId(Uuid::nil()),
            site: SiteId(Uuid::nil()),
            environment: EnvironmentId(Uuid::nil()),
            deployment: DeploymentId(Uuid::nil()),
            project: "acme-shop".into(),
            hosts: vec!["shop.localhost".into()],
            domain: None,
            network: NetworkPlan { name: "acme-shop-network".into(), base: Ipv4Addr::new(10, 64, 0, 0), prefix: 27 },
            containers: vec![db, container("www", 3, 4200, Some("/")), api],
            volumes: BTreeMap::from([("acme-shop-db".into(), "db".into())]),
        }
    }

    fn input(plan: &ReleasePlan) -> ComposeInput<'_> {
        let labels = |service: &str| {
            BTreeMap::from([
                ("webmeteor.environment".to_owned(), plan.environment.to_string()),
                ("webmeteor.service".to_owned(), service.to_owned()),
            ])
        };
        let service = |container: &ContainerPlan| container.service.to_string();
        ComposeInput {
            plan,
            domains: &[],
            labels: plan.containers.iter().map(|c| (service(c), labels(c.service.as_str()))).collect(),
            environment: BTreeMap::from([
                ("db".into(), BTreeMap::from([("POSTGRES_PASSWORD".into(), "pa$$word".into())])),
                ("api".into(), BTreeMap::from([("PORT".into(), "80".into()), ("DEBUG".into(), "no".into())])),
            ]),
        }
    }

    #[test]
    fn a_full_stack_site_has_a_compose_file() {
        let plan = plan();
        insta::assert_snapshot!(render(&input(&plan)).unwrap());
    }

    #[test]
    fn domains_lead_to_what_the_hosts_lead_to() {
        let plan = plan();
        let domains = ["shop.example.org".to_owned()];
        let text = render(&ComposeInput { domains: &domains, ..input(&plan) }).unwrap();
        assert!(text.contains("Host(`shop.localhost`) || Host(`shop.example.org`)"), "{text}");
    }

    #[test]
    fn a_preview_has_a_project_name_that_compose_takes() {
        let mut plan = plan();
        plan.project = "acme-shop.pr-12".into();
        assert!(render(&input(&plan)).unwrap().starts_with("name: acme-shop_pr-12\n"));
    }

    #[test]
    fn only_the_owner_reads_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("team/site/production");
        write(&folder, "name: x\n", "A='1'\n").unwrap();
        write(&folder, "name: y\n", "A='1'\n").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for (name, text) in [(".env", "A='1'\n"), ("docker-compose.yaml", "name: y\n")] {
            assert_eq!(mode(&folder.join(name)), 0o600);
            assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), text);
        }
        assert_eq!(folder.read_dir().unwrap().count(), 2);
    }
}
