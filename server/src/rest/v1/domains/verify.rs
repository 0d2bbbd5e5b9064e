//! `POST /sites/{id}/domains/{domain_id}/verify`: looks for its record now; how it stands then.

use crate::{auth::Caller, path::OfSite, problem::ApiResult};
use axum::{Json, extract::State};
use model::{DomainId, views::DomainView};
use platform::{Platform, domains};
use std::sync::Arc;

/// Looks for the record that proves a domain.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, id): OfSite<DomainId>,
) -> ApiResult<Json<DomainView>> {
    Ok(Json(domains::verify(&platform, &actor, site, id).await?))
}
