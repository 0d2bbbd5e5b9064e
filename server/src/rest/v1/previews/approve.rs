//! `POST /sites/{id}/previews/{number}/approve` with the commit that was looked at → 202; 409 `head_moved` if it is not
//! the newest any more.

use crate::{auth::Caller, json::ApiJson, path::OfSite, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::PreviewView;
use platform::{
    Platform,
    previews::{self, Approval},
};
use std::sync::Arc;

/// Lets a commit of a fork be built, and deploys it.
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, number): OfSite<i64>,
    ApiJson(approval): ApiJson<Approval>,
) -> ApiResult<(StatusCode, Json<PreviewView>)> {
    Ok((StatusCode::ACCEPTED, Json(previews::approve(&platform, &actor, site, number, approval).await?)))
}
