//! `GET /sites/{id}/deployments`, newest first.

use crate::{auth::Caller, page::PageQuery, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{
    SiteId,
    views::{DeploymentSummary, Page},
};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Lists a site's deployments.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    page: PageQuery,
) -> ApiResult<Json<Page<DeploymentSummary>>> {
    Ok(Json(deployments::list(&platform, &actor, id, page.limit, page.cursor.as_deref()).await?))
}
