//! `POST /sites/{id}/deployments` → 202 with the queued deployment; the body may be left out.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{
    Json, RequestExt,
    extract::{Request, State},
    http::{StatusCode, header},
};
use model::{SiteId, views::DeploymentView};
use platform::{Platform, deployments};
use std::sync::Arc;

/// Queues a deployment.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    request: Request,
) -> ApiResult<(StatusCode, Json<DeploymentView>)> {
    let new = if request.headers().contains_key(header::CONTENT_TYPE) {
        let ApiJson(new) = request.extract::<ApiJson<deployments::NewDeployment>, _>().await?;
        new
    } else {
        deployments::NewDeployment::default()
    };
    Ok((StatusCode::ACCEPTED, Json(deployments::create(&platform, &actor, id, new).await?)))
}
