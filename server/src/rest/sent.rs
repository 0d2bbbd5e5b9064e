//! The answer to what is done by a mail: the same whether or not one was sent.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A mail is on its way, if there is anybody to send it to.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Sent {
    /// `confirmation_sent` or `reset_sent`.
    #[schema(value_type = String)]
    status: &'static str,
}

impl Sent {
    /// With a link by which an address is proved.
    pub const CONFIRMATION: Self = Self { status: "confirmation_sent" };
    /// With a link by which a password is set.
    pub const RESET: Self = Self { status: "reset_sent" };
}

impl IntoResponse for Sent {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self)).into_response()
    }
}
