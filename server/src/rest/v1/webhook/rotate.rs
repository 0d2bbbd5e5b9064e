//! `POST /sites/{id}/webhook/rotate` with the new secret, shown this once. The old one works on for a while, unless
//! `revoke_old` says otherwise.

use crate::{auth::Caller, json::MaybeJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::WebhookView};
use platform::{
    Platform,
    webhooks::{self, Rotation},
};
use std::sync::Arc;

/// Replaces the secret.
#[utoipa::path(
    post, path = "", security(("api_token" = ["sites:write"])), request_body = Option<Rotation>,
    responses(
        (status = 200, body = WebhookView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
    MaybeJson(how): MaybeJson<Rotation>,
) -> ApiResult<Json<WebhookView>> {
    Ok(Json(webhooks::rotate_secret(&platform, &actor, site, how).await?))
}
