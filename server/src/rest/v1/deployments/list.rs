//! `GET /sites/{id}/deployments`, newest first; with `?environment=` those of one environment.

use crate::{
    auth::Caller,
    page::{PageParams, PageQuery},
    path::Id,
    problem::ApiResult,
};
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
use utoipa::IntoParams;

/// Which ones.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Of {
    environment: Option<String>,
}

/// Lists a site's deployments.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])), params(PageParams, Of),
    responses(
        (status = 200, body = Page<DeploymentSummary>)
    )
)]
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
