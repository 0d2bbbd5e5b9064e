//! `GET /deliveries/{id}`: with its headers, secrets hidden, and up to 64 KB of its body as text.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{DeliveryId, views::DeliveryDetail};
use platform::{Platform, webhooks};
use std::sync::Arc;

/// Shows a delivery.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])),
    responses(
        (status = 200, body = DeliveryDetail)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeliveryId>,
) -> ApiResult<Json<DeliveryDetail>> {
    Ok(Json(webhooks::get(&platform, &actor, id).await?))
}
