//! `POST /sites/{id}/domains` → 201; it leads nowhere before it is verified.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::{SiteId, views::DomainView};
use platform::{Platform, domains};
use std::sync::Arc;

/// Adds a domain.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(site): Id<SiteId>,
    ApiJson(new): ApiJson<domains::NewDomain>,
) -> ApiResult<(StatusCode, Json<DomainView>)> {
    Ok((StatusCode::CREATED, Json(domains::create(&platform, &actor, site, new).await?)))
}
