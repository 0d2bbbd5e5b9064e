//! `POST /admin/invitations` with `{email}` → 201 with the link, shown this once; it is mailed too.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::NewInvitationView;
use platform::{
    Platform,
    invitations::{self, NewPlatformInvitation},
};
use std::sync::Arc;

/// Invites somebody to the platform without a team, by mail.
///
/// For administrators of the platform. The link in the answer is shown this once.
#[utoipa::path(
    post, path = "", request_body = NewPlatformInvitation,
    responses(
        (status = 201, body = NewInvitationView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`already_invited` `too_many_invitations`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<NewPlatformInvitation>,
) -> ApiResult<(StatusCode, Json<NewInvitationView>)> {
    Ok((StatusCode::CREATED, Json(invitations::create_for_platform(&platform, &actor, &new).await?)))
}
