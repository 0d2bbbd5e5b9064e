//! `GET /sites/{id}/previews/variables`: those that all previews are given; secrets come without their values.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::VariablesView};
use platform::{
    Platform,
    variables::{self, Of},
};
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
    Id(site): Id<SiteId>,
) -> ApiResult<Json<VariablesView>> {
    Ok(Json(variables::list(&platform, &actor, site, Of::Previews).await?))
}
