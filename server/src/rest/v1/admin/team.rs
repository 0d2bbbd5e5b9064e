//! `GET /admin/teams/{id}`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{TeamId, views::AdminTeamView};
use platform::{Platform, admin};
use std::sync::Arc;

/// Shows a team.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
) -> ApiResult<Json<AdminTeamView>> {
    Ok(Json(admin::team(&platform, &actor, team).await?))
}
