//! `DELETE /me/sessions`: ends all of them but what asks.

use crate::{
    auth::{Caller, SignIn},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State};
use platform::accounts::sessions;
use serde::Serialize;
use utoipa::ToSchema;

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub struct Ended {
    /// How many there were.
    ended: u64,
}

/// Ends all sign-ins of the caller's account but the one that asks.
#[utoipa::path(delete, path = "", responses((status = 200, body = Ended)))]
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    SignIn(current): SignIn,
) -> ApiResult<Json<Ended>> {
    let ended = sessions::revoke_others(&state.platform, &actor, &current).await?;
    Ok(Json(Ended { ended }))
}
