//! `POST /sites/{id}/domains` → 201; it leads nowhere before it is verified.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{SiteId, views::DomainView};
use platform::{Platform, domains};
use std::sync::Arc;

/// Adds a domain.
#[utoipa::path(
    post, path = "", security(("api_token" = ["sites:write"])), request_body = domains::NewDomain,
    responses(
        (status = 201, body = DomainView),
        (status = 403, description = "`forbidden`"),
        (
            status = 409,
            description = "`site_deleting` `environment_deleting` `environment_is_preview` `domain_exists` `too_many_domains`"
        )
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
    ApiJson(new): ApiJson<domains::NewDomain>,
) -> ApiResult<(StatusCode, Json<DomainView>)> {
    Ok((StatusCode::CREATED, Json(domains::create(&platform, &actor, site, new).await?)))
}
