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
use utoipa::IntoParams;

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    #[serde(default)]
    q: String,
}

/// Lists repositories.
#[utoipa::path(
    get, path = "", security(("api_token" = ["sites:write"])), params(("id" = i64, Path, description = "GitHub's number."), Wanted),
    responses(
        (status = 200, body = Page<GitHubRepositoryView>),
        (status = 409, description = "`no_github_app` `suspended` `github_refused`"),
        (status = 503, description = "`github_unavailable`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(installation): Id<i64>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Json<Page<GitHubRepositoryView>>> {
    let items = github::repositories(&platform, &actor, installation, &wanted.q).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
