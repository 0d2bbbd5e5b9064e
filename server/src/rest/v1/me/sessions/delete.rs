//! `DELETE /me/sessions/{id}`: ends one of them.

use crate::{auth::Caller, path::Id, problem::ApiResult, state::AppState};
use axum::{extract::State, http::StatusCode};
use model::SessionId;
use platform::accounts::sessions;

/// Ends one of the sign-ins of the caller's account.
#[utoipa::path(delete, path = "", responses((status = 204)))]
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Id(id): Id<SessionId>,
) -> ApiResult<StatusCode> {
    sessions::revoke(&state.platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
