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
use utoipa::IntoParams;

/// What is kept.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Keep {
    #[serde(default)]
    keep_data: bool,
}

/// Asks for a site's removal.
#[utoipa::path(
    delete, path = "", security(("api_token" = ["sites:write"])), params(Keep),
    responses(
        (status = 202),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    Query(keep): Query<Keep>,
) -> ApiResult<StatusCode> {
    sites::delete(&platform, &actor, id, keep.keep_data).await?;
    Ok(StatusCode::ACCEPTED)
}
