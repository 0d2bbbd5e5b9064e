//! `PATCH /sites/{id}`: another name for people.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::SiteView};
use platform::{Platform, sites};
use serde::Deserialize;
use std::sync::Arc;

/// What can be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    name: String,
}

/// Changes a site.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    ApiJson(change): ApiJson<Change>,
) -> ApiResult<Json<SiteView>> {
    Ok(Json(sites::rename(&platform, &actor, id, &change.name).await?))
}
