//! `POST /deliveries/{id}/replay` → 202 with what a webhook is answered: decided anew, by today's environments.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::DeliveryId;
use platform::{
    Platform,
    webhooks::{self, Received},
};
use std::sync::Arc;

/// Replays a delivery.
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])),
    responses(
        (status = 202, body = Received),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `not_replayable`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<DeliveryId>,
) -> ApiResult<(StatusCode, Json<Received>)> {
    Ok((StatusCode::ACCEPTED, Json(webhooks::replay(&platform, &actor, id).await?)))
}
