//! `DELETE /teams/{id}/members/{user_id}` → 204; with the caller's own id it leaves. 409 `last_owner`.

use crate::{auth::Caller, path::InTeam, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::UserId;
use platform::{Platform, members};
use std::sync::Arc;

/// Removes a member, or lets the caller leave.
///
/// Its API tokens for the team and its open invitations go with it.
#[utoipa::path(
    delete, path = "",
    responses(
        (status = 204),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`last_owner`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InTeam(team, user): InTeam<UserId>,
) -> ApiResult<StatusCode> {
    members::remove(&platform, &actor, team, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
