//! `PATCH /sites/{id}`: another name for people, another remote repository, or another token for it.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::SiteView};
use platform::{
    Platform,
    sites::{self, Change},
};
use std::sync::Arc;

/// Changes a site.
#[utoipa::path(
    patch, path = "", security(("api_token" = ["sites:write"])), request_body = Change,
    responses(
        (status = 200, body = SiteView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`site_deleting` `repository_is_kept_here` `repository_changed` `no_pull_requests`"),
        (status = 422, description = "`deploy_key_needed`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    ApiJson(change): ApiJson<Change>,
) -> ApiResult<Json<SiteView>> {
    Ok(Json(sites::change(&platform, &actor, id, change).await?))
}
