//! `GET /sites/{id}/environments/{name}/variables`; secrets come without their values.

use crate::{auth::Caller, path::InSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::VariablesView;
use platform::{Platform, variables};
use std::sync::Arc;

/// Lists variables.
#[utoipa::path(
    get, path = "", security(("api_token" = ["variables"])),
    responses(
        (status = 200, body = VariablesView),
        (status = 403, description = "`forbidden`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InSite(site, name): InSite,
) -> ApiResult<Json<VariablesView>> {
    Ok(Json(variables::list(&platform, &actor, site, &name).await?))
}
