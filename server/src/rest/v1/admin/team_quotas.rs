//! `PATCH /admin/teams/{id}/quotas` with `{"sites": 3, "memory": "unlimited", "cpu": "default"}`.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{TeamId, views::TeamQuotasView};
use platform::{Platform, quotas};
use std::sync::Arc;

/// Sets what a team may use, for administrators of the platform.
#[utoipa::path(
    patch, path = "", request_body = quotas::Change,
    responses(
        (status = 200, body = TeamQuotasView),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
    ApiJson(change): ApiJson<quotas::Change>,
) -> ApiResult<Json<TeamQuotasView>> {
    Ok(Json(quotas::set(&platform, &actor, team, change).await?))
}
