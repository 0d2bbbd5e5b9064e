//! Domains of an environment, beside its own host. A claim leads nowhere until a TXT record proves that whoever made it
//! holds the name; however many teams claim one, one of them holds it.

mod check;
mod dns;
mod view;

pub use check::{run, verify};
pub(crate) use view::urls;

use crate::{Platform, Result, access, audit, environments::PRODUCTION, routes};
use model::{
    Actor, DomainId, EnvironmentId, Problem, Scope, SiteId, TeamId,
    event::Event,
    names::{EnvironmentName, Hostname},
    views::{DomainView, Page},
};
use rand::RngExt;
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use store::{domains::DomainRow, environments::EnvironmentRow, sites::SiteRow};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The most domains of an environment.
const MAX_COUNT: i64 = 50;

/// What a person sends to add a domain.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    /// Its name.
    pub host: String,
    /// Where it is to lead; `None`: production.
    #[serde(default)]
    pub environment: Option<String>,
}

/// What a person sends to change a domain; `None` stays.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DomainChange)]
pub struct Change {
    /// Services are told this one from their next release on, and it is the one that is shown.
    #[serde(default)]
    pub primary: Option<bool>,
}

/// The domains of a site, production's first; all of them, for there are few.
///
/// # Errors
/// 404 if the caller may not know of the site.
pub async fn list(platform: &Platform, actor: &Actor, site: SiteId) -> Result<Page<DomainView>> {
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let rows = store::domains::of_site(&mut conn, site.team_id, site.id).await?;
    Ok(Page { items: rows.into_iter().map(|row| view::one(platform, row)).collect(), next_cursor: None })
}

/// Adds a domain to an environment. It leads nowhere before it is verified.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_deleting`, `environment_is_preview`, `domain_exists` or
/// `too_many_domains`, 422 for the fields `host` and `environment`.
pub async fn create(platform: &Platform, actor: &Actor, site: SiteId, new: NewDomain) -> Result<DomainView> {
    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::SitesWrite, site).await?;
    let host = parse(platform, &new.host)?;
    let environment = environment_named(&mut tx, &site, new.environment.as_deref().unwrap_or(PRODUCTION)).await?;
    if store::domains::is_claimed(&mut tx, site.team_id, site.id, host.as_str()).await? {
        return Err(exists(&host));
    }
    if store::domains::count(&mut tx, site.team_id, environment.id).await? >= MAX_COUNT {
        let detail = format!("An environment has at most {MAX_COUNT} domains; remove one that is no longer needed.");
        return Err(Problem::conflict("too_many_domains", detail).into());
    }
    let (id, token) = (DomainId::new(), hex::encode(rand::rng().random::<[u8; 16]>()));
    let row = store::domains::NewDomain {
        id,
        team: site.team_id,
        site: site.id,
        environment: environment.id,
        host: host.as_str(),
        token: &token,
        next_check_at: OffsetDateTime::now_utc() + check::pause(1, false),
    };
    match store::domains::insert(&mut tx, &row).await {
        // Somebody else was quicker.
        Err(sqlx::Error::Database(e)) if e.constraint() == Some("domains_host_key") => return Err(exists(&host)),
        done => done?,
    }
    let entry = audit::Entry::new("domain.create", id, host.as_str()).of(site.team_id);
    let after = json!({"site": site.slug, "environment": environment.name});
    audit::record(&mut tx, actor, entry.change(None, after)).await?;
    let row = domain(&mut tx, &site, id).await?;
    announce(&mut tx, site.team_id, site.id).await?;
    tx.commit().await?;
    Ok(view::one(platform, row))
}

/// Makes a domain its environment's primary one, or no longer.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_deleting`, or `domain_not_verified`.
pub async fn change(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    id: DomainId,
    change: Change,
) -> Result<DomainView> {
    let mut tx = platform.pool.begin().await?;
    let (site, row) = domain_to_change(&mut tx, actor, site, id).await?;
    let Some(primary) = change.primary.filter(|primary| *primary != row.is_primary) else {
        return Ok(view::one(platform, row));
    };
    if primary && row.verified_at.is_none() {
        let detail = format!("{} is not verified yet; only then it can be the primary domain.", row.host);
        return Err(Problem::conflict("domain_not_verified", detail).into());
    }
    store::domains::set_primary(&mut tx, site.team_id, row.environment_id, primary.then_some(id)).await?;
    let entry = audit::Entry::new("domain.change", id, &row.host).of(site.team_id);
    let entry = entry.change(json!({"primary": row.is_primary}), json!({"primary": primary}));
    audit::record(&mut tx, actor, entry).await?;
    let row = domain(&mut tx, &site, id).await?;
    announce(&mut tx, site.team_id, site.id).await?;
    tx.commit().await?;
    Ok(view::one(platform, row))
}

/// Takes a domain from its environment: it leads there no longer, and others may verify it.
///
/// # Errors
/// 404, 403, 409 `site_deleting` or `environment_deleting`.
pub async fn delete(platform: &Platform, actor: &Actor, site: SiteId, id: DomainId) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let (site, row) = domain_to_change(&mut tx, actor, site, id).await?;
    store::domains::remove(&mut tx, site.team_id, id).await?;
    let entry = audit::Entry::new("domain.delete", id, &row.host).of(site.team_id);
    let before = json!({"site": site.slug, "environment": row.environment, "verified": row.verified_at.is_some()});
    audit::record(&mut tx, actor, entry.change(before, None)).await?;
    announce(&mut tx, site.team_id, site.id).await?;
    tx.commit().await?;
    if row.verified_at.is_some() {
        lead(platform, site.team_id, row.environment_id).await;
    }
    Ok(())
}

/// Moves the route to the domains of now. What is not done here and now the reconciler does.
async fn lead(platform: &Platform, team: TeamId, environment: EnvironmentId) {
    if let Err(error) = routes::refresh(platform, team, environment).await {
        tracing::warn!(%environment, %error, "the proxy could not be told of a domain; the reconciler tells it");
        platform.removals.notify_one();
    }
}

/// Tells everybody who watches the site that something about it is new.
async fn announce(conn: &mut PgConnection, team: TeamId, site: SiteId) -> sqlx::Result<()> {
    store::events::insert(conn, team, &Event::Site { id: site, status: "changed".into() }).await?;
    Ok(())
}

async fn domain(conn: &mut PgConnection, site: &SiteRow, id: DomainId) -> Result<DomainRow> {
    let found = store::domains::by_id(conn, site.team_id, site.id, id).await?;
    Ok(found.ok_or_else(|| Problem::not_found("domain"))?)
}

/// A domain that the actor may change, its environment held until the transaction ends: nobody writes its route
/// meanwhile.
async fn domain_to_change(
    conn: &mut PgConnection,
    actor: &Actor,
    site: SiteId,
    id: DomainId,
) -> Result<(SiteRow, DomainRow)> {
    let site = access::site_to_change(conn, actor, Scope::SitesWrite, site).await?;
    let row = domain(conn, &site, id).await?;
    access::environment_to_change(conn, &site, &row.environment).await?;
    // Read anew: somebody may have been at it until now.
    let row = domain(conn, &site, id).await?;
    Ok((site, row))
}

/// The environment that a new domain is to lead to, held until the transaction ends.
async fn environment_named(conn: &mut PgConnection, site: &SiteRow, name: &str) -> Result<EnvironmentRow> {
    let name = EnvironmentName::parse(name).map_err(|e| Problem::invalid("environment", e.code, e.message))?;
    if store::environments::by_name(conn, site.team_id, site.id, name.as_str()).await?.is_none() {
        let detail = format!("This site has no environment “{name}”.");
        return Err(Problem::invalid("environment", "not_found", detail).into());
    }
    let row = access::environment_to_change(conn, site, name.as_str()).await?;
    if row.is_preview {
        let detail = "A preview answers at its own address alone, for it comes and goes with its pull request. Add the \
                      domain to production or to an environment of its own.";
        return Err(Problem::conflict("environment_is_preview", detail).into());
    }
    Ok(row)
}

/// A host that may be a domain of a site on this installation.
fn parse(platform: &Platform, raw: &str) -> Result<Hostname> {
    let refuse = |code: &str, message: String| Err(Problem::invalid("host", code, message).into());
    let host = Hostname::parse(raw).map_err(|e| Problem::invalid("host", e.code, e.message))?;
    let settings = &platform.settings;
    if host.is_within(&settings.sites_domain) {
        let domain = &settings.sites_domain;
        return refuse(
            "sites_domain",
            format!("Names at {domain} are given out by the platform; add one of your own."),
        );
    }
    let dashboard = url::Url::parse(&settings.public_url).ok();
    if dashboard.as_ref().and_then(url::Url::host_str) == Some(host.as_str()) {
        return refuse("dashboard", format!("{host} is where this dashboard answers; choose another."));
    }
    Ok(host)
}

fn exists(host: &Hostname) -> crate::Error {
    let detail = format!("This site has the domain {host} already; remove it there first.");
    let errors = Problem::invalid("host", "domain_exists", detail.clone()).errors;
    Problem { errors, ..Problem::conflict("domain_exists", detail) }.into()
}

#[cfg(test)]
mod tests;
