//! `PATCH /teams/{id}` with `{name}` → 200; the slug stays.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{TeamId, views::TeamDetail};
use platform::{
    Platform,
    teams::{self, Naming},
};
use std::sync::Arc;

/// Gives a team another name for people; its slug stays.
#[utoipa::path(
    patch, path = "", request_body = Naming,
    responses(
        (status = 200, body = TeamDetail),
        (status = 403, description = "`forbidden`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<TeamId>,
    ApiJson(new): ApiJson<Naming>,
) -> ApiResult<Json<TeamDetail>> {
    Ok(Json(teams::rename(&platform, &actor, id, &new).await?))
}
