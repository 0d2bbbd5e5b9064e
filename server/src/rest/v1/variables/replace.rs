//! `PUT /sites/{id}/environments/{name}/variables`: the whole set; a secret without a value keeps the one it has. 409
//! `stale` where the version that is sent along is no longer the newest.

use crate::{auth::Caller, json::ApiJson, path::InSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::VariablesView;
use platform::{Platform, variables};
use std::sync::Arc;

/// Replaces variables.
#[utoipa::path(
    put, path = "", security(("api_token" = ["variables"])), request_body = variables::NewVariables,
    responses(
        (status = 200, body = VariablesView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting` `environment_is_preview` `stale`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InSite(site, name): InSite,
    ApiJson(new): ApiJson<variables::NewVariables>,
) -> ApiResult<Json<VariablesView>> {
    Ok(Json(variables::replace(&platform, &actor, site, &name, new).await?))
}
