//! `POST /teams/{id}/invitations/{invitation_id}/resend` → 200: mailed again, and good for another week.

use crate::{auth::Caller, path::InTeam, problem::ApiResult};
use axum::{Json, extract::State};
use model::{InvitationId, views::InvitationView};
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Mails it again.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InTeam(team, id): InTeam<InvitationId>,
) -> ApiResult<Json<InvitationView>> {
    Ok(Json(invitations::resend(&platform, &actor, Place::Team(team), id).await?))
}
