//! `GET /sites`: the sites of the caller's teams, or with `?team_id=` of one of them, newest first.

use crate::{auth::Caller, page::PageQuery, problem::ApiResult};
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

/// Whose.
#[derive(Debug, Deserialize)]
pub struct Of {
    team_id: Option<TeamId>,
}

/// Lists sites.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Query(of): Query<Of>,
    page: PageQuery,
) -> ApiResult<Json<Page<SiteView>>> {
    Ok(Json(sites::list_of(&platform, &actor, of.team_id, page.limit, page.cursor.as_deref()).await?))
}
