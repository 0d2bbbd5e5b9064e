//! `DELETE /sites/{id}/environments/{name}?keep_data=true` → 202: a worker removes everything.

use crate::{auth::Caller, path::InSite, problem::ApiResult};
use axum::{
    extract::{Query, State},
    http::StatusCode,
};
use platform::{Platform, environments};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// What is kept.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Keep {
    #[serde(default)]
    keep_data: bool,
}

/// Asks for an environment's removal.
#[utoipa::path(
    delete, path = "", security(("api_token" = ["sites:write"])), params(Keep),
    responses(
        (status = 202),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting` `environment_is_preview` `production_stays`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InSite(site, name): InSite,
    Query(keep): Query<Keep>,
) -> ApiResult<StatusCode> {
    environments::delete(&platform, &actor, site, &name, keep.keep_data).await?;
    Ok(StatusCode::ACCEPTED)
}
