//! `POST /invitations/{token}`: with a bearer token, accepted by its account → 200; without one, and with
//! `{name, password}`, by a new account of the invitation's address → 201 as at `POST /auth/register`; 403
//! `address_unproven` where mail is sent and this is not the mailed link.

use crate::{
    auth::{Caller, bearer},
    client::Visit,
    json::ApiJson,
    path::Id,
    problem::{ApiProblem, ApiResult},
    rest::v1::auth::{NO_STORE, register},
    state::AppState,
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use model::views::Accepted;
use platform::{
    invitations::{self, Joining},
    tokens,
};

/// Accepts an invitation.
///
/// With an access token, its account does, which has to be of the invitation's address, and no body is needed. Without
/// one, an account of that address is made and signed in.
#[utoipa::path(
    post, path = "", security(()), request_body = Option<Joining>,
    responses(
        (status = 200, body = Accepted),
        (status = 201, body = register::Body),
        (status = 401, description = "`invalid_token`"),
        (status = 403, description = "`other_address` `address_unproven` `token_not_allowed`"),
        (status = 409, description = "`invitation_accepted` `invitation_withdrawn` `invitation_expired` `email_taken`")
    )
)]
pub async fn handle(
    State(state): State<AppState>,
    visit: Visit,
    Id(token): Id<String>,
    request: Request,
) -> ApiResult<Response> {
    if bearer(request.headers()).is_some() {
        let (mut parts, _) = request.into_parts();
        let Caller(actor) = Caller::from_request_parts(&mut parts, &state).await?;
        let accepted = invitations::accept(&state.platform, &actor, &token).await?;
        return Ok(Json(accepted).into_response());
    }
    let ApiJson(new): ApiJson<Joining> = ApiJson::from_request(request, &state).await.map_err(|e: ApiProblem| e)?;
    let registered = invitations::join(&state.platform, &visit.stranger(), &token, &new).await?;
    let tokens = tokens::issue_to(&state.platform, registered.user.id, &visit.0).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(register::Body { registered, tokens })).into_response())
}
