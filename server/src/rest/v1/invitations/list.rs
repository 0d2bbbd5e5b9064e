//! `GET /teams/{id}/invitations`: the last hundred, newest first.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{
    TeamId,
    views::{InvitationView, Page},
};
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Lists the last hundred invitations into a team, newest first.
#[utoipa::path(
    get, path = "",
    responses(
        (status = 200, body = Page<InvitationView>),
        (status = 403, description = "`forbidden`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
) -> ApiResult<Json<Page<InvitationView>>> {
    let items = invitations::list(&platform, &actor, Place::Team(team)).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
