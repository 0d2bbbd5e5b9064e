//! `GET /openapi.json`: the document of this API, OpenAPI 3.1.

use crate::rest::document;
use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

const KIND: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Describes this API.
#[utoipa::path(get, path = "", security(()), responses((status = 200, body = Object)))]
pub async fn handle() -> impl IntoResponse {
    (KIND, document::text())
}
