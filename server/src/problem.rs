//! The one error of the HTTP side: RFC 9457 `application/problem+json`.

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::Problem;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A problem as an HTTP response; `?` turns every error of a use case into one.
#[derive(Debug, Clone)]
pub struct ApiProblem(pub Problem);

/// What a handler answers.
pub type ApiResult<T> = Result<T, ApiProblem>;

impl From<Problem> for ApiProblem {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<platform::Error> for ApiProblem {
    fn from(error: platform::Error) -> Self {
        Self(error.into())
    }
}

impl From<sqlx::Error> for ApiProblem {
    fn from(error: sqlx::Error) -> Self {
        platform::Error::from(error).into()
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        // RFC 9110, section 10.2.3: seconds.
        let wait = self.0.retry_after.map_or(HeaderValue::from_static("60"), HeaderValue::from);
        match status {
            // RFC 9110, section 11.6.1.
            StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::TOO_MANY_REQUESTS => headers.insert(header::RETRY_AFTER, wait),
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5")),
            _ => None,
        };
        response.extensions_mut().insert(self);
        response
    }
}

/// Nothing answers at this path.
pub async fn not_found() -> ApiProblem {
    ApiProblem(Problem::new(404, "not_found", "Nothing answers at this address; see /api/v1."))
}

/// The path is right and the method is not.
pub async fn method_not_allowed() -> ApiProblem {
    of_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The answer to a panic in a handler; the panic itself stands in the log.
#[expect(clippy::needless_pass_by_value, reason = "what the layer calls it with")]
pub fn of_panic(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = words, "a handler panicked");
    ApiProblem(Problem::internal()).into_response()
}

/// Gives errors that came from the framework (a path that does not parse, a body that is too long) the same form as
/// all others.
pub async fn normalise(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(header::CONTENT_TYPE) == Some(&PROBLEM_JSON) {
        return response;
    }
    told_otherwise(&response, of_status(status).into_response())
}

/// An answer in the place of another one, of which it keeps what clients read beside the body.
pub fn told_otherwise(before: &Response, mut now: Response) -> Response {
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = before.headers().get(&name) {
            now.headers_mut().insert(name, value.clone());
        }
    }
    now
}

/// The problem of an answer that no handler gave but a layer around them, which knows no more than its status. What a
/// handler says itself stands: a page, a server function's failure.
pub fn of_layer(response: &Response) -> Option<Problem> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    if let Some(ApiProblem(problem)) = response.extensions().get() {
        return Some(problem.clone());
    }
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    (kind.is_empty() || kind.starts_with(b"text/plain")).then(|| of_status(status).0)
}

fn of_status(status: StatusCode) -> ApiProblem {
    let (code, detail) = match status {
        StatusCode::BAD_REQUEST => ("bad_request", "The request cannot be read; check its path and query."),
        StatusCode::UNAUTHORIZED => return ApiProblem(Problem::unauthenticated()),
        StatusCode::FORBIDDEN => return ApiProblem(Problem::forbidden()),
        StatusCode::NOT_FOUND => ("not_found", "There is nothing here."),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "This address answers other methods; see `Allow`."),
        StatusCode::REQUEST_TIMEOUT => ("timeout", "The request took too long; try again."),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The body is longer than this address takes."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "Send `Content-Type: application/json`."),
        StatusCode::TOO_MANY_REQUESTS => ("too_many_requests", "Too many requests; wait a little."),
        StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "Not available now; try again in a moment."),
        _ if status.is_client_error() => ("bad_request", "The request cannot be answered."),
        _ => return ApiProblem(Problem { status: status.as_u16(), ..Problem::internal() }),
    };
    ApiProblem(Problem::new(status.as_u16(), code, detail))
}
