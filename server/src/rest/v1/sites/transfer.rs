//! `POST /sites/{id}/transfer` with `{team_id}` → 200; 409 `under_way`.

use crate::{auth::Caller, json::ApiJson, path::Id, problem::ApiResult};
use axum::{Json, extract::State};
use model::{SiteId, views::SiteView};
use platform::{
    Platform,
    sites::{self, Transfer},
};
use std::sync::Arc;

/// Gives a site with all that belongs to it to another team.
///
/// The caller administers both. Its Git address has the other team's slug from now on, and API tokens for this site
/// alone are revoked.
#[utoipa::path(
    post, path = "", request_body = Transfer,
    responses(
        (status = 200, body = SiteView),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`same_team` `site_deleting` `under_way` `github_not_connected`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    Id(id): Id<SiteId>,
    ApiJson(to): ApiJson<Transfer>,
) -> ApiResult<Json<SiteView>> {
    Ok(Json(sites::transfer(&platform, &actor, id, to).await?))
}
