//! `PATCH /sites/{id}/domains/{domain_id}`: whether it is the primary one.

use crate::{auth::Caller, json::ApiJson, path::OfSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::{DomainId, views::DomainView};
use platform::{Platform, domains};
use std::sync::Arc;

/// Changes a domain.
#[utoipa::path(
    patch, path = "", security(("api_token" = ["sites:write"])), request_body = domains::Change,
    responses(
        (status = 200, body = DomainView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `environment_deleting` `domain_not_verified`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, id): OfSite<DomainId>,
    ApiJson(change): ApiJson<domains::Change>,
) -> ApiResult<Json<DomainView>> {
    Ok(Json(domains::change(&platform, &actor, site, id, change).await?))
}
