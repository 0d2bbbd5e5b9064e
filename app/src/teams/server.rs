//! What the pages ask of the server about teams and their members.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    Role, TeamId, UserId,
    views::{MemberView, TeamDetail, TeamQuotasView, TeamView},
};

/// The visitor's teams, the oldest membership first.
#[server(prefix = "/_fn", endpoint = "teams")]
pub async fn list_teams() -> Result<Vec<TeamView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::teams::list(&platform, &actor).await.map_err(context::failed)
}

/// One team of the visitor, by its slug or its id.
#[server(prefix = "/_fn", endpoint = "team")]
pub async fn get_team(team: String) -> Result<TeamDetail, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::teams::find(&platform, &actor, &team).await.map_err(context::failed)
}

/// One team of the visitor with its members.
#[server(prefix = "/_fn", endpoint = "members")]
pub async fn list_members(team: String) -> Result<(TeamDetail, Vec<MemberView>), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let team = platform::teams::find(&platform, &actor, &team).await.map_err(context::failed)?;
    let members = platform::members::list(&platform, &actor, team.team.id).await.map_err(context::failed)?;
    Ok((team, members))
}

/// One team of the visitor with what it may use, and what it uses.
#[server(prefix = "/_fn", endpoint = "quotas")]
pub async fn get_quotas(team: String) -> Result<(TeamDetail, TeamQuotasView), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let team = platform::teams::find(&platform, &actor, &team).await.map_err(context::failed)?;
    let quotas = platform::quotas::get(&platform, &actor, team.team.id).await.map_err(context::failed)?;
    Ok((team, quotas))
}

/// Makes a team, and goes to its page.
#[server(prefix = "/_fn", endpoint = "create_team")]
pub async fn create_team(name: String) -> Result<(), Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let new = platform::teams::Naming { name: name.clone() };
    let made =
        platform::teams::create(&platform, &actor, &new).await.map_err(context::failed).keep(&[("name", &name)])?;
    leptos_axum::redirect(&format!("/teams/{}", made.team.slug));
    Ok(())
}

/// Gives a team another name for people.
#[server(prefix = "/_fn", endpoint = "rename_team")]
pub async fn rename_team(team: TeamId, name: String) -> Result<TeamDetail, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let new = platform::teams::Naming { name: name.clone() };
    platform::teams::rename(&platform, &actor, team, &new).await.map_err(context::failed).keep(&[("name", &name)])
}

/// Deletes a team when its short name was typed as it is.
#[server(prefix = "/_fn", endpoint = "delete_team")]
pub async fn delete_team(team: TeamId, confirm: String) -> Result<(), Failure> {
    use crate::context;
    use model::Problem;
    let (platform, actor) = context::signed_in().await?;
    let found = platform::teams::get(&platform, &actor, team).await.map_err(context::failed)?;
    if confirm.trim() != found.team.slug {
        let message = format!("This is not the team's short name. Type {} to delete it.", found.team.slug);
        return Err(context::refuse(Problem::invalid("confirm", "mismatch", message)));
    }
    platform::teams::delete(&platform, &actor, team).await.map_err(context::failed)?;
    leptos_axum::redirect("/teams");
    Ok(())
}

/// Gives a member another role.
#[server(prefix = "/_fn", endpoint = "change_member")]
pub async fn change_member(team: TeamId, user: UserId, role: Role) -> Result<MemberView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let change = platform::members::Change { role };
    platform::members::change(&platform, &actor, team, user, change).await.map_err(context::failed)
}

/// Removes a member; who removes itself leaves, and goes to the list of teams.
#[server(prefix = "/_fn", endpoint = "remove_member")]
pub async fn remove_member(team: TeamId, user: UserId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::members::remove(&platform, &actor, team, user).await.map_err(context::failed)?;
    if actor.user == Some(user) {
        leptos_axum::redirect("/teams");
    }
    Ok(())
}
