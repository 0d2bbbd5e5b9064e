//! Where a set of variables lies: with an environment, or with a site for all its previews.

use super::{Set, insert, open};
use crate::{Platform, Result};
use anyhow::Context;
use model::{Actor, SiteId, TeamId};
use sqlx::PgConnection;
use store::environments::EnvironmentRow;

/// Where a set lies.
pub(super) enum Place {
    /// With this environment.
    Environment(Box<EnvironmentRow>),
    /// With the site whose previews are given it.
    Previews(TeamId, SiteId),
}

impl Place {
    /// The newest version, and its number.
    pub(super) async fn open(&self, platform: &Platform, conn: &mut PgConnection) -> Result<(i64, Set)> {
        match self {
            Self::Environment(environment) => {
                let version = environment.variables_version;
                Ok((version, open(platform, conn, environment, version).await?))
            }
            Self::Previews(team, site) => open_of_previews(platform, conn, *team, *site).await,
        }
    }

    /// Puts a version in place of the one before.
    pub(super) async fn store(
        &self,
        platform: &Platform,
        conn: &mut PgConnection,
        actor: &Actor,
        version: i64,
        set: &Set,
    ) -> Result<()> {
        match self {
            Self::Environment(environment) => {
                let (team, id) = (environment.team_id, environment.id);
                insert(platform, conn, actor, (team, id, version), set).await?;
                store::environments::set_variables(conn, team, id, version).await?;
                store::variables::prune(conn, team, id).await?;
            }
            Self::Previews(team, site) => {
                let text = serde_json::to_vec(set).context("writing the variables of previews")?;
                let sealed = platform.vault.seal(&row_of_previews(*site, version), &text)?;
                store::pull_requests::set_variables(conn, *team, *site, (version, &sealed), actor.user).await?;
            }
        }
        Ok(())
    }
}

/// The variables that a site's previews are given, and their version; 0 before the first.
pub(crate) async fn open_of_previews(
    platform: &Platform,
    conn: &mut PgConnection,
    team: TeamId,
    site: SiteId,
) -> Result<(i64, Set)> {
    let Some((version, sealed)) = store::pull_requests::variables(conn, team, site).await? else {
        return Ok((0, Set::new()));
    };
    let text = platform.vault.open(&row_of_previews(site, version), &sealed)?;
    Ok((version, serde_json::from_slice(&text).context("reading the variables of previews")?))
}

fn row_of_previews(site: SiteId, version: i64) -> String {
    format!("sites/{site}/previews/variables/{version}")
}
