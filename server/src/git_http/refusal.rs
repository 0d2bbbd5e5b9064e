//! Refusals in plain text, which is what git shows to the person at the terminal.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use forge::git::FetchError;
use model::Problem;

/// Why a request to a Git address is not answered.
#[derive(Debug)]
pub enum Refusal {
    /// Credentials are missing or wrong; git asks for them.
    SignIn,
    /// Anything else.
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        if problem.status == 401 { Self::SignIn } else { Self::Problem(problem) }
    }
}

impl From<platform::Error> for Refusal {
    fn from(error: platform::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<FetchError> for Refusal {
    fn from(error: FetchError) -> Self {
        tracing::error!(%error, "git did not start");
        Self::Problem(Problem::internal())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn => {
                let text = "Sign in with your e-mail address and your password, or an access token in its place.\n";
                let mut response = (StatusCode::UNAUTHORIZED, text).into_response();
                // RFC 7617, section 2.
                let challenge = HeaderValue::from_static("Basic realm=\"WebMeteor\", charset=\"UTF-8\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Self::Problem(problem) => {
                let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = (status, format!("{}\n", problem.detail)).into_response();
                if let Some(seconds) = problem.retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                }
                response
            }
        }
    }
}
