//! `POST /auth/confirm`: does what a mailed link is for: makes an account, proves or changes an address.

use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::LinkView;
use platform::accounts;
use serde::Deserialize;

/// What a client sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    token: String,
}

/// 200 with what was confirmed; 422 for a link that was used before or is too old, 409 `email_taken`.
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(link): ApiJson<Link>,
) -> ApiResult<Json<LinkView>> {
    Ok(Json(accounts::confirm_link(&state.platform, &visit.stranger(), &link.token).await?))
}
