//! `GET /github/installations/{id}/repositories?q=`: the first repositories whose names hold `q`.

use crate::{auth::Caller, path::Id, problem::ApiResult};
use axum::{
    Json,
    extract::{Query, State},
};
use model::views::{GitHubRepositoryView, Page};
use platform::{Platform, github};
use serde::Deserialize;
use std::sync::Arc;

/// Which.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    q: String,
}

/// Lists repositories.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(installation): Id<i64>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Json<Page<GitHubRepositoryView>>> {
    let items = github::repositories(&platform, &actor, installation, &wanted.q).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
