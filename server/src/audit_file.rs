//! `GET /audit/export`: the audit as a file, for those who are signed in to the dashboard.

use crate::{
    log_file,
    problem::ApiResult,
    rest::v1::audit::{
        export::{self, Format},
        list::Of,
    },
    state::AppState,
};
use axum::{
    Router,
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use model::views::AuditFilter;
use platform::Platform;
use std::sync::Arc;
use tower_sessions::Session;

/// The one route; it needs sessions around it.
pub fn routes() -> Router<AppState> {
    Router::new().route("/audit/export", get(handle))
}

async fn handle(
    State(platform): State<Arc<Platform>>,
    session: Session,
    Query(of): Query<Of>,
    Query(filter): Query<AuditFilter>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let actor = log_file::signed_in(&platform, &session).await?;
    let format = of.format(&headers)?.unwrap_or(Format::Csv);
    export::file(platform, actor, of.whose()?, filter, format).await
}
