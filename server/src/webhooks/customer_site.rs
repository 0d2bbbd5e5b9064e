//! `POST /webhook/customer-site` and `POST /webhook/customer-site/{site_id}`.

use crate::{body::read, problem::ApiResult};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use model::SiteId;
use platform::{
    Platform,
    webhooks::{BODY_MAX, Received, receive},
};
use std::sync::Arc;

/// Takes a webhook; the site is found by the repository.
pub async fn by_repository(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<(StatusCode, Json<Received>)> {
    answer(&platform, None, &headers, body).await
}

/// Takes a webhook for one site. What is no id is answered like an unknown site.
pub async fn by_id(
    State(platform): State<Arc<Platform>>,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<(StatusCode, Json<Received>)> {
    let site = site.parse().unwrap_or(SiteId(uuid::Uuid::nil()));
    answer(&platform, Some(site), &headers, body).await
}

async fn answer(
    platform: &Platform,
    site: Option<SiteId>,
    headers: &HeaderMap,
    body: Body,
) -> ApiResult<(StatusCode, Json<Received>)> {
    let body = read(body, BODY_MAX).await?;
    let received = receive(platform, site, headers, body).await?;
    Ok((StatusCode::from_u16(received.status).unwrap_or(StatusCode::ACCEPTED), Json(received)))
}
