//! `DELETE /sites/{id}/domains/{domain_id}` → 204: it leads there no longer.

use crate::{auth::Caller, path::OfSite, problem::ApiResult};
use axum::{extract::State, http::StatusCode};
use model::DomainId;
use platform::{Platform, domains};
use std::sync::Arc;

/// Removes a domain.
#[utoipa::path(
    delete, path = "", security(("api_token" = ["sites:write"])),
    responses(
        (status = 204),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, id): OfSite<DomainId>,
) -> ApiResult<StatusCode> {
    domains::delete(&platform, &actor, site, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
