//! `GET /deliveries?site_id=`, newest first.

use crate::{
    auth::Caller,
    page::{PageParams, PageQuery},
    problem::ApiResult,
};
use axum::{
    Json,
    extract::{Query, State},
};
use model::{
    Problem,
    views::{DeliveryView, Page},
};
use platform::{Platform, webhooks};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Of {
    site_id: Option<String>,
}

/// Lists a site's deliveries.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])), params(PageParams, Of),
    responses(
        (status = 200, body = Page<DeliveryView>)
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    page: PageQuery,
    Query(of): Query<Of>,
) -> ApiResult<Json<Page<DeliveryView>>> {
    let site =
        of.site_id.ok_or_else(|| Problem::invalid("site_id", "required", "Say whose: site_id is a site's id."))?;
    let site = site.parse().map_err(|_| Problem::not_found("site"))?;
    Ok(Json(webhooks::list(&platform, &actor, site, page.limit, page.cursor.as_deref()).await?))
}
