//! `DELETE /sites/{id}/previews/{number}` → 202: a worker removes everything; the next push makes it anew.

use crate::{auth::Caller, path::OfSite, problem::ApiResult};
use axum::{Json, extract::State, http::StatusCode};
use model::views::PreviewView;
use platform::{Platform, previews};
use std::sync::Arc;

/// Removes a preview.
#[utoipa::path(
    delete, path = "", security(("api_token" = ["deploy"])),
    responses(
        (status = 202, body = PreviewView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `no_preview`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    OfSite(site, number): OfSite<i64>,
) -> ApiResult<(StatusCode, Json<PreviewView>)> {
    Ok((StatusCode::ACCEPTED, Json(previews::remove(&platform, &actor, site, number).await?)))
}
