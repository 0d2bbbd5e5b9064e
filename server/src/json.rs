//! JSON bodies whose every mistake is told as a problem.

use crate::{body, problem::ApiProblem};
use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use model::Problem;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The longest body, in bytes.
const BODY_MAX: usize = 1024 * 1024;

/// A JSON body. 400 `bad_json` where it is not JSON, 413 where it is too long, 415 where it does not say that it is
/// JSON, 422 with the field where it is another shape.
#[derive(Debug, Clone)]
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiProblem> {
        if !says_json(&request) {
            return Err(Problem::new(415, "unsupported_media_type", "Send `Content-Type: application/json`.").into());
        }
        let body = body::read(request.into_body(), BODY_MAX).await?;
        parse(&body).map(Self).map_err(ApiProblem)
    }
}

/// A JSON body that may be left out, and the default in its place.
#[derive(Debug, Clone)]
pub struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiProblem> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        ApiJson::from_request(request, state).await.map(|ApiJson(value)| Self(value))
    }
}

/// RFC 6839: `application/json` and what ends in `+json`.
fn says_json(request: &Request) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        // `{}` in place of a variant counts as broken for serde_json, though it is JSON.
        let is_json = || serde_json::from_slice::<IgnoredAny>(body).is_ok();
        if error.inner().is_data() || is_json() { of_shape(error.inner(), &path) } else { of_json(error.inner()) }
    })?;
    reader.end().map_err(|error| of_json(&error))?;
    Ok(value)
}

fn of_shape(error: &serde_json::Error, path: &str) -> Problem {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let field = if path == "." { missing_field(words).unwrap_or("body") } else { path };
    Problem::invalid(field, "invalid", format!("{field}: {words}."))
}

fn of_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new(400, "bad_json", format!("The body is not JSON: see line {line}, column {column}."))
}

/// serde says ``missing field `name` `` without a path.
fn missing_field(words: &str) -> Option<&str> {
    words.strip_prefix("missing field `").and_then(|rest| rest.split('`').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Thing {
        #[expect(dead_code)]
        name: String,
        #[expect(dead_code)]
        size: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        #[expect(dead_code)]
        Round(u8),
    }

    #[test]
    fn an_empty_object_in_place_of_a_variant_is_another_shape() {
        let problem = parse::<std::collections::BTreeMap<String, Kind>>(b"{\"kind\": {}}").unwrap_err();
        assert_eq!((problem.status, problem.errors[0].field.as_str()), (422, "kind"));
    }

    #[test]
    fn broken_json_is_told_with_its_place() {
        let problem = parse::<Thing>(b"{\"name\": \"x\",\n oops").unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (400, "bad_json"));
        assert!(problem.detail.contains("line 2, column 2"), "{}", problem.detail);
        assert_eq!(parse::<Thing>(b"").unwrap_err().code, "bad_json");
        assert_eq!(parse::<Thing>(b"{\"name\":\"x\",\"size\":1} x").unwrap_err().code, "bad_json");
    }

    #[test]
    fn a_wrong_shape_is_told_with_its_field() {
        let problem = parse::<Thing>(b"{\"name\": \"x\", \"size\": \"big\"}").unwrap_err();
        assert_eq!((problem.status, problem.errors[0].field.as_str()), (422, "size"));
        let problem = parse::<Thing>(b"{\"name\": \"x\"}").unwrap_err();
        assert_eq!((problem.status, problem.errors[0].field.as_str()), (422, "size"));
    }
}
