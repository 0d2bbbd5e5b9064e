//! `POST /sites/{id}/transfer` with `{team_id}` → 200; 409 `under_way`.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::SiteView};
use platform::{
    Platform,
    sites::{self, Transfer},
};
use std::sync::Arc;

/// Gives a site to another team.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    ApiJson(to): ApiJson<Transfer>,
) -> ApiResult<Json<SiteView>> {
    Ok(Json(sites::transfer(&platform, &actor, id, to).await?))
}
