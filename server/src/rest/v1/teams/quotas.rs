//! `GET /teams/{id}/quotas`: what the team may use, and what it uses.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{TeamId, views::TeamQuotasView};
use platform::{Platform, quotas};
use std::sync::Arc;

/// Shows what the team may use, and what it uses.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = TeamQuotasView),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
) -> ApiResult<Json<TeamQuotasView>> {
    Ok(Json(quotas::get(&platform, &actor, team).await?))
}
