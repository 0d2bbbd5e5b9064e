//! `DELETE /tokens/{id}` → 204.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::TokenId;
use platform::{Platform, api_tokens};
use std::sync::Arc;

/// Removes a token.
#[utoipa::path(delete, path = "", responses((status = 204)))]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<TokenId>,
) -> ApiResult<StatusCode> {
    api_tokens::delete(&platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
