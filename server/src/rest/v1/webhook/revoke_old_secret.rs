//! `DELETE /sites/{id}/webhook/old-secret` → 204: the secret that was replaced stops working now.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::SiteId;
use platform::{Platform, webhooks};
use std::sync::Arc;

/// Revokes the old secret.
#[utoipa::path(
    delete, path = "", security(("api_token" = ["sites:write"])),
    responses(
        (status = 204),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
) -> ApiResult<StatusCode> {
    webhooks::revoke_old_secret(&platform, &actor, site).await?;
    Ok(StatusCode::NO_CONTENT)
}
