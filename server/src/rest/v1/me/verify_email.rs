//! `POST /me/email/verification`: another link by which the caller's address is proved.

use crate::{auth::Caller, problem::ApiResult, rest::sent::Sent, state::AppState};
use axum::extract::State;
use platform::accounts;

/// Has a link sent by which the caller's address is proved.
///
/// Nothing is sent where it is.
#[utoipa::path(post, path = "", responses((status = 202, body = Sent)))]
pub async fn handle(State(state): State<AppState>, Caller(actor): Caller) -> ApiResult<Sent> {
    accounts::send_verification(&state.platform, &actor).await?;
    Ok(Sent::CONFIRMATION)
}
