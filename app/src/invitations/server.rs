//! What the pages ask of the server about invitations. The `team` is a slug or an id, and empty for the platform alone.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    InvitationId, Role,
    views::{InvitationLook, InvitationView, NewInvitationView, TeamDetail},
};
use serde::{Deserialize, Serialize};

/// In the session: the link of an invitation that was just made, sealed, until the page has shown it.
#[cfg(feature = "ssr")]
const FRESH: &str = "fresh_invitation";

/// All that a page of invitations shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct List {
    /// The team; `None`: the platform's.
    pub team: Option<TeamDetail>,
    /// The last hundred, newest first.
    pub items: Vec<InvitationView>,
    /// The link of one that was made a moment ago by a form without JavaScript, shown this once.
    pub fresh: Option<String>,
}

#[cfg(feature = "ssr")]
async fn place(
    platform: &platform::Platform,
    actor: &model::Actor,
    team: &str,
) -> Result<(Option<TeamDetail>, platform::invitations::Place), Failure> {
    use platform::invitations::Place;
    if team.is_empty() {
        return Ok((None, Place::Platform));
    }
    let team = platform::teams::find(platform, actor, team).await.map_err(crate::context::failed)?;
    let id = team.team.id;
    Ok((Some(team), Place::Team(id)))
}

/// Where the page of these stands.
#[cfg(feature = "ssr")]
fn address(team: Option<&TeamDetail>) -> String {
    team.map_or("/admin/invitations".to_owned(), |team| format!("/teams/{}/invitations", team.team.slug))
}

/// The invitations into a team, or to the platform.
#[server(prefix = "/_fn", endpoint = "invitations")]
pub async fn list_invitations(#[server(default)] team: String) -> Result<List, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let (team, place) = place(&platform, &actor, &team).await?;
    let items = platform::invitations::list(&platform, &actor, place).await.map_err(context::failed)?;
    let fresh = context::take_from_session(FRESH).await?;
    Ok(List { team, items, fresh: fresh.and_then(|sealed| platform::api_tokens::unwrap(&platform, &sealed)) })
}

/// Invites somebody.
#[server(prefix = "/_fn", endpoint = "invite")]
pub async fn invite(
    #[server(default)] team: String,
    email: String,
    #[server(default)] role: Option<Role>,
) -> Result<NewInvitationView, Failure> {
    use crate::{context, failure::Keep};
    use platform::invitations::{NewInvitation, NewPlatformInvitation, create, create_for_platform};
    let (platform, actor) = context::signed_in().await?;
    let (team, _) = place(&platform, &actor, &team).await?;
    let role = role.unwrap_or(Role::Viewer);
    let typed = [("email", email.clone()), ("role", role.as_str().to_owned())];
    let typed: Vec<_> = typed.iter().map(|(field, value)| (*field, value.as_str())).collect();
    let made = match &team {
        Some(team) => create(&platform, &actor, team.team.id, &NewInvitation { email, role }).await,
        None => create_for_platform(&platform, &actor, &NewPlatformInvitation { email }).await,
    };
    let made = made.map_err(context::failed).keep(&typed)?;
    if !context::called_by_program() {
        // A form without JavaScript is answered with the page, which shows it.
        let sealed = platform::api_tokens::wrap(&platform, &made.link).map_err(context::failed)?;
        context::put_into_session(FRESH, sealed).await?;
        context::send_on(&address(team.as_ref()));
    }
    Ok(made)
}

/// Mails an invitation again.
#[server(prefix = "/_fn", endpoint = "resend_invitation")]
pub async fn resend_invitation(#[server(default)] team: String, id: InvitationId) -> Result<InvitationView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let (_, place) = place(&platform, &actor, &team).await?;
    platform::invitations::resend(&platform, &actor, place, id).await.map_err(context::failed)
}

/// Withdraws an invitation.
#[server(prefix = "/_fn", endpoint = "withdraw_invitation")]
pub async fn withdraw_invitation(#[server(default)] team: String, id: InvitationId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let (_, place) = place(&platform, &actor, &team).await?;
    platform::invitations::withdraw(&platform, &actor, place, id).await.map_err(context::failed)
}

/// An invitation; for everybody who has its link.
#[server(prefix = "/_fn", endpoint = "invitation")]
pub async fn look_at_invitation(token: String) -> Result<InvitationLook, Failure> {
    use crate::context;
    let platform = context::platform()?;
    platform::invitations::look(&platform, &token).await.map_err(context::failed)
}

/// Accepts an invitation with the visitor's account. Answers where to go.
#[server(prefix = "/_fn", endpoint = "accept_invitation")]
pub async fn accept_invitation(token: String) -> Result<String, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let accepted = platform::invitations::accept(&platform, &actor, &token).await.map_err(context::failed)?;
    let next = accepted.team.map_or("/sites".to_owned(), |team| format!("/teams/{}", team.slug));
    context::send_on(&next);
    Ok(next)
}

/// Makes an account of the invitation's address, accepts with it and signs it in; for everybody who has the link.
/// Answers where to go.
#[server(prefix = "/_fn", endpoint = "join")]
pub async fn join(token: String, name: String, password: String) -> Result<String, Failure> {
    use crate::{context, failure::Keep};
    let platform = context::platform()?;
    let new = platform::invitations::Joining { name: name.clone(), password };
    let made = platform::invitations::join(&platform, &context::stranger(), &token, &new).await;
    let made = made.map_err(context::failed).keep(&[("name", &name)])?;
    context::begin_session(made.user.id).await?;
    context::send_on("/sites");
    Ok("/sites".to_owned())
}
