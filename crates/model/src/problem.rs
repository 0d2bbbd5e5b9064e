//! The one error that leaves the platform: RFC 9457 `application/problem+json`, safe to show.

use crate::views::DeployKeyView;
use serde::{Deserialize, Serialize};

/// An error of one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field, in the words of the request.
    pub field: String,
    /// Stable, snake_case.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a caller is told when something could not be done (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{detail}")]
pub struct Problem {
    /// A URI reference for the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short, constant title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
    /// Stable, snake_case, for programs.
    pub code: String,
    /// With status 422: the fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With status 429: how many seconds to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// With a repository that is reached by SSH: the key that opens it, to be added at its forge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_key: Option<Box<DeployKeyView>>,
}

impl Problem {
    /// A problem with this status, code and sentence.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        let title = match status {
            400 => "Bad request",
            401 => "Not signed in",
            403 => "Not allowed",
            404 => "Not found",
            405 => "Method not allowed",
            408 => "Timed out",
            409 => "Conflict",
            413 => "Too large",
            415 => "Unsupported media type",
            422 => "Invalid input",
            429 => "Too many requests",
            503 => "Not available",
            _ => "Internal error",
        };
        Self {
            kind: format!("/problems/{code}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            errors: Vec::new(),
            retry_after: None,
            deploy_key: None,
        }
    }
    /// 404: it is not there, or the caller may not know that it is.
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("There is no such {what}."))
    }
    /// 401.
    pub fn unauthenticated() -> Self {
        Self::new(401, "unauthenticated", "Sign in first.")
    }
    /// 403: visible, but not to be done with this role.
    pub fn forbidden() -> Self {
        Self::new(403, "forbidden", "Your role in this team does not allow this.")
    }
    /// 409 with its code.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(409, code, detail)
    }
    /// 422 for one field.
    pub fn invalid(field: &str, code: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut problem = Self::new(422, "invalid_input", message.clone());
        problem.errors.push(FieldError { field: field.to_owned(), code: code.to_owned(), message });
        problem
    }
    /// 500; the cause belongs into the log, not here.
    pub fn internal() -> Self {
        Self::new(500, "internal", "Something went wrong on our side. It has been logged; try again in a moment.")
    }
    /// The message for one field, if it has one.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }
}
