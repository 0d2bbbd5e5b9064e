//! `DELETE /sites/{id}?keep_data=true` → 202: a worker removes everything.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{
    extract::{Query, State},
    http::StatusCode,
};
use model::SiteId;
use platform::{Platform, sites};
use serde::Deserialize;
use std::sync::Arc;

/// What is kept.
#[derive(Debug, Deserialize)]
pub struct Keep {
    #[serde(default)]
    keep_data: bool,
}

/// Asks for a site's removal.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    Query(keep): Query<Keep>,
) -> ApiResult<StatusCode> {
    sites::delete(&platform, &actor, id, keep.keep_data).await?;
    Ok(StatusCode::ACCEPTED)
}
