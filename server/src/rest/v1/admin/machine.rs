//! `GET /admin/machine`: disk, memory, processors, and whether what the platform stands on answers.

use crate::{auth::Caller, problem::ApiResult};
use axum::{Json, extract::State};
use model::views::MachineView;
use platform::{Platform, admin};
use std::sync::Arc;

/// Shows the machine, to administrators of the platform.
#[utoipa::path(
    get, path = "",
    responses(
        (status = 200, body = MachineView),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(State(platform): State<Arc<Platform>>, Caller(actor): Caller) -> ApiResult<Json<MachineView>> {
    Ok(Json(admin::machine(&platform, &actor).await?))
}
