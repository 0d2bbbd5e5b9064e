//! `POST /sites/{id}/domains/{domain_id}/verify`: looks for its record now; how it stands then.

use crate::{auth::Caller, path::OfSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::{DomainId, views::DomainView};
use platform::{Platform, domains};
use std::sync::Arc;

/// Looks for the record that proves a domain.
#[utoipa::path(
    post, path = "", security(("api_token" = ["sites:write"])),
    responses(
        (status = 200, body = DomainView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, id): OfSite<DomainId>,
) -> ApiResult<Json<DomainView>> {
    Ok(Json(domains::verify(&platform, &actor, site, id).await?))
}
