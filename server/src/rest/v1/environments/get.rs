//! `GET /sites/{id}/environments/{name}`.

use crate::{auth::Caller, path::InSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::EnvironmentView;
use platform::{Platform, environments};
use std::sync::Arc;

/// Shows an environment.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = EnvironmentView)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InSite(site, name): InSite,
) -> ApiResult<Json<EnvironmentView>> {
    Ok(Json(environments::get(&platform, &actor, site, &name).await?))
}
