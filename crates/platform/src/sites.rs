//! Sites: made, shown, changed, deleted.

mod change;
mod create;
mod repository;
mod transfer;
mod view;

pub use change::{Change, change};
pub use create::{NewSite, NewSource, create};
pub(crate) use create::{environment_row, new_environment_secrets, secret_row};
pub use repository::{NewRepository, Token};
pub use transfer::{Transfer, transfer};
pub(crate) use view::{containers, services, status};

use crate::{Platform, Result, access, audit, audit::Entry, deploy_keys, github};
use forge::git::Credentials;
use model::{
    Actor, Problem, Scope, SiteId, TeamId,
    event::Event,
    names::SiteSlug,
    views::{Page, SiteView, SlugCheck, TemplateView},
};
use serde_json::json;

/// The templates that come with the platform: id, name, description, services.
const TEMPLATES: &[(&str, &str, &str, &[&str])] = &[
    (
        "static",
        "Static site",
        "Plain HTML, CSS and a little JavaScript, served by nginx. The quickest way to something live.",
        &["www"],
    ),
    (
        "full-stack",
        "Full stack",
        "A guest book with a page, a PHP 8 API, a PostgreSQL database and live updates over Socket.IO.",
        &["www", "api", "alert", "db"],
    ),
];

/// The host of an environment: `{slug}.{domain}` for production, `{slug}-{environment}.{domain}` for others.
pub(crate) fn host(platform: &Platform, slug: &str, environment: &str) -> String {
    format!("{}.{}", crate::plan::host_label(slug, environment), platform.settings.sites_domain)
}

/// The templates to begin from: those that are there in the templates' folder.
///
/// # Errors
/// None as yet; it reads the disk.
pub fn templates(platform: &Platform) -> Result<Vec<TemplateView>> {
    Ok(TEMPLATES
        .iter()
        .filter(|(id, ..)| platform.settings.templates_dir.join(id).is_dir())
        .map(|(id, name, description, services)| TemplateView {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            services: services.iter().map(|s| (*s).to_owned()).collect(),
        })
        .collect())
}

/// Whether an address is free; checked as it is typed.
///
/// # Errors
/// The database's.
pub async fn check_slug(platform: &Platform, _actor: &Actor, slug: &str) -> Result<SlugCheck> {
    let parsed = match SiteSlug::parse(slug) {
        Ok(parsed) => parsed,
        Err(refused) => return Ok(SlugCheck { slug: slug.to_owned(), available: false, message: refused.message }),
    };
    let mut conn = platform.pool.acquire().await?;
    let taken = slug_taken(&mut conn, &parsed).await?;
    let message = if taken {
        format!("“{parsed}” is taken; choose another.")
    } else {
        format!(
            "Free: the site will answer at {}",
            platform.settings.site_url(&host(platform, parsed.as_str(), "production"))
        )
    };
    Ok(SlugCheck { slug: parsed.to_string(), available: !taken, message })
}

/// Whether a site or an environment of another site answers at this address.
async fn slug_taken(conn: &mut sqlx::PgConnection, slug: &SiteSlug) -> Result<bool> {
    // Where another site's previews answer.
    let whose =
        slug.as_str().rsplit_once("-pr-").filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some((whose, _)) = whose
        && store::sites::slug_taken(conn, whose).await?
    {
        return Ok(true);
    }
    Ok(store::sites::slug_taken(conn, slug.as_str()).await?
        || store::environments::host_taken(conn, slug.as_str()).await?)
}

/// The sites of the caller's teams, newest first; `limit` ≤ 100.
///
/// # Errors
/// 422 for a cursor that is none.
pub async fn list(platform: &Platform, actor: &Actor, limit: i64, cursor: Option<&str>) -> Result<Page<SiteView>> {
    list_of(platform, actor, None, limit, cursor).await
}

/// The sites of one of the caller's teams, or of all of them, newest first; `limit` ≤ 100.
///
/// # Errors
/// 404 for a team that the caller is not in; 422 for a cursor that is none.
pub async fn list_of(
    platform: &Platform,
    actor: &Actor,
    team: Option<TeamId>,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<SiteView>> {
    let teams = match team {
        Some(team) if actor.role_in(team).is_some() => vec![team],
        Some(_) => return Err(Problem::not_found("team").into()),
        None => actor.teams(),
    };
    let before = match cursor {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| access::bad_cursor())?),
    };
    let limit = limit.clamp(1, 100);
    access::may_read(actor)?;
    if let Some(only) = actor.only_site() {
        let mut items = vec![get(platform, actor, only).await?];
        items.retain(|site| teams.contains(&site.team.id));
        return Ok(Page { items, next_cursor: None });
    }
    let mut conn = platform.pool.acquire().await?;
    let mut rows = store::sites::list(&mut conn, &teams, before, limit + 1).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(100);
    if more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Page { items: view::many(platform, &mut conn, actor, rows).await?, next_cursor })
}

/// Whether the actor may be told what happens to this site of this team, without asking the database.
pub fn may_hear(actor: &Actor, team: TeamId, site: SiteId) -> bool {
    actor.role_in(team).is_some() && access::is_known(actor, site) && access::may_read(actor).is_ok()
}

/// One site.
///
/// # Errors
/// 404 if the caller may not know of it.
pub async fn get(platform: &Platform, actor: &Actor, id: SiteId) -> Result<SiteView> {
    let mut conn = platform.pool.acquire().await?;
    let row = access::site(&mut conn, actor, id).await?;
    view::one(platform, &mut conn, actor, row).await
}

/// The webhook's secret, for those who may change the site.
///
/// # Errors
/// 404, 403.
pub async fn webhook_secret(platform: &Platform, actor: &Actor, id: SiteId) -> Result<String> {
    let mut conn = platform.pool.acquire().await?;
    let row = access::site(&mut conn, actor, id).await?;
    access::may(actor, Scope::SitesWrite, row.team_id)?;
    open_webhook_secret(platform, &row)
}

/// Opens a site's webhook secret.
pub(crate) fn open_webhook_secret(platform: &Platform, row: &store::sites::SiteRow) -> Result<String> {
    let secret = platform.vault.open(&create::secret_row(row.id, "webhook"), &row.webhook_secret)?;
    Ok(String::from_utf8_lossy(&secret).into_owned())
}

/// What opens a site's remote repository: its key, the token that is kept, or one that GitHub gives out for the App.
///
/// # Errors
/// 409 and 503 as GitHub answers.
pub(crate) async fn repository_credentials(platform: &Platform, row: &store::sites::SiteRow) -> Result<Credentials> {
    if let Some(key) = deploy_keys::of_site(platform, row)? {
        return Ok(Credentials::Key(key.access));
    }
    let token = repository_token(platform, row).await?;
    Ok(token.map_or(Credentials::None, |token| Credentials::Token(token.into())))
}

/// The token by which a site's repository is read over HTTPS: the one that is kept, opened, or one that GitHub gives out
/// for the App.
///
/// # Errors
/// 409 and 503 as GitHub answers.
pub(crate) async fn repository_token(platform: &Platform, row: &store::sites::SiteRow) -> Result<Option<String>> {
    match github::token_of(platform, row).await? {
        Some(token) => Ok(Some(token)),
        None => open_repository_token(platform, row),
    }
}

/// Opens the token of a private repository that is kept.
pub(crate) fn open_repository_token(platform: &Platform, row: &store::sites::SiteRow) -> Result<Option<String>> {
    let Some(sealed) = &row.repository_token else { return Ok(None) };
    let token = platform.vault.open(&create::secret_row(row.id, "repository_token"), sealed)?;
    Ok(Some(String::from_utf8_lossy(&token).into_owned()))
}

/// Asks for the removal of a site and all that was made for it; with `keep_data` its volumes stay. What waits in
/// the queue is cancelled, what runs is told to end; then a worker removes everything.
///
/// # Errors
/// 404, 403, 409 `site_deleting`.
pub async fn delete(platform: &Platform, actor: &Actor, id: SiteId, keep_data: bool) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let row = access::site_to_change(&mut tx, actor, Scope::SitesWrite, id).await?;
    if !store::sites::mark_deleting(&mut tx, row.team_id, id, !keep_data).await? {
        return Err(Problem::conflict("site_deleting", "This site is being removed.").into());
    }
    store::deployments::cancel_all_of_site(&mut tx, row.team_id, id).await?;
    let entry = Entry::new("site.delete", id, &row.name).of(row.team_id);
    let entry = entry.change(json!({ "slug": row.slug }), json!({ "keep_data": keep_data }));
    audit::record(&mut tx, actor, entry).await?;
    store::events::insert(&mut tx, row.team_id, &Event::Site { id, status: "deleting".into() }).await?;
    store::events::wake_workers(&mut tx).await?;
    tx.commit().await?;
    platform.wake.notify_one();
    platform.removals.notify_one();
    Ok(())
}
