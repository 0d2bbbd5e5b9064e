//! `GET /teams/{id}/members`: all of them, the longest there first.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{
    TeamId,
    views::{MemberView, Page},
};
use platform::{Platform, members};
use std::sync::Arc;

/// Lists the members of a team, the longest there first: all of them at once.
#[utoipa::path(get, path = "", responses((status = 200, body = Page<MemberView>)))]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(team): Id<TeamId>,
) -> ApiResult<Json<Page<MemberView>>> {
    Ok(Json(Page { items: members::list(&platform, &actor, team).await?, next_cursor: None }))
}
