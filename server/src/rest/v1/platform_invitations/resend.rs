//! `POST /admin/invitations/{id}/resend` → 200: mailed again, and good for another week.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{InvitationId, views::InvitationView};
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Mails an invitation to the platform again, and lets it be good for another week.
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
    Id(id): Id<InvitationId>,
) -> ApiResult<Json<InvitationView>> {
    Ok(Json(invitations::resend(&platform, &actor, Place::Platform, id).await?))
}
