//! What a server function answers when it did not do what was asked: the platform's problem, and the harmless part of
//! what was typed, so that a form without JavaScript comes back filled in.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use model::Problem;
use serde::{Deserialize, Serialize};

/// Why a server function refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    /// What is told.
    pub problem: Problem,
    /// Fields of the form and what was typed in them; never a password or a token.
    #[serde(default)]
    pub kept: Vec<(String, String)>,
}

impl Failure {
    /// The message for one field, if it has one.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.problem.field(name)
    }
    /// The message that belongs to none of these fields.
    pub fn beside(&self, fields: &[&str]) -> Option<&str> {
        let errors = &self.problem.errors;
        match errors.iter().find(|e| !fields.contains(&e.field.as_str())) {
            Some(error) => Some(&error.message),
            None if errors.is_empty() => Some(&self.problem.detail),
            None => None,
        }
    }
    /// What was typed in a field.
    pub fn kept(&self, name: &str) -> Option<&str> {
        self.kept.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
    /// The caller has to sign in first.
    pub fn is_unauthenticated(&self) -> bool {
        self.problem.status == 401
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, kept: Vec::new() }
    }
}

#[cfg(feature = "ssr")]
impl From<platform::Error> for Failure {
    fn from(error: platform::Error) -> Self {
        Problem::from(error).into()
    }
}

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let problem = match error {
            ServerFnErrorErr::Request(_) => Problem::new(
                503,
                "unreachable",
                "WebMeteor did not answer. Check your connection, then try again; your sites are not affected.",
            ),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Serialization(_) => {
                Problem::new(400, "unreadable", "The form could not be read. Reload the page, then try again.")
            }
            ServerFnErrorErr::Deserialization(_) => Problem::new(
                502,
                "unreadable_answer",
                "The answer could not be read; WebMeteor may have been updated. Reload the page, then try again.",
            ),
            _ => Problem::internal(),
        };
        problem.into()
    }
}

/// Adds what was typed to a failure.
pub trait Keep<T> {
    /// Keeps these fields, by their name in the form.
    ///
    /// # Errors
    /// The same failure, with the fields.
    fn keep(self, fields: &[(&str, &str)]) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Keep<T> for Result<T, E> {
    fn keep(self, fields: &[(&str, &str)]) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut failure = error.into();
            failure.kept.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            failure
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_the_way_to_the_browser() {
        let failure = Err::<(), _>(Problem::invalid("email", "email", "Not an address."))
            .keep(&[("email", "me@"), ("name", "Me & \"you\"")])
            .unwrap_err();
        let back = Failure::de(failure.ser());
        assert_eq!(back, failure);
        assert_eq!(back.field("email"), Some("Not an address."));
        assert_eq!(back.kept("name"), Some("Me & \"you\""));
    }

    #[test]
    fn a_message_is_shown_once_beside_its_field_or_above_the_form() {
        let of_field = Failure::from(Problem::invalid("email", "email", "Not an address."));
        assert_eq!(of_field.beside(&["email"]), None);
        assert_eq!(of_field.beside(&["name"]), Some("Not an address."));
        let of_form = Failure::from(Problem::new(401, "bad_credentials", "Wrong."));
        assert_eq!(of_form.beside(&["email"]), Some("Wrong."));
    }

    #[test]
    fn what_cannot_be_read_becomes_a_sentence_not_a_panic() {
        let back = Failure::de(Vec::from(*b"<html>").into());
        assert_eq!(back.problem.code, "unreadable_answer");
    }
}
