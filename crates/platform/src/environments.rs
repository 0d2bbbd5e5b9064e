//! Environments of a site: each with a branch, variables, secrets, a database, a network and a host of its own.

mod view;

use crate::{
    Platform, Result, access, audit,
    audit::Entry,
    plan, previews,
    pushes::Watched,
    sites::{environment_row, new_environment_secrets},
    variables,
};
use anyhow::Context;
use model::{
    Actor, EnvironmentId, FieldError, Problem, Scope, SiteId,
    event::Event,
    names::{BranchName, EnvironmentName, NameError, RootFolder},
    views::{EnvironmentView, Page},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use store::{
    environments::{EnvironmentRow, Settings},
    sites::SiteRow,
};
use utoipa::ToSchema;

/// The one that every site has, and that goes with its site alone.
pub const PRODUCTION: &str = "production";
/// The most environments of a site.
const MAX_COUNT: usize = 20;
/// One label of a host has no more (RFC 1035, section 2.3.4).
pub(crate) const MAX_LABEL: usize = 63;

/// What a person sends to make an environment.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    /// Its name.
    pub name: String,
    /// The branch it deploys.
    pub branch: String,
    /// The folder of the repository that the site lies in; `None`: production's.
    #[serde(default)]
    pub root: Option<String>,
    /// Patterns of the paths that it watches; `None`: production's.
    #[serde(default)]
    pub watch: Option<Vec<String>>,
    /// Begins with the variables of this one; `None`: with none.
    #[serde(default)]
    pub copy_variables_from: Option<String>,
    /// Copies secrets too; else they are left out.
    #[serde(default)]
    pub copy_secrets: bool,
}

/// What a person sends to change an environment; `None` stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnvironmentChange)]
pub struct Change {
    /// The branch it deploys.
    #[serde(default)]
    pub branch: Option<String>,
    /// The folder of the repository that the site lies in.
    #[serde(default)]
    pub root: Option<String>,
    /// Patterns of the paths that it watches.
    #[serde(default)]
    pub watch: Option<Vec<String>>,
    /// Nothing new is deployed while it is paused.
    #[serde(default)]
    pub paused: Option<bool>,
}

/// The environments of a site, production first; all of them, for there are few. Previews are listed by themselves
/// ([`crate::previews`]).
///
/// # Errors
/// 404 if the caller may not know of the site.
pub async fn list(platform: &Platform, actor: &Actor, site: SiteId) -> Result<Page<EnvironmentView>> {
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let mut rows = store::environments::of_site(&mut conn, site.team_id, site.id).await?;
    rows.retain(|row| !row.is_preview);
    Ok(Page { items: view::many(platform, &mut conn, &site, rows).await?, next_cursor: None })
}

/// One environment.
///
/// # Errors
/// 404 if there is none, or the caller may not know of the site.
pub async fn get(platform: &Platform, actor: &Actor, site: SiteId, name: &str) -> Result<EnvironmentView> {
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    let row = access::environment(&mut conn, &site, name).await?;
    view::one(platform, &mut conn, &site, row).await
}

/// Makes an environment. Nothing is deployed yet: its variables can be set first.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_exists`, `host_taken` or `too_many_environments`, 422 with every field
/// that is wrong, 503 `no_subnet` where the pool of subnets is used up.
pub async fn create(platform: &Platform, actor: &Actor, site: SiteId, new: NewEnvironment) -> Result<EnvironmentView> {
    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::SitesWrite, site).await?;
    let mut others = store::environments::of_site(&mut tx, site.team_id, site.id).await?;
    others.retain(|other| !other.is_preview);
    let wanted = parse(&site, &others, &new)?;
    if others.iter().any(|other| other.name == wanted.name.as_str()) {
        return Err(exists(&wanted.name));
    }
    if others.len() >= MAX_COUNT {
        let detail = format!("A site has at most {MAX_COUNT} environments; delete one that is no longer needed.");
        return Err(Problem::conflict("too_many_environments", detail).into());
    }
    let id = EnvironmentId::new();
    let host = plan::host_label(&site.slug, wanted.name.as_str());
    let taken = || {
        let detail = format!("Another site answers at “{host}”; give the environment another name.");
        Problem { errors: vec![field("name", "host_taken", &detail)], ..Problem::conflict("host_taken", detail) }
    };
    if store::sites::slug_taken(&mut tx, &host).await? || store::environments::host_taken(&mut tx, &host).await? {
        return Err(taken().into());
    }
    let secrets = serde_json::to_vec(&new_environment_secrets()).context("writing an environment's secrets")?;
    let row = store::environments::NewEnvironment {
        id,
        team: site.team_id,
        site: site.id,
        name: wanted.name.as_str(),
        host: &host,
        branch: wanted.branch.as_str(),
        root: &wanted.root,
        watch: &wanted.watch,
        secrets: &platform.vault.seal(&environment_row(id), &secrets)?,
    };
    match store::environments::insert(&mut tx, &row, plan::subnet_count(&platform.settings)).await {
        Ok(true) => {}
        Ok(false) => {
            let detail =
                "This machine's pool of networks is used up; ask the operator for a larger WEBMETEOR_SUBNET_POOL.";
            return Err(Problem::new(503, "no_subnet", detail).into());
        }
        // Somebody else was quicker.
        Err(sqlx::Error::Database(e)) if e.constraint() == Some("environments_host_key") => return Err(taken().into()),
        Err(sqlx::Error::Database(e)) if e.constraint() == Some("environments_name_key") => {
            return Err(exists(&wanted.name));
        }
        Err(e) => return Err(e.into()),
    }
    if let Some(from) = wanted.copy_from {
        copy_variables(platform, &mut tx, actor, from, (&site, id), new.copy_secrets).await?;
    }
    announce(&mut tx, &site).await?;
    let after = json!({
        "branch": wanted.branch.as_str(), "root": wanted.root, "watch": wanted.watch,
        "variables_from": wanted.copy_from.map(|from| &from.name), "with_secrets": new.copy_secrets,
    });
    record(&mut tx, actor, "environment.create", &site, (id, wanted.name.as_str()), (None, Some(after))).await?;
    tx.commit().await?;
    get(platform, actor, site.id, wanted.name.as_str()).await
}

/// Changes what an environment deploys, and whether it does.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_deleting` or `environment_is_preview`, 422 with every field that is
/// wrong.
pub async fn change(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    name: &str,
    change: Change,
) -> Result<EnvironmentView> {
    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::SitesWrite, site).await?;
    let row = access::environment_to_change(&mut tx, &site, name).await?;
    if row.is_preview {
        return Err(previews::is_preview().into());
    }
    let is_pause_alone = change.branch.is_none() && change.root.is_none() && change.watch.is_none();
    let mut errors = Vec::new();
    let branch = change.branch.as_deref().and_then(|raw| checked(&mut errors, "branch", BranchName::parse(raw)));
    let root = change.root.as_deref().and_then(|raw| checked(&mut errors, "root", RootFolder::parse(raw)));
    let watch = change.watch.as_deref().and_then(|raw| checked(&mut errors, "watch", watched(raw)));
    if !errors.is_empty() {
        return Err(wrong(errors).into());
    }
    let settings = Settings {
        branch: branch.as_ref().map_or(row.branch.as_str(), AsRef::as_ref),
        root: root.as_ref().map_or(row.root.as_str(), AsRef::as_ref),
        watch: watch.as_deref().unwrap_or(&row.watch),
        paused: change.paused.unwrap_or(row.paused_at.is_some()),
    };
    store::environments::set(&mut tx, row.team_id, row.id, &settings).await?;
    if let Some(branch) = branch.as_ref().filter(|_| row.name == PRODUCTION && site.source.0.is_hosted()) {
        // What a clone begins with, and what git does not let anybody delete.
        forge::hosted::set_head(&platform.repository(site.id), branch).await?;
    }
    announce(&mut tx, &site).await?;
    let was_paused = row.paused_at.is_some();
    let before = Settings { branch: &row.branch, root: &row.root, watch: &row.watch, paused: was_paused };
    let (before, after) = (told(&before), told(&settings));
    if before != after {
        let action = match (is_pause_alone, settings.paused) {
            (true, true) => "environment.pause",
            (true, false) => "environment.resume",
            (false, _) => "environment.change",
        };
        record(&mut tx, actor, action, &site, (row.id, &row.name), (Some(before), Some(after))).await?;
    }
    tx.commit().await?;
    get(platform, actor, site.id, name).await
}

/// Asks for the removal of an environment and all that was made for it; with `keep_data` its volumes stay. What waits
/// is cancelled, what runs is told to end; then a worker removes everything.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_deleting`, `environment_is_preview`, or `production_stays`.
pub async fn delete(platform: &Platform, actor: &Actor, site: SiteId, name: &str, keep_data: bool) -> Result<()> {
    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::SitesWrite, site).await?;
    let row = access::environment(&mut tx, &site, name).await?;
    if row.name == PRODUCTION {
        let detail = "Production goes with its site alone; delete the site if that is what you want.";
        return Err(Problem::conflict("production_stays", detail).into());
    }
    if row.is_preview {
        return Err(previews::is_preview().into());
    }
    if !mark_deleting(&mut tx, &row, keep_data).await? {
        return Err(access::environment_deleting().into());
    }
    announce(&mut tx, &site).await?;
    let after = json!({ "keep_data": keep_data });
    record(&mut tx, actor, "environment.delete", &site, (row.id, &row.name), (None, Some(after))).await?;
    store::events::wake_workers(&mut tx).await?;
    tx.commit().await?;
    platform.wake.notify_one();
    platform.removals.notify_one();
    Ok(())
}

/// Cancels what waits and tells what runs to end, and marks an environment for its removal; `false` if it already was.
pub(crate) async fn mark_deleting(conn: &mut PgConnection, row: &EnvironmentRow, keep_data: bool) -> Result<bool> {
    // First the deployments, then the environment: a worker whose release goes live takes them in this order too.
    store::deployments::cancel_all_of_environment(conn, row.team_id, row.id).await?;
    Ok(store::environments::mark_deleting(conn, row.team_id, row.id, !keep_data).await?)
}

/// Nothing new is deployed to a paused environment.
///
/// # Errors
/// 409 `environment_paused` or `environment_deleting`.
pub(crate) fn may_deploy(environment: &EnvironmentRow) -> Result<()> {
    if environment.deleting_at.is_some() {
        return Err(access::environment_deleting().into());
    }
    if environment.paused_at.is_some() {
        let detail = format!("{} is paused; resume it to deploy.", environment.name);
        return Err(Problem::conflict("environment_paused", detail).into());
    }
    Ok(())
}

/// An environment's settings, as the audit tells of them.
fn told(settings: &Settings<'_>) -> Value {
    let Settings { branch, root, watch, paused } = settings;
    json!({ "branch": branch, "root": root, "watch": watch, "paused": paused })
}

/// Adds an entry about an environment to the audit.
async fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    site: &SiteRow,
    (id, name): (EnvironmentId, &str),
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let name = format!("{}/{name}", site.slug);
    audit::record(conn, actor, Entry::new(action, id, &name).of(site.team_id).change(before, after)).await
}

/// Tells everybody who watches the site that something about it is new.
async fn announce(conn: &mut PgConnection, site: &SiteRow) -> sqlx::Result<()> {
    store::events::insert(conn, site.team_id, &Event::Site { id: site.id, status: "changed".into() }).await?;
    Ok(())
}

async fn copy_variables(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    from: &EnvironmentRow,
    (site, to): (&SiteRow, EnvironmentId),
    secrets: bool,
) -> Result<()> {
    let mut set = variables::open(platform, conn, from, from.variables_version).await?;
    set.retain(|_, variable| secrets || !variable.secret);
    if !set.is_empty() {
        variables::insert(platform, conn, actor, (site.team_id, to, 1), &set).await?;
        store::environments::set_variables(conn, site.team_id, to, 1).await?;
    }
    Ok(())
}

struct Wanted<'a> {
    name: EnvironmentName,
    branch: BranchName,
    root: String,
    watch: Vec<String>,
    copy_from: Option<&'a EnvironmentRow>,
}

/// All fields at once, so that a person corrects them at once.
fn parse<'a>(site: &SiteRow, others: &'a [EnvironmentRow], new: &NewEnvironment) -> Result<Wanted<'a>> {
    let production = others.iter().find(|other| other.name == PRODUCTION);
    let mut errors = Vec::new();
    let name = checked(&mut errors, "name", EnvironmentName::parse(&new.name));
    if name.as_ref().is_some_and(|name| previews::is_reserved(name.as_str())) {
        errors.push(field("name", "reserved", "Names like pr-12 are those of previews; choose another."));
    }
    let longest = MAX_LABEL.saturating_sub(site.slug.len() + 1);
    if name.as_ref().is_some_and(|name| name.as_str().len() > longest) {
        let message = format!("With this site's address its name has at most {longest} characters.");
        errors.push(field("name", "length", &message));
    }
    let branch = checked(&mut errors, "branch", BranchName::parse(&new.branch));
    let root = match &new.root {
        Some(raw) => checked(&mut errors, "root", RootFolder::parse(raw)).map(String::from),
        None => Some(production.map(|row| row.root.clone()).unwrap_or_default()),
    };
    let watch = match &new.watch {
        Some(raw) => checked(&mut errors, "watch", watched(raw)),
        None => Some(production.map(|row| row.watch.clone()).unwrap_or_default()),
    };
    let mut copy_from = None;
    if let Some(wanted) = &new.copy_variables_from {
        copy_from = others.iter().find(|other| other.name == *wanted);
        if copy_from.is_none() {
            let message = format!("This site has no environment “{}”.", wanted.escape_default());
            errors.push(field("copy_variables_from", "not_found", &message));
        }
    }
    match (name, branch, root, watch) {
        (Some(name), Some(branch), Some(root), Some(watch)) if errors.is_empty() => {
            Ok(Wanted { name, branch, root, watch, copy_from })
        }
        _ => Err(wrong(errors).into()),
    }
}

/// Patterns without the empty lines between them, if they can be read.
fn watched(raw: &[String]) -> Result<Vec<String>, NameError> {
    let patterns: Vec<String> = raw.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    Watched::parse(&patterns)?;
    Ok(patterns)
}

fn checked<T>(errors: &mut Vec<FieldError>, name: &str, parsed: Result<T, NameError>) -> Option<T> {
    parsed.map_err(|e| errors.push(field(name, e.code, &e.message))).ok()
}

fn field(name: &str, code: &str, message: &str) -> FieldError {
    FieldError { field: name.to_owned(), code: code.to_owned(), message: message.to_owned() }
}

fn wrong(errors: Vec<FieldError>) -> Problem {
    let detail = "Correct the fields that are marked.";
    Problem { errors, ..Problem::new(422, "invalid_input", detail) }
}

fn exists(name: &EnvironmentName) -> crate::Error {
    let detail = format!("This site has an environment “{name}” already, or it is just being removed.");
    Problem {
        errors: vec![field("name", "environment_exists", &detail)],
        ..Problem::conflict("environment_exists", detail)
    }
    .into()
}

#[cfg(test)]
mod tests;
