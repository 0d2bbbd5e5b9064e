//! `GET /.well-known/jwks.json`: the public keys that access tokens can be verified with, for whoever is shown one.

use crate::problem::ApiResult;
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use platform::{Platform, signing};
use std::sync::Arc;
use time::OffsetDateTime;

/// The JWK set (RFC 7517, section 5). It may be kept for less time than a new key is announced before it signs.
pub async fn handle(State(platform): State<Arc<Platform>>) -> ApiResult<Response> {
    let set = signing::public_keys(&platform, OffsetDateTime::now_utc()).await?;
    Ok(([(header::CACHE_CONTROL, format!("public, max-age={}", signing::MAX_AGE))], Json(set)).into_response())
}
