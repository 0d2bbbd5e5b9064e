//! `DELETE /teams/{id}` → 204; 409 `team_has_sites`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::TeamId;
use platform::{Platform, teams};
use std::sync::Arc;

/// Deletes a team that has no site, with its memberships, invitations and API tokens.
#[utoipa::path(
    delete, path = "",
    responses(
        (status = 204),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`team_has_sites`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<TeamId>,
) -> ApiResult<StatusCode> {
    teams::delete(&platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
