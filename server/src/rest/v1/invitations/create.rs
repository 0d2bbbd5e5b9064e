//! `POST /teams/{id}/invitations` with `{email, role}` → 201 with the link, shown this once; it is mailed too.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{TeamId, views::NewInvitationView};
use platform::{
    Platform,
    invitations::{self, NewInvitation},
};
use std::sync::Arc;

/// Invites somebody.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
    ApiJson(new): ApiJson<NewInvitation>,
) -> ApiResult<(StatusCode, Json<NewInvitationView>)> {
    Ok((StatusCode::CREATED, Json(invitations::create(&platform, &actor, team, &new).await?)))
}
