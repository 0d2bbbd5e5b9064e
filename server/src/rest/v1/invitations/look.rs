//! `GET /invitations/{token}`: what an invitation is to; for whoever has its link. It changes nothing.

use crate::problem::ApiResult;
use axum::{
    Json,
    extract::{Path, State},
};
use model::views::InvitationLook;
use platform::{Platform, invitations};
use std::sync::Arc;

/// Shows it.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Path(token): Path<String>,
) -> ApiResult<Json<InvitationLook>> {
    Ok(Json(invitations::look(&platform, &token).await?))
}
