//! Ids in paths: what is no id is not there.

use crate::problem::ApiProblem;
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use model::{Problem, SiteId, TeamId};
use std::str::FromStr;

/// The `{id}`, or the one other thing, of a path; 404 where it is none.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        text.parse().map(Self).map_err(|_| nothing().into())
    }
}

/// The `{id}` of a site and the `{name}` of one of its environments; 404 where there is no such id.
#[derive(Debug, Clone)]
pub struct InSite(pub SiteId, pub String);

impl<S: Send + Sync> FromRequestParts<S> for InSite {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Path((site, name)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        Ok(Self(site.parse().map_err(|_| nothing())?, name))
    }
}

/// The `{id}` of a site and what else is named in it by a number; 404 where one is none.
#[derive(Debug, Clone, Copy)]
pub struct OfSite<T>(pub SiteId, pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for OfSite<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let InSite(site, number) = InSite::from_request_parts(parts, state).await?;
        Ok(Self(site, number.parse().map_err(|_| nothing())?))
    }
}

/// The `{id}` of a team and another id that is named in it; 404 where one is none.
#[derive(Debug, Clone, Copy)]
pub struct InTeam<T>(pub TeamId, pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for InTeam<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Path((team, id)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        Ok(Self(team.parse().map_err(|_| nothing())?, id.parse().map_err(|_| nothing())?))
    }
}

fn nothing() -> Problem {
    Problem::new(404, "not_found", "There is nothing here.")
}
