//! What a preview is told: the variables that its site gives to previews alone, never production's.

use crate::{Platform, Result, variables};
use model::Actor;
use store::environments::EnvironmentRow;

/// Gives a preview's environment the newest of the site's variables for previews; their version there. One of a fork is
/// given no secrets.
pub(crate) async fn take_over(platform: &Platform, environment: &EnvironmentRow) -> Result<i64> {
    let EnvironmentRow { team_id, site_id, .. } = *environment;
    let mut tx = platform.pool.begin().await?;
    let held = store::environments::lock_by_name(&mut tx, team_id, site_id, &environment.name).await?;
    let Some(held) = held.filter(|held| held.id == environment.id) else { return Ok(environment.variables_version) };
    let (_, mut set) = variables::open_of_previews(platform, &mut tx, team_id, site_id).await?;
    let pull = store::pull_requests::of_environment(&mut tx, team_id, held.id).await?;
    // One whose pull request is not known any more is trusted no further than a fork's.
    if pull.is_none_or(|pull| pull.from_fork) {
        set.retain(|_, variable| !variable.secret);
    }
    let before = variables::open(platform, &mut tx, &held, held.variables_version).await?;
    if before == set {
        return Ok(held.variables_version);
    }
    let version = held.variables_version + 1;
    variables::insert(platform, &mut tx, &Actor::platform(team_id), (team_id, held.id, version), &set).await?;
    store::environments::set_variables(&mut tx, team_id, held.id, version).await?;
    store::variables::prune(&mut tx, team_id, held.id).await?;
    tx.commit().await?;
    Ok(version)
}
