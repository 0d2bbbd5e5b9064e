//! `GET /sites`: the sites of the caller's teams, or with `?team_id=` of one of them, newest first.

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
    TeamId,
    views::{Page, SiteView},
};
use platform::{Platform, sites};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Of {
    /// Of this team alone.
    team_id: Option<TeamId>,
}

/// Lists sites.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:read"])), params(PageParams, Of),
    responses(
        (status = 200, body = Page<SiteView>),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Query(of): Query<Of>,
    page: PageQuery,
) -> ApiResult<Json<Page<SiteView>>> {
    Ok(Json(sites::list_of(&platform, &actor, of.team_id, page.limit, page.cursor.as_deref()).await?))
}
