//! `DELETE /me`: the caller's account, for its password and its address.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{extract::State, http::StatusCode};
use platform::accounts::{self, DeleteAccount};

/// Deletes the caller's account, for its password and its address.
///
/// Sessions, tokens and teams that nobody else is in go with it; what stands in the way is named.
#[utoipa::path(
    delete, path = "", request_body = DeleteAccount,
    responses(
        (status = 204),
        (status = 409, description = "`last_admin` `only_owner` `has_sites`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    ApiJson(body): ApiJson<DeleteAccount>,
) -> ApiResult<StatusCode> {
    accounts::delete(&state.platform, &actor, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
