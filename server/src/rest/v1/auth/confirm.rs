//! `POST /auth/confirm`: does what a mailed link is for: makes an account, proves or changes an address.

use crate::{client::Visit, json::ApiJson, problem::ApiResult, state::AppState};
use axum::{Json, extract::State};
use model::views::LinkView;
use platform::accounts;
use serde::Deserialize;
use utoipa::ToSchema;

/// What a client sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MailedLink)]
pub struct Link {
    token: String,
}

/// Does what a mailed link is for, and spends it.
///
/// It makes an account, proves an account's address, or gives it another one.
#[utoipa::path(
    post, path = "", security(()), request_body = Link,
    responses(
        (status = 200, body = LinkView),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`email_taken`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    ApiJson(link): ApiJson<Link>,
) -> ApiResult<Json<LinkView>> {
    Ok(Json(accounts::confirm_link(&state.platform, &visit.stranger(), &link.token).await?))
}
