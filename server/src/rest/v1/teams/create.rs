//! `POST /teams` with `{name}` → 201; the caller owns it.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::TeamDetail;
use platform::{
    Platform,
    teams::{self, Naming},
};
use std::sync::Arc;

/// Makes a team, which the caller owns.
///
/// Its slug is made from its name and stays for good.
#[utoipa::path(
    post, path = "", request_body = Naming,
    responses(
        (status = 201, body = TeamDetail),
        (status = 409, description = "`too_many_teams`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<Naming>,
) -> ApiResult<(StatusCode, Json<TeamDetail>)> {
    Ok((StatusCode::CREATED, Json(teams::create(&platform, &actor, &new).await?)))
}
