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
#[utoipa::path(
    post, path = "", security(("api_token" = ["deploy"])), request_body = Approval,
    responses(
        (status = 202, body = PreviewView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `previews_off` `pull_request_closed` `no_approval_needed` `no_preview` `already_approved` `head_moved`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, number): OfSite<i64>,
    ApiJson(approval): ApiJson<Approval>,
) -> ApiResult<(StatusCode, Json<PreviewView>)> {
    Ok((StatusCode::ACCEPTED, Json(previews::approve(&platform, &actor, site, number, approval).await?)))
}
