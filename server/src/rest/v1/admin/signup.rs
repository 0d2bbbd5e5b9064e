//! `PUT /admin/signup` with `{"mode": "open" | "invite" | null}`: who may register; `null` is what the setting says.

use crate::{auth::Caller, json::ApiJson, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::{SignupMode, SignupView};
use platform::{Platform, admin};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Who may register.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SignupWanted)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    mode: Option<SignupMode>,
}

/// Says who may register, for administrators of the platform.
#[utoipa::path(
    put, path = "", request_body = Wanted,
    responses(
        (status = 200, body = SignupView),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    ApiJson(wanted): ApiJson<Wanted>,
) -> ApiResult<Json<SignupView>> {
    Ok(Json(admin::set_signup(&platform, &actor, wanted.mode).await?))
}
