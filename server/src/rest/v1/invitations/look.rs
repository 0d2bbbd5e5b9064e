//! `GET /invitations/{token}`: what an invitation is to; for whoever has its link. It changes nothing.

use crate::{path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::InvitationLook;
use platform::{Platform, invitations};
use std::sync::Arc;

/// Shows an invitation to whoever has its link.
#[utoipa::path(get, path = "", security(()), responses((status = 200, body = InvitationLook)))]
pub async fn handle(State(platform): State<Arc<Platform>>, Id(token): Id<String>) -> ApiResult<Json<InvitationLook>> {
    Ok(Json(invitations::look(&platform, &token).await?))
}
