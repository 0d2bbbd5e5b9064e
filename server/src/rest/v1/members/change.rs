//! `PATCH /teams/{id}/members/{user_id}` with `{role}` → 200; 403, also `own_role`; 409 `last_owner`.

use crate::{auth::Caller, json::ApiJson, path::InTeam, problem::ApiResult};
use axum::{Json, extract::State};
use model::{UserId, views::MemberView};
use platform::{
    Platform,
    members::{self, Change},
};
use std::sync::Arc;

/// Gives a member another role.
#[utoipa::path(
    patch, path = "", request_body = Change,
    responses(
        (status = 200, body = MemberView),
        (status = 403, description = "`forbidden` `own_role`"),
        (status = 409, description = "`last_owner`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    InTeam(team, user): InTeam<UserId>,
    ApiJson(change): ApiJson<Change>,
) -> ApiResult<Json<MemberView>> {
    Ok(Json(members::change(&platform, &actor, team, user, change).await?))
}
