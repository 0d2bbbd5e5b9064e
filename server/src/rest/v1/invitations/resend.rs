//! `POST /teams/{id}/invitations/{invitation_id}/resend` → 200: mailed again, and good for another week.

use crate::{auth::Caller, path::InTeam, problem::ApiResult};
use axum::{Json, extract::State};
use model::{InvitationId, views::InvitationView};
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Mails an invitation into a team again, and lets it be good for another week.
#[utoipa::path(
    post, path = "",
    responses(
        (status = 200, body = InvitationView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`invitation_accepted` `invitation_withdrawn`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InTeam(team, id): InTeam<InvitationId>,
) -> ApiResult<Json<InvitationView>> {
    Ok(Json(invitations::resend(&platform, &actor, Place::Team(team), id).await?))
}
