//! `DELETE /admin/invitations/{id}` → 204: neither of its links is good any more.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::InvitationId;
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Withdraws it.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<InvitationId>,
) -> ApiResult<StatusCode> {
    invitations::withdraw(&platform, &actor, Place::Platform, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
