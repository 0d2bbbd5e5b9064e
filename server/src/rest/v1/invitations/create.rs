//! `POST /teams/{id}/invitations` with `{email, role}` → 201 with the link, shown this once; it is mailed too.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{TeamId, views::NewInvitationView};
use platform::{
    Platform,
    invitations::{self, NewInvitation},
};
use std::sync::Arc;

/// Invites somebody into a team, by mail.
///
/// The link in the answer is shown this once. The answer is the same whether or not the address has an account.
#[utoipa::path(
    post, path = "", request_body = NewInvitation,
    responses(
        (status = 201, body = NewInvitationView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`already_member` `already_invited` `too_many_invitations`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
    ApiJson(new): ApiJson<NewInvitation>,
) -> ApiResult<(StatusCode, Json<NewInvitationView>)> {
    Ok((StatusCode::CREATED, Json(invitations::create(&platform, &actor, team, &new).await?)))
}
