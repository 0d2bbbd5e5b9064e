//! `GET /teams`: the caller's teams with its role in each.

use crate::{auth::Caller, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::{Page, TeamView};
use platform::teams;

/// Lists the caller's teams, with its role in each: all of them at once, they are few.
#[utoipa::path(get, path = "", security(("api_token" = ["any"])), responses((status = 200, body = Page<TeamView>)))]
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Json<Page<TeamView>>> {
    let items = teams::list(&state.platform, &actor).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
