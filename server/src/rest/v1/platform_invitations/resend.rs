//! `POST /admin/invitations/{id}/resend` → 200: mailed again, and good for another week.

use crate::{auth::Caller, path::Id, problem::ApiResult};
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
    Id(id): Id<InvitationId>,
) -> ApiResult<Json<InvitationView>> {
    Ok(Json(invitations::resend(&platform, &actor, Place::Platform, id).await?))
}
