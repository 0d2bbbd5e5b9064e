//! `DELETE /sites/{id}/environments/{name}?keep_data=true` → 202: a worker removes everything.

use crate::{auth::Caller, path::InSite, problem::ApiResult};
use axum::{
    extract::{Query, State},
    http::StatusCode,
};
use platform::{Platform, environments};
use serde::Deserialize;
use std::sync::Arc;

/// What is kept.
#[derive(Debug, Deserialize)]
pub struct Keep {
    #[serde(default)]
    keep_data: bool,
}

/// Asks for an environment's removal.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InSite(site, name): InSite,
    Query(keep): Query<Keep>,
) -> ApiResult<StatusCode> {
    environments::delete(&platform, &actor, site, &name, keep.keep_data).await?;
    Ok(StatusCode::ACCEPTED)
}
