//! A team's name, and its end.

use super::{
    server::{DeleteTeam, RenameTeam, get_team},
    tabs::{Tab, TeamHeader, may_administer},
    use_team,
};
use crate::{
    components::{Button, Dialog, DialogButton, FailureView, Field, Glyph, Loading, Look, Panel, use_toasts},
    form::Form,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::{Role, views::TeamDetail};

/// The page.
#[component]
pub fn TeamSettingsPage() -> impl IntoView {
    let (rename, delete) = (Form::<RenameTeam>::new(), Form::<DeleteTeam>::new());
    let (team, toasts) = (use_team(), use_toasts());
    let changes = RwSignal::new(0);
    rename.on_done(move |_| {
        toasts.say("The team has its new name.");
        changes.update(|count| *count += 1);
    });
    let answer = Resource::new_blocking(move || (team.get(), changes.get()), |(team, _)| get_team(team));
    view! {
        <Title text="Team settings" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok(team) => Either::Left(view! { <Settings team rename delete /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn Settings(team: TeamDetail, rename: Form<RenameTeam>, delete: Form<DeleteTeam>) -> impl IntoView {
    let (may_rename, is_owner) = (may_administer(&team), team.team.role == Some(Role::Owner));
    let (id, slug, name, sites) =
        (team.team.id.to_string(), team.team.slug.clone(), team.team.name.clone(), team.sites);
    let (of_form, present) = (id.clone(), name.clone());
    let hint = format!("For people. The short name {slug} stays: it is in Git addresses and container names.");
    view! {
        <TeamHeader team current=Tab::Settings />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="Name">
                {if may_rename {
                    view! {
                        <ActionForm action=rename.action attr:class="flex flex-col gap-4">
                            {rename.refusal(&["name"])}
                            <input type="hidden" name="team" value=of_form />
                            <Field
                                name="name"
                                label="Name"
                                required=true
                                value=rename.kept("name").unwrap_or(present)
                                error=rename.error("name")
                                hint=hint
                            />
                            <div>
                                <Button kind="submit" busy=rename.pending>
                                    "Save"
                                </Button>
                            </div>
                        </ActionForm>
                    }
                        .into_any()
                } else {
                    view! { <p class="text-sm text-muted">"Owners and admins of the team change its name."</p> }.into_any()
                }}
            </Panel>
            {is_owner
                .then(|| {
                    view! {
                        <Panel title="Delete this team">
                            <div class="flex flex-wrap items-center justify-between gap-4">
                                <p class="max-w-sm text-sm text-muted">
                                    {if sites > 0 {
                                        "It has sites: delete them, or give them to another team, first."
                                    } else {
                                        "Its members, invitations and API tokens go with it."
                                    }}
                                </p>
                                {(sites == 0).then(|| view! { <DeleteTeamDialog id slug name delete /> })}
                            </div>
                        </Panel>
                    }
                })}
        </div>
    }
}

#[component]
fn DeleteTeamDialog(id: String, slug: String, name: String, delete: Form<DeleteTeam>) -> impl IntoView {
    view! {
        <DialogButton target="delete-team" look=Look::Danger icon=Glyph::Trash>
            "Delete team"
        </DialogButton>
        <Dialog id="delete-team" title=format!("Delete {name}") open=delete.was_refused()>
            <ActionForm action=delete.action attr:class="flex flex-col gap-4">
                {delete.refusal(&["confirm"])}
                <p class="text-sm">
                    "All members lose the team at once. Its open invitations and all API tokens for it are good for nothing any more."
                </p>
                <input type="hidden" name="team" value=id />
                <Field
                    name="confirm"
                    label=format!("Type {slug} to confirm")
                    required=true
                    verbatim=true
                    error=delete.error("confirm")
                />
                <Button kind="submit" look=Look::Danger class="w-full" busy=delete.pending>
                    "Delete this team"
                </Button>
            </ActionForm>
        </Dialog>
    }
}
