//! Decides what a deployment will make, before anything is touched. Pure: needs no Docker to test.

use crate::Settings;
use model::{
    DeploymentId, EnvironmentId, SiteId, TeamId,
    names::ServiceName,
    plan::{ContainerPlan, NetworkPlan, ReleasePlan},
    site::{HealthCheck, Manifest, ServiceSource, ServiceSpec},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

/// Subnets at the end of the pool that builds share.
const BUILD_SUBNETS: i32 = 2;
/// Prefix length of one environment's subnet: 29 addresses for its containers.
pub const SUBNET_PREFIX: u8 = 27;
/// The image of a site's own database.
pub const POSTGRES_IMAGE: &str = "webmeteor/postgres:latest";
/// The database service's name; it cannot be declared in a repository as another thing.
pub const DATABASE: &str = "db";
/// The port of the database.
pub const DATABASE_PORT: u16 = 5432;

/// All that a plan depends on.
pub struct PlanInput<'a> {
    /// The team that the site was made in.
    pub team: TeamId,
    /// That team's short name.
    pub team_slug: &'a str,
    /// Site.
    pub site: SiteId,
    /// The site's slug.
    pub site_slug: &'a str,
    /// Environment.
    pub environment: EnvironmentId,
    /// The environment's name.
    pub environment_name: &'a str,
    /// The deployment.
    pub deployment: DeploymentId,
    /// Hosts that reach it.
    pub hosts: Vec<String>,
    /// The domain that its services are told they answer at; `None`: the first host.
    pub domain: Option<String>,
    /// Its network.
    pub subnet: Ipv4Addr,
    /// What the repository asks for.
    pub manifest: &'a Manifest,
    /// What serves now.
    pub previous: Option<&'a ReleasePlan>,
    /// Addresses that containers have now.
    pub taken: &'a BTreeSet<Ipv4Addr>,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// More containers than the subnet has addresses, two releases overlapping.
    #[error("the site's network has no free address: it holds 29, for two releases side by side")]
    NoAddress,
    /// A declared service has the database's name.
    #[error("the service name “db” is kept for the database of `[database] postgres = true`; give yours another")]
    DatabaseName,
}

/// The number of environments that the pool of subnets has room for.
pub fn subnet_count(settings: &Settings) -> i32 {
    let all = all_subnets(settings);
    if build_subnet(settings).is_some() { all - BUILD_SUBNETS } else { all }
}

fn all_subnets(settings: &Settings) -> i32 {
    1_i32 << SUBNET_PREFIX.saturating_sub(settings.subnet_prefix).min(30)
}

/// The subnet of builds and its prefix length: the last two of the pool, which makes 61 addresses; `None` where the
/// pool has room for fewer than four.
pub fn build_subnet(settings: &Settings) -> Option<(Ipv4Addr, u8)> {
    let all = all_subnets(settings);
    (all >= 2 * BUILD_SUBNETS).then(|| (subnet(settings, all - BUILD_SUBNETS), SUBNET_PREFIX - 1))
}

/// First address of an environment's subnet.
pub fn subnet(settings: &Settings, index: i32) -> Ipv4Addr {
    let offset = u32::try_from(index).unwrap_or(0) << (32 - SUBNET_PREFIX);
    Ipv4Addr::from(u32::from(settings.subnet_base) + offset)
}

/// `{team}-{site}` for production, `{team}-{site}.{environment}` for others. Team and service names have no hyphen
/// and no name has a dot, so the parts of a container's name have one reading.
pub fn project(team_slug: &str, site_slug: &str, environment_name: &str) -> String {
    match environment_name {
        "production" => format!("{team_slug}-{site_slug}"),
        other => format!("{team_slug}-{site_slug}.{other}"),
    }
}

/// The first label of an environment's host: `{site}` for production, `{site}-{environment}` for others.
pub fn host_label(site_slug: &str, environment_name: &str) -> String {
    match environment_name {
        "production" => site_slug.to_owned(),
        other => format!("{site_slug}-{other}"),
    }
}

/// Plans a deployment.
///
/// # Errors
/// See [`PlanError`].
pub fn make(input: &PlanInput<'_>) -> Result<ReleasePlan, PlanError> {
    let project = project(input.team_slug, input.site_slug, input.environment_name);
    let mut addresses = Addresses { base: input.subnet, taken: input.taken.clone() };
    let mut containers = vec![];
    let mut volumes = BTreeMap::new();

    if input.manifest.postgres {
        let kept = input.previous.and_then(|p| p.containers.iter().find(|c| c.stateful)).map(|c| c.address);
        let spec = database_spec();
        let volume = format!("{project}-{DATABASE}");
        volumes.insert(volume, spec.name.to_string());
        containers.push(ContainerPlan {
            service: spec.name.clone(),
            name: format!("{project}-{DATABASE}"),
            image: POSTGRES_IMAGE.to_owned(),
            address: match kept {
                Some(address) => address,
                None => addresses.next()?,
            },
            spec,
            stateful: true,
        });
    }
    for spec in &input.manifest.services {
        if input.manifest.postgres && spec.name.as_str() == DATABASE {
            return Err(PlanError::DatabaseName);
        }
        for volume in spec.volumes.keys() {
            volumes.insert(format!("{project}-{volume}"), spec.name.to_string());
        }
        let image = match &spec.source {
            ServiceSource::Image(image) => image.clone(),
            ServiceSource::Build { .. } => image_tag(&project, &spec.name, input.deployment),
        };
        containers.push(ContainerPlan {
            service: spec.name.clone(),
            name: format!("{project}-{}", spec.name),
            image,
            address: addresses.next()?,
            spec: spec.clone(),
            stateful: false,
        });
    }
    Ok(ReleasePlan {
        team: input.team,
        site: input.site,
        environment: input.environment,
        deployment: input.deployment,
        network: NetworkPlan { name: format!("{project}-network"), base: input.subnet, prefix: SUBNET_PREFIX },
        project,
        hosts: input.hosts.clone(),
        domain: input.domain.clone(),
        containers,
        volumes,
    })
}

/// Where a release is applied again: its own environment, or another one of the same site.
pub struct Place {
    /// The environment.
    pub environment: EnvironmentId,
    /// See [`project`].
    pub project: String,
    /// Hosts that reach it.
    pub hosts: Vec<String>,
    /// The domain that its services are told they answer at; `None`: the first host.
    pub domain: Option<String>,
    /// Its network.
    pub subnet: Ipv4Addr,
}

/// The plan of an earlier release, to be applied again beside what serves now: same images and settings, new
/// addresses for what is replaced. Names, network, volumes and hosts are those of the place, so that a release of
/// another environment brings nothing of that environment along.
///
/// # Errors
/// [`PlanError::NoAddress`].
pub fn again(
    earlier: &ReleasePlan,
    place: &Place,
    deployment: DeploymentId,
    previous: Option<&ReleasePlan>,
    taken: &BTreeSet<Ipv4Addr>,
) -> Result<ReleasePlan, PlanError> {
    let project = &place.project;
    let here = |name: &str| match name.strip_prefix(&format!("{}-", earlier.project)) {
        Some(own) => format!("{project}-{own}"),
        None => name.to_owned(),
    };
    let mut plan = ReleasePlan {
        team: earlier.team,
        site: earlier.site,
        environment: place.environment,
        deployment,
        project: project.clone(),
        hosts: place.hosts.clone(),
        domain: place.domain.clone(),
        network: NetworkPlan { name: format!("{project}-network"), base: place.subnet, prefix: SUBNET_PREFIX },
        containers: earlier.containers.clone(),
        volumes: earlier.volumes.iter().map(|(name, service)| (here(name), service.clone())).collect(),
    };
    let is_same_network = earlier.network.base == place.subnet;
    let mut addresses = Addresses { base: place.subnet, taken: taken.clone() };
    for container in &mut plan.containers {
        container.name = here(&container.name);
        let kept = previous
            .filter(|_| container.stateful)
            .and_then(|p| p.containers.iter().find(|c| c.stateful && c.name == container.name));
        container.address = match kept {
            Some(kept) => kept.address,
            None if container.stateful && is_same_network && !addresses.taken.contains(&container.address) => {
                addresses.taken.insert(container.address);
                container.address
            }
            None => addresses.next()?,
        };
    }
    Ok(plan)
}

/// The name of a container while two releases overlap; the plain name is taken once the old one is gone.
pub fn overlap_name(container: &ContainerPlan, deployment: DeploymentId) -> String {
    if container.stateful { container.name.clone() } else { format!("{}.{}", container.name, deployment.short()) }
}

/// What the names of all images that are built begin with.
const IMAGES: &str = "webmeteor/";

fn image_tag(project: &str, service: &ServiceName, deployment: DeploymentId) -> String {
    format!("{IMAGES}{project}-{service}:{}", deployment.short())
}

/// The tag is one that the platform gives; others were given by hand.
pub(crate) fn is_image(tag: &str) -> bool {
    tag.starts_with(IMAGES)
}

/// The tag was given to what this deployment built.
pub(crate) fn is_image_of(tag: &str, deployment: DeploymentId) -> bool {
    is_image(tag) && tag.rsplit_once(':').is_some_and(|(_, of)| of == deployment.short())
}

fn database_spec() -> ServiceSpec {
    ServiceSpec {
        name: ServiceName::parse(DATABASE).unwrap_or_else(|_| unreachable!("“db” is a service name")),
        source: ServiceSource::Image(POSTGRES_IMAGE.to_owned()),
        port: DATABASE_PORT,
        command: None,
        route: None,
        strip_prefix: false,
        health: HealthCheck {
            path: None,
            // Over TCP: while the image prepares a new database, the server listens on its Unix socket alone.
            command: Some(["pg_isready", "-q", "-h", "127.0.0.1", "-p", "5432"].map(str::to_owned).to_vec()),
            ..HealthCheck::default()
        },
        memory_bytes: 512 * 1024 * 1024,
        cpu_millis: 500,
        volumes: BTreeMap::from([(DATABASE.to_owned(), "/var/lib/postgresql/data".to_owned())]),
    }
}

/// Hands out the free addresses of a subnet, lowest first; the first one is the gateway's.
struct Addresses {
    base: Ipv4Addr,
    taken: BTreeSet<Ipv4Addr>,
}

impl Addresses {
    fn next(&mut self) -> Result<Ipv4Addr, PlanError> {
        let size = 1_u32 << (32 - SUBNET_PREFIX);
        let free = (2..size - 1)
            .map(|offset| Ipv4Addr::from(u32::from(self.base) + offset))
            .find(|address| !self.taken.contains(address))
            .ok_or(PlanError::NoAddress)?;
        self.taken.insert(free);
        Ok(free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> ServiceSpec {
        ServiceSpec {
            name: ServiceName::parse(name).unwrap(),
            source: ServiceSource::Build { folder: name.to_owned(), generated: None },
            port: 80,
            route: Some("/".to_owned()),
            ..database_spec()
        }
    }

    fn plan(
        manifest: &Manifest,
        previous: Option<&ReleasePlan>,
        taken: &BTreeSet<Ipv4Addr>,
    ) -> Result<ReleasePlan, PlanError> {
        make(&PlanInput {
            team: TeamId::new(),
            team_slug: "acme",
            site: SiteId::new(),
            site_slug: "my-shop",
            environment: EnvironmentId::new(),
            environment_name: "production",
            deployment: DeploymentId::new(),
            hosts: vec!["my-shop.localhost".to_owned()],
            domain: None,
            subnet: Ipv4Addr::new(10, 64, 0, 32),
            manifest,
            previous,
            taken,
        })
    }

    fn manifest(names: &[&str], postgres: bool) -> Manifest {
        Manifest { services: names.iter().map(|n| service(n)).collect(), postgres, found_by: "test".to_owned() }
    }

    fn addresses(plan: &ReleasePlan) -> BTreeSet<Ipv4Addr> {
        plan.containers.iter().map(|c| c.address).collect()
    }

    #[test]
    fn containers_are_named_after_team_site_and_service() {
        let plan = plan(&manifest(&["www"], true), None, &BTreeSet::new()).unwrap();
        let names: Vec<&str> = plan.containers.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["acme-my-shop-db", "acme-my-shop-www"]);
        assert_eq!(plan.network.name, "acme-my-shop-network");
    }

    #[test]
    fn the_next_release_stands_beside_the_old_one_and_keeps_the_database_where_it_is() {
        let manifest = manifest(&["www", "api"], true);
        let first = plan(&manifest, None, &BTreeSet::new()).unwrap();
        let second = plan(&manifest, Some(&first), &addresses(&first)).unwrap();
        let both: BTreeSet<_> = addresses(&first).intersection(&addresses(&second)).copied().collect();
        assert_eq!(both, BTreeSet::from([first.containers[0].address]));
    }

    #[test]
    fn a_rollback_stands_beside_what_serves_now_too() {
        let manifest = manifest(&["www"], true);
        let first = plan(&manifest, None, &BTreeSet::new()).unwrap();
        let second = plan(&manifest, Some(&first), &addresses(&first)).unwrap();
        let place = Place {
            environment: first.environment,
            project: first.project.clone(),
            hosts: first.hosts.clone(),
            domain: None,
            subnet: first.network.base,
        };
        let back = again(&first, &place, DeploymentId::new(), Some(&second), &addresses(&second)).unwrap();
        assert_eq!((&back.project, &back.network, &back.volumes), (&first.project, &first.network, &first.volumes));
        assert_eq!(back.containers[0].address, second.containers[0].address);
        assert_ne!(back.containers[1].address, second.containers[1].address);
        assert_eq!(back.containers[1].image, first.containers[1].image);
    }

    #[test]
    fn a_promoted_release_has_the_images_of_the_one_environment_and_all_else_of_the_other() {
        let mut manifest = manifest(&["www"], true);
        manifest.services[0].volumes = BTreeMap::from([("uploads".to_owned(), "/srv/uploads".to_owned())]);
        let staging = ReleasePlan {
            project: "acme-my-shop.staging".to_owned(),
            ..plan(&manifest, None, &BTreeSet::new()).unwrap()
        };
        let staging = again(
            &staging,
            &Place {
                environment: staging.environment,
                project: staging.project.clone(),
                hosts: vec!["my-shop-staging.localhost".to_owned()],
                domain: Some("staging.example.org".to_owned()),
                subnet: Ipv4Addr::new(10, 64, 0, 64),
            },
            staging.deployment,
            None,
            &BTreeSet::new(),
        )
        .unwrap();
        let place = Place {
            environment: EnvironmentId::new(),
            project: "acme-my-shop".to_owned(),
            hosts: vec!["my-shop.localhost".to_owned()],
            domain: None,
            subnet: Ipv4Addr::new(10, 64, 0, 32),
        };
        let serving = plan(&manifest, None, &BTreeSet::new()).unwrap();
        let promoted = again(&staging, &place, DeploymentId::new(), Some(&serving), &addresses(&serving)).unwrap();
        let images = |plan: &ReleasePlan| plan.containers.iter().map(|c| c.image.clone()).collect::<Vec<_>>();
        assert_eq!(images(&promoted), images(&staging));
        assert_eq!((promoted.environment, &promoted.hosts), (place.environment, &place.hosts));
        assert_eq!((staging.told_host(), promoted.told_host()), ("staging.example.org", "my-shop.localhost"));
        assert_eq!((&promoted.network, &promoted.volumes), (&serving.network, &serving.volumes));
        let names = |plan: &ReleasePlan| plan.containers.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&promoted), names(&serving));
        assert_eq!(promoted.containers[0].address, serving.containers[0].address, "its own database stays");
        assert!(addresses(&promoted).is_disjoint(&addresses(&staging)));
    }

    #[test]
    fn every_address_is_inside_the_subnet_and_neither_gateway_nor_broadcast() {
        let names: Vec<String> = (0..29).map(|i| format!("s{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let full = plan(&manifest(&names, false), None, &BTreeSet::new()).unwrap();
        let all = addresses(&full);
        assert_eq!(all.len(), 29);
        assert_eq!(all.first(), Some(&Ipv4Addr::new(10, 64, 0, 34)));
        assert_eq!(all.last(), Some(&Ipv4Addr::new(10, 64, 0, 62)));
        assert_eq!(plan(&manifest(&names, true), None, &BTreeSet::new()), Err(PlanError::NoAddress));
    }

    #[test]
    fn a_declared_service_cannot_stand_in_for_the_database() {
        assert_eq!(plan(&manifest(&["db"], true), None, &BTreeSet::new()), Err(PlanError::DatabaseName));
    }
}
