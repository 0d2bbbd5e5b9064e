//! The labels on everything the platform makes in Docker: by them alone it knows what is its own.

use crate::Platform;
use docker::Labels;
use model::{DeploymentId, EnvironmentId, SiteId, TeamId};

/// Which installation made it.
pub const INSTANCE: &str = "webmeteor.instance";
/// Id of the team that the site was made in, for life.
pub const TEAM: &str = "webmeteor.team";
/// Site id.
pub const SITE: &str = "webmeteor.site";
/// Environment id.
pub const ENVIRONMENT: &str = "webmeteor.environment";
/// Deployment id.
pub const DEPLOYMENT: &str = "webmeteor.deployment";
/// Service name.
pub const SERVICE: &str = "webmeteor.service";
/// Marks the proxy's container, with the settings that it was made with.
pub const PROXY: &str = "webmeteor.proxy";

/// What every label set begins with.
pub fn of_instance(platform: &Platform) -> Labels {
    let mut labels: Labels = platform.settings.extra_labels.iter().cloned().collect();
    labels.insert(INSTANCE.into(), platform.settings.instance.clone());
    labels
}

/// For all that belongs to a site, and to find it.
pub fn of_site(platform: &Platform, site: SiteId) -> Labels {
    let mut labels = of_instance(platform);
    labels.insert(SITE.into(), site.to_string());
    labels
}

/// For all that belongs to an environment; `team` is the one that its site was made in.
pub fn of_environment(platform: &Platform, team: TeamId, site: SiteId, environment: EnvironmentId) -> Labels {
    let mut labels = of_site(platform, site);
    labels.insert(TEAM.into(), team.to_string());
    labels.insert(ENVIRONMENT.into(), environment.to_string());
    labels
}

/// For a container of one deployment.
pub fn of_service(environment: Labels, deployment: DeploymentId, service: &str) -> Labels {
    let mut labels = of_image(environment, service);
    labels.insert(DEPLOYMENT.into(), deployment.to_string());
    labels
}

/// For an image. Deployments that build the same share it, so which ones they are is told by its tags alone.
pub fn of_image(mut environment: Labels, service: &str) -> Labels {
    environment.insert(SERVICE.into(), service.to_owned());
    environment
}

/// The labels say that it belongs to this environment.
pub fn is_environment(labels: &Labels, environment: EnvironmentId) -> bool {
    labels.get(ENVIRONMENT).is_some_and(|id| *id == environment.to_string())
}
