//! Giving a site to another team: what changes is told before.

use super::server::TransferSite;
use crate::{
    components::{Button, Dialog, DialogButton, Glyph, Icon, Look, Panel},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use model::{
    Role,
    views::{SiteView, TeamView},
};

/// The panel; nothing where the visitor does not administer the site's team and another one.
#[component]
pub fn TransferPanel(
    /// The site.
    site: SiteView,
    /// The visitor's teams.
    teams: Vec<TeamView>,
) -> impl IntoView {
    let administers = |team: &TeamView| team.role.is_some_and(Role::may_administer);
    let others: Vec<TeamView> = teams.into_iter().filter(|it| it.id != site.team.id && administers(it)).collect();
    (administers(&site.team) && !others.is_empty()).then(|| {
        view! {
            <Panel title="Give to another team">
                <div class="flex flex-wrap items-center justify-between gap-4">
                    <p class="max-w-sm text-sm text-muted">
                        {format!("It belongs to {}. It serves on while it moves, with all its data.", site.team.name)}
                    </p>
                    <TransferDialog site others />
                </div>
            </Panel>
        }
    })
}

#[component]
fn TransferDialog(site: SiteView, others: Vec<TeamView>) -> impl IntoView {
    let form = Form::<TransferSite>::new();
    let hosted = site.repository.kind == "hosted";
    let mut changes = vec![
        "Members of the other team get it, by their roles there; who is only in this one loses it.".to_owned(),
        "API tokens for this site alone are revoked.".to_owned(),
    ];
    if hosted {
        changes.push("Its Git address gets the other team's name; the old one says where it is now.".to_owned());
    }
    let kept = "Its address, data, variables, deployments and webhook stay, and so do its names on the machine.";
    view! {
        <DialogButton target="transfer-site">"Give away"</DialogButton>
        <Dialog id="transfer-site" title=format!("Give {} to another team", site.name) open=form.was_refused()>
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&[])}
                <input type="hidden" name="id" value=site.id.to_string() />
                <label class="flex flex-col gap-1.5 text-sm font-medium">
                    "Team" <select name="team" class="field select-field">
                        {others
                            .into_iter()
                            .map(|team| {
                                view! { <option value=team.id.to_string()>{format!("{} ({})", team.name, team.slug)}</option> }
                            })
                            .collect_view()}
                    </select>
                </label>
                <ul class="flex flex-col gap-2 text-sm">
                    {changes
                        .into_iter()
                        .map(|line| {
                            view! {
                                <li class="flex gap-2">
                                    <Icon glyph=Glyph::ChevronRight class="mt-0.5 size-4" />
                                    {line}
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
                <p class="text-sm text-muted">{kept}</p>
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Give it to this team"
                </Button>
            </ActionForm>
        </Dialog>
    }
}
