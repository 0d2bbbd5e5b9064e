//! The service's own HTTP: health, and messages from programs that prefer it to SQL.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Message, database::DatabaseState, hub::Hub};

/// The largest message, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// What the handlers need.
#[derive(Clone)]
pub struct Context {
    /// Whom to tell.
    pub hub: Hub,
    /// How the database is doing.
    pub database: watch::Receiver<DatabaseState>,
}

/// `GET /health` and `POST /emit`.
pub fn routes(context: Context) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/emit", post(emit).layer(DefaultBodyLimit::max(MAX_BODY)))
        .with_state(context)
}

/// Sends new clients elsewhere once the service is stopping; those still connected may finish.
///
/// A client that came in after all were closed would be told that there is nothing to connect
/// to, and give up. A 503 makes it try again, and find the service's successor.
pub fn refuse_newcomers_when<S>(stopping: CancellationToken, router: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let stopping = stopping.is_cancelled();
        async move {
            let query = request.uri().query().unwrap_or_default();
            let newcomer = request.uri().path().starts_with("/socket.io")
                && !query.split('&').any(|pair| pair.starts_with("sid="));
            if stopping && newcomer { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { next.run(request).await }
        }
    }))
}

/// 200 once messages can flow, 503 while the database was never reached.
///
/// A database lost later is reported and not counted as ill: clients stay connected, and a
/// restart of this service would not bring the database back.
async fn health(State(context): State<Context>) -> Response {
    let database = *context.database.borrow();
    let (code, status) = match database {
        DatabaseState::Connecting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        _ => (StatusCode::OK, "ok"),
    };
    (code, Json(json!({"status": status, "database": database}))).into_response()
}

/// Tells the message in the body. 202, as nobody knows who will hear it.
async fn emit(
    State(context): State<Context>,
    headers: HeaderMap,
    message: Result<Json<Message>, JsonRejection>,
) -> Response {
    // The proxy routes only /socket.io here. Should that ever change, strangers still get nothing.
    if headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match message {
        Ok(Json(message)) => {
            context.hub.tell(message).await;
            (StatusCode::ACCEPTED, Json(json!({"ok": true}))).into_response()
        }
        Err(rejection) => {
            let code = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => "too_large",
                _ => "invalid_message",
            };
            tracing::warn!(error = rejection.body_text(), "a message was refused");
            let body = Json(json!({"error": code, "detail": rejection.body_text()}));
            (rejection.status(), body).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    async fn status(stopping: &CancellationToken, path: &str) -> StatusCode {
        let router = Router::new().fallback(|| async { "served" });
        let router = refuse_newcomers_when(stopping.clone(), router);
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn while_stopping_newcomers_are_sent_away_and_the_connected_served() {
        let stopping = CancellationToken::new();
        let newcomer = "/socket.io/?EIO=4&transport=polling";
        assert_eq!(status(&stopping, newcomer).await, StatusCode::OK);

        stopping.cancel();
        assert_eq!(status(&stopping, newcomer).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(&stopping, &format!("{newcomer}&sid=x")).await, StatusCode::OK);
        assert_eq!(status(&stopping, "/health").await, StatusCode::OK);
    }
}
