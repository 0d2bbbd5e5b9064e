//! `POST /tokens` with `{name, scopes, team_id?, site_id?, expires_at?}` → 201 with the token, shown this once.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::NewTokenView;
use platform::{
    Platform,
    api_tokens::{self, NewToken},
};
use std::sync::Arc;

/// Makes a token.
#[utoipa::path(
    post, path = "", request_body = NewToken,
    responses(
        (status = 201, body = NewTokenView),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`too_many_tokens`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<NewToken>,
) -> ApiResult<(StatusCode, Json<NewTokenView>)> {
    Ok((StatusCode::CREATED, Json(api_tokens::create(&platform, &actor, new).await?)))
}
