//! What the page asks of the server about quotas.

use crate::failure::Failure;
use leptos::prelude::*;
use model::views::TeamQuotasView;

/// What a team may use, and what it uses; the team is named by its id or its short name.
#[server(prefix = "/_fn", endpoint = "quotas")]
pub async fn get_quotas(team: String) -> Result<TeamQuotasView, Failure> {
    use crate::context;
    use model::Problem;
    let (platform, actor) = context::signed_in().await?;
    let id = if let Ok(id) = team.parse() {
        id
    } else {
        let own = platform::accounts::teams(&platform, &actor).await.map_err(context::failed)?;
        let named = own.into_iter().find(|it| it.slug == team);
        named.ok_or_else(|| context::refuse(Problem::not_found("team")))?.id
    };
    platform::quotas::get(&platform, &actor, id).await.map_err(context::failed)
}
