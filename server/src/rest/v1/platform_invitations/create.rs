//! `POST /admin/invitations` with `{email}` → 201 with the link, shown this once; it is mailed too.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::NewInvitationView;
use platform::{
    Platform,
    invitations::{self, NewPlatformInvitation},
};
use std::sync::Arc;

/// Invites somebody.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<NewPlatformInvitation>,
) -> ApiResult<(StatusCode, Json<NewInvitationView>)> {
    Ok((StatusCode::CREATED, Json(invitations::create_for_platform(&platform, &actor, &new).await?)))
}
