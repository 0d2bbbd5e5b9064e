//! What the pages of the administration ask of the server. Everybody but administrators is told that there is no such
//! page.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    TeamId,
    views::{AdminSiteView, AdminTeamView, MachineView, OverviewView, Page, SettingView, SignupView, TeamQuotasView},
};

/// The installation in numbers.
#[server(prefix = "/_fn", endpoint = "admin_overview")]
pub async fn get_overview() -> Result<OverviewView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::admin::overview(&platform, &actor).await.map_err(context::failed)
}

/// All teams, newest first.
#[server(prefix = "/_fn", endpoint = "admin_teams")]
pub async fn list_teams(cursor: Option<String>) -> Result<Page<AdminTeamView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::admin::teams(&platform, &actor, 20, cursor.as_deref()).await.map_err(context::failed)
}

/// One team.
#[server(prefix = "/_fn", endpoint = "admin_team")]
pub async fn get_team(team: TeamId) -> Result<AdminTeamView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::admin::team(&platform, &actor, team).await.map_err(context::failed)
}

/// The sites of all teams, newest first.
#[server(prefix = "/_fn", endpoint = "admin_sites")]
pub async fn list_all_sites(cursor: Option<String>) -> Result<Page<AdminSiteView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::admin::all_sites(&platform, &actor, 50, cursor.as_deref()).await.map_err(context::failed)
}

/// The machine.
#[server(prefix = "/_fn", endpoint = "admin_machine")]
pub async fn get_machine() -> Result<MachineView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::admin::machine(&platform, &actor).await.map_err(context::failed)
}

/// The settings, secrets hidden.
#[server(prefix = "/_fn", endpoint = "admin_settings")]
pub async fn list_settings() -> Result<Vec<SettingView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::admin::settings(&platform, &actor).map_err(context::failed)
}

/// Sets who may register; an empty `mode` is what the setting says.
#[server(prefix = "/_fn", endpoint = "set_signup")]
pub async fn set_signup(#[server(default)] mode: String) -> Result<SignupView, Failure> {
    use crate::context;
    use model::{Problem, views::SignupMode};
    let (platform, actor) = context::signed_in().await?;
    let wanted = match mode.as_str() {
        "" => None,
        word => Some(SignupMode::from_word(word).ok_or_else(|| {
            context::refuse(Problem::invalid("mode", "mode", "Accounts are made by everybody, or by invitation."))
        })?),
    };
    let view = platform::admin::set_signup(&platform, &actor, wanted).await.map_err(context::failed)?;
    context::send_on("/admin");
    Ok(view)
}

/// Sets one quota of a team: a number in what people type it in, `unlimited`, or nothing for the installation's.
#[server(prefix = "/_fn", endpoint = "set_quota")]
pub async fn set_quota(
    team: TeamId,
    quota: model::views::Quota,
    #[server(default)] most: String,
) -> Result<TeamQuotasView, Failure> {
    use crate::context;
    use model::Problem;
    use platform::quotas::{Change, Wanted, Word};
    let (platform, actor) = context::signed_in().await?;
    let wanted = match most.trim() {
        "" => Wanted::Word(Word::Default),
        word if word.eq_ignore_ascii_case("unlimited") => Wanted::Word(Word::Unlimited),
        number => Wanted::Most(quota.read_typed(number).ok_or_else(|| {
            let message = format!("Type a number of {}, unlimited, or nothing.", quota.unit_name());
            context::refuse(Problem::invalid(quota.as_str(), "number", message))
        })?),
    };
    let change = Change([(quota, wanted)].into());
    let view = platform::quotas::set(&platform, &actor, team, change).await.map_err(context::failed)?;
    context::send_on(&format!("/admin/teams/{team}"));
    Ok(view)
}
