//! The environment of a preview: what stands in its way, made, deployed to, removed.

use super::{
    decide::{Act, Known, Place, Situation},
    name, settings,
};
use crate::{
    Platform, Result, deployments,
    deployments::Queued,
    environments, plan,
    sites::{environment_row, new_environment_secrets},
};
use anyhow::Context;
use model::{
    DeploymentId, EnvironmentId, UserId,
    deployment::Trigger,
    views::{PreviewSettings, PreviewState},
};
use sqlx::PgConnection;
use store::{
    environments::{EnvironmentRow, Settings},
    pull_requests::PullRequestRow,
    sites::SiteRow,
};

/// What is decided by, as the database says.
pub(super) struct Found {
    pub(super) place: Place,
    settings: PreviewSettings,
    is_hosted: bool,
    count: usize,
    obstacle: Option<String>,
}

impl Found {
    /// For the decision.
    pub(super) fn of<'a>(&'a self, known: Option<&'a PullRequestRow>) -> Situation<'a> {
        Situation {
            settings: self.settings,
            is_hosted: self.is_hosted,
            is_elsewhere: false,
            known: known.map(|row| Known {
                state: row.state(),
                head: row.head.as_deref(),
                approved: row.approved_commit.as_deref(),
                changed_at: row.changed_at,
            }),
            place: self.place,
            count: self.count,
            obstacle: self.obstacle.as_deref(),
        }
    }
}

/// Looks at what there is for the preview of this number. The caller holds [`store::pull_requests::lock`].
pub(super) async fn situation(conn: &mut PgConnection, site: &SiteRow, number: i64) -> Result<Found> {
    let name = name(number);
    let all = store::environments::of_site(conn, site.team_id, site.id).await?;
    let own = all.iter().find(|row| row.name == name);
    let place = match own {
        Some(row) if row.is_preview && row.deleting_at.is_some() => Place::Going,
        Some(row) if row.is_preview => Place::Ready,
        _ => Place::None,
    };
    let obstacle = match own {
        Some(row) if !row.is_preview => {
            Some(format!("There is no preview: the site has an environment “{name}” that is none; delete that one."))
        }
        Some(_) => None,
        None => host_obstacle(conn, &plan::host_label(&site.slug, &name)).await?,
    };
    Ok(Found {
        place,
        settings: settings(site),
        is_hosted: site.source.0.is_hosted(),
        count: all.iter().filter(|row| row.is_preview).count(),
        obstacle,
    })
}

async fn host_obstacle(conn: &mut PgConnection, host: &str) -> Result<Option<String>> {
    if host.len() > environments::MAX_LABEL {
        let most = environments::MAX_LABEL;
        return Ok(Some(format!(
            "There is no preview: its address would begin with “{host}”, and has at most {most} characters there."
        )));
    }
    let is_taken = store::sites::slug_taken(conn, host).await? || store::environments::host_taken(conn, host).await?;
    Ok(is_taken.then(|| format!("There is no preview: another site answers at “{host}”.")))
}

/// Does what was decided, within the caller's transaction; the deployment that was queued.
pub(super) async fn carry_out(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    row: &PullRequestRow,
    act: Act,
    by: (Trigger, Option<UserId>),
) -> Result<Option<DeploymentId>> {
    let name = name(row.number);
    let environment = match act {
        Act::Nothing => return Ok(None),
        Act::Make => make(platform, conn, site, row).await?,
        Act::Deploy => refresh(conn, site, row).await?,
        Act::Remove => store::environments::by_name(conn, site.team_id, site.id, &name).await?.map(|found| found.id),
    };
    let Some(environment) = environment else {
        tracing::warn!(site = %site.id, number = row.number, "no subnet is free for a preview; it waits");
        store::pull_requests::set_state(conn, site.team_id, (site.id, row.number), PreviewState::Waiting).await?;
        return Ok(None);
    };
    if act == Act::Remove {
        let found = store::environments::by_id(conn, site.team_id, environment).await?;
        environments::mark_deleting(conn, &found.context("a preview vanished while it was held")?, false).await?;
        return Ok(None);
    }
    let (trigger, triggered_by) = by;
    let queued = Queued {
        team: site.team_id,
        site: site.id,
        environment,
        trigger,
        triggered_by,
        branch: Some(&row.source_branch),
        commit: row.head.as_deref(),
        message: None,
        author: None,
        from_release: None,
        variables: None,
        reason: None,
    };
    Ok(Some(deployments::enqueue(conn, &queued).await?))
}

/// Brings the environment up to date with what production is set to by now.
async fn refresh(conn: &mut PgConnection, site: &SiteRow, row: &PullRequestRow) -> Result<Option<EnvironmentId>> {
    let production = store::environments::by_name(conn, site.team_id, site.id, environments::PRODUCTION).await?;
    let production = production.context("a site has a production")?;
    let found = store::environments::by_name(conn, site.team_id, site.id, &name(row.number)).await?;
    let Some(found) = found else { return Ok(None) };
    let settings = Settings { branch: &row.source_branch, root: &production.root, watch: &[], paused: false };
    store::environments::set(conn, site.team_id, found.id, &settings).await?;
    Ok(Some(found.id))
}

/// Makes the environment; `None` where no subnet is free.
async fn make(
    platform: &Platform,
    conn: &mut PgConnection,
    site: &SiteRow,
    row: &PullRequestRow,
) -> Result<Option<EnvironmentId>> {
    let production: EnvironmentRow =
        store::environments::by_name(conn, site.team_id, site.id, environments::PRODUCTION)
            .await?
            .context("a site has a production")?;
    let id = EnvironmentId::new();
    let name = name(row.number);
    let secrets = serde_json::to_vec(&new_environment_secrets()).context("writing an environment's secrets")?;
    let new = store::environments::NewEnvironment {
        id,
        team: site.team_id,
        site: site.id,
        name: &name,
        host: &plan::host_label(&site.slug, &name),
        branch: &row.source_branch,
        root: &production.root,
        watch: &[],
        secrets: &platform.vault.seal(&environment_row(id), &secrets)?,
    };
    if !store::environments::insert(conn, &new, plan::subnet_count(&platform.settings)).await? {
        return Ok(None);
    }
    store::pull_requests::set_environment(conn, site.team_id, (site.id, row.number), id).await?;
    Ok(Some(id))
}
