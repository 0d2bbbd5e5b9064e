//! `POST /webhook/github-app`: what GitHub announces to the App of this installation.

use crate::{body::read, problem::ApiResult};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use platform::{
    Platform, github,
    webhooks::{BODY_MAX, Received},
};
use serde::Serialize;
use std::sync::Arc;

/// What came of it at each site that it means.
#[derive(Serialize)]
pub struct Taken {
    deliveries: Vec<Received>,
}

/// Takes a webhook of the App's.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<(StatusCode, Json<Taken>)> {
    let body = read(body, BODY_MAX).await?;
    let deliveries = github::receive(&platform, &headers, body).await?;
    Ok((StatusCode::ACCEPTED, Json(Taken { deliveries })))
}
