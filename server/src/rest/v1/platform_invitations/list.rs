//! `GET /admin/invitations`: the last hundred, newest first.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{InvitationView, Page};
use platform::{
    Platform,
    invitations::{self, Place},
};
use std::sync::Arc;

/// Lists the last hundred invitations to the platform, newest first.
#[utoipa::path(
    get, path = "",
    responses(
        (status = 200, body = Page<InvitationView>),
        (status = 403, description = "`forbidden`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
) -> ApiResult<Json<Page<InvitationView>>> {
    let items = invitations::list(&platform, &actor, Place::Platform).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
