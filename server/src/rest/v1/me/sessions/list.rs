//! `GET /me/sessions`: what the caller's account is signed in with.

use crate::{
    auth::{Caller, SignIn},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State};
use model::views::{Page, SessionView};
use platform::accounts::sessions;

/// Lists what the caller's account is signed in with; what asks is marked.
#[utoipa::path(get, path = "", responses((status = 200, body = Page<SessionView>)))]
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    SignIn(current): SignIn,
) -> ApiResult<Json<Page<SessionView>>> {
    let items = sessions::list(&state.platform, &actor, &current).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
