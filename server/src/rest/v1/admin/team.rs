//! `GET /admin/teams/{id}`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{TeamId, views::AdminTeamView};
use platform::{Platform, admin};
use std::sync::Arc;

/// Shows any team, to administrators of the platform.
#[utoipa::path(
    get, path = "",
    responses(
        (status = 200, body = AdminTeamView),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
) -> ApiResult<Json<AdminTeamView>> {
    Ok(Json(admin::team(&platform, &actor, team).await?))
}
