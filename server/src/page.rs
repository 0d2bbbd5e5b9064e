//! The query of every list: `limit` and `cursor`.

use crate::problem::ApiProblem;
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use model::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

/// How many rows a list answers without a `limit`.
const DEFAULT_LIMIT: i64 = 50;
/// How many rows a list answers at most.
const MAX_LIMIT: i64 = 100;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// 1 to 100 rows.
    pub limit: i64,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// The query as it comes, and as it is documented.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many rows; 50 without it.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Query(raw) = Query::<PageParams>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(400, "bad_request", "The query cannot be read."))?;
        let limit = match raw.limit {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=MAX_LIMIT).contains(n))
                .ok_or_else(|| Problem::invalid("limit", "out_of_range", "limit is a number from 1 to 100."))?,
        };
        Ok(Self { limit, cursor: raw.cursor.filter(|c| !c.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    async fn query(text: &str) -> Result<PageQuery, u16> {
        let (mut parts, ()) = Request::get(format!("/x{text}")).body(()).unwrap().into_parts();
        PageQuery::from_request_parts(&mut parts, &()).await.map_err(|p| p.0.status)
    }

    #[tokio::test]
    async fn a_page_has_one_to_a_hundred_rows() {
        assert_eq!(query("").await, Ok(PageQuery { limit: 50, cursor: None }));
        assert_eq!(query("?limit=100&cursor=c").await, Ok(PageQuery { limit: 100, cursor: Some("c".into()) }));
        for bad in ["?limit=0", "?limit=101", "?limit=x", "?limit=-1"] {
            assert_eq!(query(bad).await, Err(422), "{bad}");
        }
    }
}
