//! What the page asks of the server about domains.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{DomainId, SiteId, views::DomainView};

/// The domains of one environment of a site.
#[server(prefix = "/_fn", endpoint = "domains")]
pub async fn list_domains(site: SiteId, environment: String) -> Result<Vec<DomainView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let mut all = platform::domains::list(&platform, &actor, site).await.map_err(context::failed)?.items;
    all.retain(|domain| domain.environment == environment);
    Ok(all)
}

/// Adds a domain to an environment.
#[server(prefix = "/_fn", endpoint = "add_domain")]
pub async fn add_domain(site: SiteId, environment: String, host: String) -> Result<DomainView, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let new = platform::domains::NewDomain { host: host.clone(), environment: Some(environment.clone()) };
    let made = platform::domains::create(&platform, &actor, site, new)
        .await
        .map_err(context::failed)
        .keep(&[("host", &host)])?;
    context::send_on(&super::address(site, &environment));
    Ok(made)
}

/// Looks for a domain's record now.
#[server(prefix = "/_fn", endpoint = "check_domain")]
pub async fn check_domain(site: SiteId, id: DomainId) -> Result<DomainView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let view = platform::domains::verify(&platform, &actor, site, id).await.map_err(context::failed)?;
    context::send_on(&super::address(site, &view.environment));
    Ok(view)
}

/// Makes a domain the primary one of its environment, or no longer.
#[server(prefix = "/_fn", endpoint = "set_primary_domain")]
pub async fn set_primary_domain(
    site: SiteId,
    id: DomainId,
    #[server(default)] primary: bool,
) -> Result<DomainView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let change = platform::domains::Change { primary: Some(primary) };
    let view = platform::domains::change(&platform, &actor, site, id, change).await.map_err(context::failed)?;
    context::send_on(&super::address(site, &view.environment));
    Ok(view)
}

/// Takes a domain from its environment.
#[server(prefix = "/_fn", endpoint = "remove_domain")]
pub async fn remove_domain(site: SiteId, id: DomainId, environment: String) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::domains::delete(&platform, &actor, site, id).await.map_err(context::failed)?;
    context::send_on(&super::address(site, &environment));
    Ok(())
}
