//! `GET /teams/{id}`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{TeamId, views::TeamDetail};
use platform::{Platform, teams};
use std::sync::Arc;

/// Shows a team.
#[utoipa::path(get, path = "", security(("api_token" = ["any"])), responses((status = 200, body = TeamDetail)))]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<TeamId>,
) -> ApiResult<Json<TeamDetail>> {
    Ok(Json(teams::get(&platform, &actor, id).await?))
}
