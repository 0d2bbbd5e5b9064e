//! `POST /deploy-keys` with `{url, team_id?}`: the public half of the key for a repository that the team has no site for
//! yet. It is the same one until a site uses it, or a day has passed.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::DeployKeyView;
use platform::{
    Platform,
    deploy_keys::{self, NewKey},
};
use std::sync::Arc;

/// Makes a key, or answers the one that waits.
#[utoipa::path(
    post, path = "", security(("api_token" = ["sites:write"])), request_body = NewKey,
    responses(
        (status = 200, body = DeployKeyView),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 429, description = "`too_many_deploy_keys`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(new): ApiJson<NewKey>,
) -> ApiResult<Json<DeployKeyView>> {
    Ok(Json(deploy_keys::create(&platform, &actor, new).await?))
}
