//! `DELETE /me/sessions`: ends all of them but what asks.

use crate::{
    auth::{Caller, SignIn},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State};
use platform::accounts::sessions;
use serde_json::{Value, json};

/// 200 with how many there were.
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    SignIn(current): SignIn,
) -> ApiResult<Json<Value>> {
    let count = sessions::revoke_others(&state.platform, &actor, &current).await?;
    Ok(Json(json!({"ended": count})))
}
