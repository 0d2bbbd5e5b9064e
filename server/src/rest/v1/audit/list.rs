//! `GET /audit`: who did what, newest first; as a page of a list, or the whole of it as CSV or as lines of JSON.

use super::export::{self, Format};
use crate::{
    auth::Caller,
    page::{PageParams, PageQuery},
    problem::ApiResult,
};
use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use model::{
    Problem,
    views::{AuditFilter, AuditView, Page},
};
use platform::{
    Platform,
    audit::{self, Whose},
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Whose, and in which form.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Of {
    /// A team's; without it the caller's own doings, or the team's of its API token.
    pub team_id: Option<String>,
    /// Everybody's, for administrators of the platform.
    #[serde(default)]
    pub all: bool,
    /// `json`, `csv` or `jsonl`; without it as `Accept` says.
    pub format: Option<String>,
}

impl Of {
    /// Whose entries these are.
    ///
    /// # Errors
    /// 404 for what is no team's id; 422 for a team's and everybody's at once.
    pub fn whose(&self) -> Result<Whose, Problem> {
        match (&self.team_id, self.all) {
            (Some(_), true) => Err(Problem::invalid("all", "one_of", "Ask for a team's entries or for all, not both.")),
            (Some(id), false) => Ok(Whose::Team(id.parse().map_err(|_| Problem::not_found("team"))?)),
            (None, true) => Ok(Whose::Everybody),
            (None, false) => Ok(Whose::Own),
        }
    }

    /// The form of the answer; `None`: a page of the list.
    ///
    /// # Errors
    /// 422 for a form that there is not.
    pub fn format(&self, headers: &HeaderMap) -> Result<Option<Format>, Problem> {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match self.format.as_deref() {
            Some("json") => Ok(None),
            Some("csv") => Ok(Some(Format::Csv)),
            Some("jsonl") => Ok(Some(Format::Lines)),
            Some(_) => Err(Problem::invalid("format", "unknown", "There are json, csv and jsonl.")),
            None if accept.contains("text/csv") => Ok(Some(Format::Csv)),
            None if accept.contains("application/jsonl") || accept.contains("application/x-ndjson") => {
                Ok(Some(Format::Lines))
            }
            None => Ok(None),
        }
    }
}

/// Lists what was done, newest first, or writes all that the filters find into a file.
#[utoipa::path(
    get, path = "", security(("api_token" = ["audit:read"])), params(PageParams, Of, AuditFilter),
    responses(
        (status = 200, content((Page<AuditView> = "application/json"), (String = "text/csv"), (String = "application/jsonl"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`")
    )
)]
pub async fn handle(
    State(platform): State<Arc<Platform>>,
    Caller(actor): Caller,
    page: PageQuery,
    Query(of): Query<Of>,
    Query(filter): Query<AuditFilter>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let whose = of.whose()?;
    if let Some(format) = of.format(&headers)? {
        return export::file(platform, actor, whose, filter, format).await;
    }
    let page = audit::list(&platform, &actor, whose, filter, page.limit, page.cursor.as_deref()).await?;
    Ok(Json(page).into_response())
}
