//! `DELETE /passkeys/{id}` → 204.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::PasskeyId;
use platform::{Platform, sign_in::passkeys};
use std::sync::Arc;

/// Removes a passkey.
#[utoipa::path(delete, path = "", responses((status = 204), (status = 409, description = "`last_way`")))]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<PasskeyId>,
) -> ApiResult<StatusCode> {
    passkeys::remove(&platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
