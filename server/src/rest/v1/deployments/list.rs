//! `GET /sites/{id}/deployments`, newest first; with `?environment=` those of one environment.

use crate::{auth::Caller, page::PageQuery, path::Id, problem::ApiResult};
use axum::{
    Json,
    extract::{Query, State},
};
use model::{
    SiteId,
    views::{DeploymentSummary, Page},
};
use platform::{Platform, deployments};
use serde::Deserialize;
use std::sync::Arc;

/// Which ones.
#[derive(Debug, Deserialize)]
pub struct Of {
    environment: Option<String>,
}

/// Lists a site's deployments.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    page: PageQuery,
    Query(of): Query<Of>,
) -> ApiResult<Json<Page<DeploymentSummary>>> {
    let (environment, cursor) = (of.environment.as_deref(), page.cursor.as_deref());
    Ok(Json(deployments::list(&platform, &actor, id, environment, page.limit, cursor).await?))
}
