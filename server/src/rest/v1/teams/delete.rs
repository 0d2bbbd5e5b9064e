//! `DELETE /teams/{id}` → 204; 409 `team_has_sites`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::TeamId;
use platform::{Platform, teams};
use std::sync::Arc;

/// Deletes a team that has no site.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<TeamId>,
) -> ApiResult<StatusCode> {
    teams::delete(&platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
