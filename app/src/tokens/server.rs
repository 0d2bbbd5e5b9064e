//! What the page asks of the server about API tokens.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    SiteId, TokenId,
    views::{NewTokenView, TeamView, TokenView},
};
use serde::{Deserialize, Serialize};

/// In the session: a token that was just made, sealed, until the page has shown it.
#[cfg(feature = "ssr")]
const FRESH: &str = "fresh_token";

/// All that the page shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// The visitor's tokens, newest first.
    pub items: Vec<TokenView>,
    /// Made a moment ago by a form without JavaScript, and shown this once.
    pub fresh: Option<String>,
    /// Teams that a token can be for, all of their sites.
    pub teams: Vec<TeamView>,
    /// Sites that a token can be for.
    pub sites: Vec<(SiteId, String)>,
    /// The visitor may make tokens that read metrics.
    pub is_admin: bool,
}

/// The visitor's tokens.
#[server(prefix = "/_fn", endpoint = "tokens")]
pub async fn list_tokens() -> Result<Tokens, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let items = platform::api_tokens::list(&platform, &actor).await.map_err(context::failed)?;
    let sites = platform::sites::list(&platform, &actor, 100, None).await.map_err(context::failed)?;
    let teams = platform::teams::list(&platform, &actor).await.map_err(context::failed)?;
    let fresh: Option<String> = context::take_from_session(FRESH).await?;
    Ok(Tokens {
        items,
        fresh: fresh.and_then(|sealed| platform::api_tokens::unwrap(&platform, &sealed)),
        teams,
        sites: sites.items.into_iter().map(|site| (site.id, site.name)).collect(),
        is_admin: actor.is_admin,
    })
}

/// Makes a token. `site` is a site's id, `team:` and a team's id for all of its sites, or empty for those of the first team;
/// `days` is empty for one that never ends.
#[server(prefix = "/_fn", endpoint = "create_token")]
pub async fn create_token(
    name: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] site: String,
    #[server(default)] days: String,
) -> Result<NewTokenView, Failure> {
    use crate::{context, failure::Keep};
    use time::{Duration, OffsetDateTime};
    let (platform, actor) = context::signed_in().await?;
    let invalid = |field: &str, message: &str| context::refuse(model::Problem::invalid(field, "invalid", message));
    let unknown = |_| invalid("site", "Choose one of your teams or sites.");
    let (team_id, site_id) = match (site.as_str(), site.strip_prefix("team:")) {
        ("", _) => (None, None),
        (_, Some(team)) => (Some(team.parse().map_err(unknown)?), None),
        (id, None) => (None, Some(id.parse().map_err(unknown)?)),
    };
    let expires_at = match days.as_str() {
        "" => None,
        days => {
            let days: u16 = days.parse().map_err(|_| invalid("days", "Choose for how long."))?;
            Some(OffsetDateTime::now_utc() + Duration::days(days.into()))
        }
    };
    let new = platform::api_tokens::NewToken { name: name.clone(), scopes, team_id, site_id, expires_at };
    let made = platform::api_tokens::create(&platform, &actor, new).await.map_err(context::failed);
    let made = made.keep(&[("name", &name)])?;
    if !context::called_by_program() {
        // A form without JavaScript is answered with the page, which shows it.
        let sealed = platform::api_tokens::wrap(&platform, &made.token).map_err(context::failed)?;
        context::put_into_session(FRESH, sealed).await?;
        context::send_on(super::ADDRESS);
    }
    Ok(made)
}

/// Removes a token.
#[server(prefix = "/_fn", endpoint = "delete_token")]
pub async fn delete_token(id: TokenId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::api_tokens::delete(&platform, &actor, id).await.map_err(context::failed)?;
    context::send_on(super::ADDRESS);
    Ok(())
}
