//! `DELETE /admin/invitations/{id}` → 204: neither of its links is good any more.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::InvitationId;
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Withdraws an invitation to the platform.
#[utoipa::path(
    delete, path = "",
    responses(
        (status = 204),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`invitation_accepted` `invitation_withdrawn`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<InvitationId>,
) -> ApiResult<StatusCode> {
    invitations::withdraw(&platform, &actor, Place::Platform, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
