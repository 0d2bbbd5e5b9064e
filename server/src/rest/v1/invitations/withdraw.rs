//! `DELETE /teams/{id}/invitations/{invitation_id}` → 204: neither of its links is good any more.

use crate::{auth::Caller, path::InTeam, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::InvitationId;
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Withdraws an invitation into a team.
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
    InTeam(team, id): InTeam<InvitationId>,
) -> ApiResult<StatusCode> {
    invitations::withdraw(&platform, &actor, Place::Team(team), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
