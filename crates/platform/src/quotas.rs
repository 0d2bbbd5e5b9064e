//! Quotas: how much of the machine a team may use. The installation's settings say so, and an administrator otherwise
//! for one team. Each is enforced where the thing is asked for; going back to an earlier release always works.

pub mod disk;

use crate::{Platform, Result, access, admin, audit, settings::Quotas};
use model::{
    Actor, Problem, TeamId,
    plan::ReleasePlan,
    views::{Quota, QuotaView, TeamQuotasView},
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use store::{deployments::DeploymentRow, quotas::Used, sites::SiteRow};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

/// Deployments are counted over so long.
const DAY: Duration = Duration::hours(24);

/// What an administrator sends to set quotas of a team: a number in the quota's unit (bytes, thousandths of a CPU,
/// pieces), `unlimited`, or `default` for the installation's; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = QuotaChange)]
#[serde(transparent)]
pub struct Change(pub BTreeMap<Quota, Wanted>);

/// What a quota is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = QuotaWanted)]
#[serde(untagged)]
pub enum Wanted {
    /// At most so much.
    Most(i64),
    /// One of the words.
    Word(Word),
}

/// A quota that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = QuotaWord)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// As much as it likes.
    Unlimited,
    /// The installation's.
    Default,
}

/// What a team may use and what it uses, for its members and for administrators of the platform.
///
/// # Errors
/// 404 for a team that the caller may not know of.
pub async fn get(platform: &Platform, actor: &Actor, team: TeamId) -> Result<TeamQuotasView> {
    if actor.role_in(team).is_some() {
        access::may_read(actor)?;
    } else if admin::only(actor).is_err() {
        return Err(Problem::not_found("team").into());
    }
    let mut conn = platform.pool.acquire().await?;
    view(platform, &mut conn, team).await
}

/// Sets quotas of a team, for administrators of the platform.
///
/// # Errors
/// 404 for everybody else, and for a team that there is not; 422 for the fields that are below zero.
pub async fn set(platform: &Platform, actor: &Actor, team: TeamId, change: Change) -> Result<TeamQuotasView> {
    admin::only(actor)?;
    let mut tx = platform.pool.begin().await?;
    let row = store::teams::get(&mut tx, team).await?.ok_or_else(|| Problem::not_found("team"))?;
    store::quotas::lock(&mut tx, team).await?;
    let before = allowed(&platform.settings.quotas, &mut tx, team).await?;
    for (quota, wanted) in &change.0 {
        match wanted {
            Wanted::Most(most) if *most < 0 => {
                return Err(Problem::invalid(quota.as_str(), "range", "A quota is 0 or more.").into());
            }
            Wanted::Most(most) => store::quotas::set(&mut tx, team, *quota, Some(*most), actor.user).await?,
            Wanted::Word(Word::Unlimited) => store::quotas::set(&mut tx, team, *quota, None, actor.user).await?,
            Wanted::Word(Word::Default) => store::quotas::unset(&mut tx, team, *quota).await?,
        }
    }
    let after = allowed(&platform.settings.quotas, &mut tx, team).await?;
    let told = |all: &Allowed| {
        json!(Quota::ALL.map(|quota| (quota.as_str(), all.get(quota))).into_iter().collect::<BTreeMap<_, _>>())
    };
    let entry = audit::Entry::new("quota.change", team, &row.name).of(team).change(told(&before), told(&after));
    audit::record(&mut tx, actor, entry).await?;
    let view = view(platform, &mut tx, team).await?;
    tx.commit().await?;
    // There may be room for a build now.
    platform.wake.notify_one();
    Ok(view)
}

/// The quotas of a team.
pub(crate) async fn view(platform: &Platform, conn: &mut PgConnection, team: TeamId) -> Result<TeamQuotasView> {
    let row = store::teams::get(conn, team).await?.ok_or_else(|| Problem::not_found("team"))?;
    let allowed = allowed(&platform.settings.quotas, conn, team).await?;
    let used = store::quotas::used(conn, team, OffsetDateTime::now_utc() - DAY).await?;
    let items = Quota::ALL.map(|quota| QuotaView {
        quota,
        used: of(&used, quota),
        limit: allowed.get(quota),
        is_own: allowed.own.contains_key(&quota),
        measured_at: used.disk_measured_at.filter(|_| quota == Quota::Disk),
    });
    Ok(TeamQuotasView { team_id: team, team_name: row.name, items: items.into() })
}

fn of(used: &Used, quota: Quota) -> i64 {
    match quota {
        Quota::Sites => used.sites,
        Quota::Memory => used.memory,
        Quota::Cpu => used.cpu,
        Quota::Disk => used.disk,
        Quota::Builds => used.builds,
        Quota::Deployments => used.deployments,
    }
}

/// What a team may use.
struct Allowed {
    own: BTreeMap<Quota, Option<i64>>,
    installation: Quotas,
}

impl Allowed {
    fn get(&self, quota: Quota) -> Option<i64> {
        self.own.get(&quota).copied().unwrap_or_else(|| self.installation.get(quota))
    }
}

async fn allowed(installation: &Quotas, conn: &mut PgConnection, team: TeamId) -> Result<Allowed> {
    let own = store::quotas::own(conn, team).await?.into_iter().collect();
    Ok(Allowed { own, installation: *installation })
}

/// A team may have one more site. Held until the transaction ends.
///
/// # Errors
/// 403 `quota_exceeded`.
pub(crate) async fn may_make_site(platform: &Platform, conn: &mut PgConnection, team: TeamId) -> Result<()> {
    let allowed = allowed(&platform.settings.quotas, conn, team).await?;
    if [Quota::Sites, Quota::Disk].into_iter().all(|quota| allowed.get(quota).is_none()) {
        return Ok(());
    }
    store::quotas::lock(conn, team).await?;
    let used = store::quotas::used(conn, team, OffsetDateTime::now_utc() - DAY).await?;
    for (quota, remedy) in [(Quota::Sites, "Delete a site that is no longer needed"), (Quota::Disk, MAKE_ROOM)] {
        refuse_full(&allowed, &used, quota, remedy)?;
    }
    Ok(())
}

/// A team may have this site of another one, with what it runs. Held until the transaction ends.
///
/// # Errors
/// 403 `quota_exceeded`.
pub(crate) async fn may_take_site(
    platform: &Platform,
    conn: &mut PgConnection,
    team: TeamId,
    site: &SiteRow,
) -> Result<()> {
    store::quotas::lock(conn, team).await?;
    may_make_site(platform, conn, team).await?;
    let allowed = allowed(&platform.settings.quotas, conn, team).await?;
    let comes = store::quotas::planned(conn, site.team_id, Some(site.id), None).await?;
    let others = store::quotas::planned(conn, team, None, None).await?;
    refuse_beside(&allowed, comes, others)
}

const MAKE_ROOM: &str =
    "Make room: delete sites or environments that are no longer needed, or what is in their volumes";

/// A team may have something built and deployed. Held until the transaction ends.
///
/// # Errors
/// 403 `quota_exceeded`.
pub(crate) async fn may_deploy(platform: &Platform, conn: &mut PgConnection, team: TeamId) -> Result<()> {
    let allowed = allowed(&platform.settings.quotas, conn, team).await?;
    if [Quota::Deployments, Quota::Disk].into_iter().all(|quota| allowed.get(quota).is_none()) {
        return Ok(());
    }
    store::quotas::lock(conn, team).await?;
    let since = OffsetDateTime::now_utc() - DAY;
    let used = store::quotas::used(conn, team, since).await?;
    refuse_full(&allowed, &used, Quota::Disk, MAKE_ROOM)?;
    let free_at = store::quotas::oldest_since(conn, team, since).await?.map(|oldest| oldest + DAY);
    let remedy = match free_at {
        Some(at) => format!("The next one is possible at {:02}:{:02} UTC; wait for that", at.hour(), at.minute()),
        None => "None is allowed".to_owned(),
    };
    refuse_full(&allowed, &used, Quota::Deployments, &remedy)
}

/// Why a team may not have something built and deployed just now; `None` if it may. For what nobody asked for who could
/// be refused.
pub(crate) async fn obstacle(platform: &Platform, conn: &mut PgConnection, team: TeamId) -> Result<Option<String>> {
    match may_deploy(platform, conn, team).await {
        Ok(()) => Ok(None),
        Err(crate::Error::Problem(problem)) => Ok(Some(problem.detail)),
        Err(other) => Err(other),
    }
}

fn refuse_full(allowed: &Allowed, used: &Used, quota: Quota, remedy: &str) -> Result<()> {
    let used = of(used, quota);
    match allowed.get(quota) {
        Some(most) if used >= most => {
            Err(exceeded(quota, &format!("uses {}", quota.amount(used)), most, remedy).into())
        }
        _ => Ok(()),
    }
}

/// Memory and CPU of what comes have to fit beside what the team has elsewhere.
fn refuse_beside(allowed: &Allowed, (memory, cpu): (i64, i64), others: (i64, i64)) -> Result<()> {
    for (quota, own, elsewhere) in [(Quota::Memory, memory, others.0), (Quota::Cpu, cpu, others.1)] {
        let Some(most) = allowed.get(quota) else { continue };
        if own > 0 && own.saturating_add(elsewhere) > most {
            let uses = format!("would use {} here beside {} elsewhere", quota.amount(own), quota.amount(elsewhere));
            let remedy = "Give its services less in webmeteor.toml, or delete an environment that is no longer needed";
            return Err(exceeded(quota, &uses, most, remedy).into());
        }
    }
    Ok(())
}

fn exceeded(quota: Quota, uses: &str, most: i64, remedy: &str) -> Problem {
    let (title, most) = (quota.title().to_lowercase().replace("cpu", "CPU"), quota.amount(most));
    let detail = format!(
        "The team's quota “{title}” is used up: it {uses} of {most}. {remedy}, or ask an administrator of the platform \
         for more."
    );
    Problem::new(403, "quota_exceeded", detail)
}

/// A release that is about to start fits into what its team may use; it is written down, so that another one that starts
/// at the same time sees it.
///
/// # Errors
/// 403 `quota_exceeded`.
pub(crate) async fn reserve(platform: &Platform, row: &DeploymentRow, plan: &ReleasePlan) -> Result<()> {
    let sum = |of: fn(&model::plan::ContainerPlan) -> u64| {
        plan.containers
            .iter()
            .map(|container| i64::try_from(of(container)).unwrap_or(i64::MAX))
            .fold(0, i64::saturating_add)
    };
    let memory = sum(|container| container.spec.memory_bytes);
    let cpu = sum(|container| u64::from(container.spec.cpu_millis));
    let mut tx = platform.pool.begin().await?;
    store::quotas::lock(&mut tx, row.team_id).await?;
    let allowed = allowed(&platform.settings.quotas, &mut tx, row.team_id).await?;
    let others = store::quotas::planned(&mut tx, row.team_id, None, Some(row.environment_id)).await?;
    refuse_beside(&allowed, (memory, cpu), others)?;
    store::quotas::set_plan(&mut tx, row.team_id, row.id, memory, cpu).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests;
