//! `PUT /sites/{id}/previews/variables`: the whole set that all previews are given, as for an environment.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::VariablesView};
use platform::{
    Platform,
    variables::{self, Of},
};
use std::sync::Arc;

/// Replaces variables.
#[utoipa::path(
    put, path = "", security(("api_token" = ["variables"])), request_body = variables::NewVariables,
    responses(
        (status = 200, body = VariablesView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `stale`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
    ApiJson(new): ApiJson<variables::NewVariables>,
) -> ApiResult<Json<VariablesView>> {
    Ok(Json(variables::replace(&platform, &actor, site, Of::Previews, new).await?))
}
