//! The members of a team: roles, removing, leaving.

use super::{
    server::{ChangeMember, RemoveMember, list_members},
    tabs::{Tab, TeamHeader, may_administer},
    use_team,
};
use crate::{
    components::{Alert, Button, ButtonLink, FailureView, Glyph, Loading, Look, Panel, TimeAgo, Tone, use_toasts},
    form::Form,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::{
    Role, TeamId,
    members::{Asker, Step, decide},
    views::{MemberView, TeamDetail},
};

/// The page.
#[component]
pub fn TeamMembersPage() -> impl IntoView {
    let (change, remove) = (Form::<ChangeMember>::new(), Form::<RemoveMember>::new());
    let (team, toasts) = (use_team(), use_toasts());
    let changes = RwSignal::new(0);
    change.on_done(move |member| {
        toasts.say(format!("{} is {} now.", member.name, member.role.label().to_lowercase()));
        changes.update(|count| *count += 1);
    });
    remove.on_done(move |()| {
        toasts.say("The member is removed.");
        changes.update(|count| *count += 1);
    });
    let answers = Resource::new_blocking(move || (team.get(), changes.get()), |(team, _)| list_members(team));
    view! {
        <Title text="Members" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((team, members)) => Either::Left(view! { <Members team members change remove /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn Members(
    team: TeamDetail,
    members: Vec<MemberView>,
    change: Form<ChangeMember>,
    remove: Form<RemoveMember>,
) -> impl IntoView {
    let invite = may_administer(&team).then(|| format!("/teams/{}/invitations", team.team.slug));
    let asker = Asker { role: team.team.role.unwrap_or(Role::Viewer), is_self: false, owners: team.owners };
    let id = team.team.id;
    view! {
        <TeamHeader team current=Tab::Members />
        <div class="flex max-w-3xl flex-col gap-6">
            {move || {
                let failure = change.failure.get().or_else(|| remove.failure.get());
                failure.map(|it| view! { <Alert tone=Tone::Danger>{it.problem.detail}</Alert> })
            }}
            <Panel
                title="Members"
                flush=true
                actions=move || {
                    invite
                        .clone()
                        .map(|href| {
                            view! {
                                <ButtonLink href icon=Glyph::Plus>
                                    "Invite"
                                </ButtonLink>
                            }
                        })
                }
            >
                <ul class="divide-y divide-base-300">
                    {members.into_iter().map(|member| view! { <Line id asker member change remove /> }).collect_view()}
                </ul>
            </Panel>
            <Panel title="What the roles may">
                <dl class="grid gap-x-4 gap-y-2 text-sm sm:grid-cols-[auto_1fr]">
                    {Role::ALL
                        .map(|role| {
                            view! {
                                <dt class="font-medium">{role.label()}</dt>
                                <dd class="text-muted">{role.about()} "."</dd>
                            }
                        })
                        .collect_view()}
                </dl>
            </Panel>
        </div>
    }
}

#[component]
fn Line(
    id: TeamId,
    asker: Asker,
    member: MemberView,
    change: Form<ChangeMember>,
    remove: Form<RemoveMember>,
) -> impl IntoView {
    let asker = Asker { is_self: member.is_you, ..asker };
    let from = member.role;
    let roles: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|to| *to == from || decide(asker, Step::Change { from, to: *to }).is_ok())
        .collect();
    let may_remove = decide(asker, Step::Remove(from)).is_ok();
    let user = member.user_id.to_string();
    let label = format!("Role of {}", member.name);
    let you = if member.is_you { " (you)" } else { "" };
    view! {
        <li class="flex flex-col gap-3 px-4 py-3 sm:flex-row sm:items-center sm:px-5">
            <div class="min-w-0 flex-1">
                <p class="break-words text-sm font-medium">{member.name.clone()} {you}</p>
                <p class="break-words text-xs text-muted">{member.email.clone()}</p>
                <p class="text-xs text-muted">"Since " <TimeAgo at=member.since /></p>
            </div>
            <div class="flex flex-wrap items-start gap-2">
                {if roles.len() > 1 {
                    view! {
                        <ActionForm action=change.action attr:class="flex items-center gap-2">
                            <input type="hidden" name="team" value=id.to_string() />
                            <input type="hidden" name="user" value=user />
                            <select name="role" class="field select-field" aria-label=label>
                                {roles
                                    .into_iter()
                                    .map(|role| {
                                        view! {
                                            <option value=role.as_str() selected=role == from>
                                                {role.label()}
                                            </option>
                                        }
                                    })
                                    .collect_view()}
                            </select>
                            <Button kind="submit" busy=change.pending>
                                "Save"
                            </Button>
                        </ActionForm>
                    }
                        .into_any()
                } else {
                    view! { <span class="px-3 py-2 text-sm">{from.label()}</span> }.into_any()
                }}
                {may_remove.then(|| view! { <Remove id member remove /> })}
            </div>
        </li>
    }
}

/// What is lost is told before the button that does it.
#[component]
fn Remove(id: TeamId, member: MemberView, remove: Form<RemoveMember>) -> impl IntoView {
    let (open, words, button) = if member.is_you {
        (
            "Leave",
            "You lose this team's sites at once, and your API tokens for it.".to_owned(),
            "Leave the team".to_owned(),
        )
    } else {
        let words = format!("{} loses this team's sites at once, and the API tokens for it.", member.name);
        ("Remove", words, format!("Remove {}", member.name))
    };
    view! {
        <details class="max-w-xs">
            <summary class="btn btn-ghost" aria-label=format!("{open} {}", member.name)>
                {open}
            </summary>
            <ActionForm action=remove.action attr:class="mt-2 flex flex-col gap-2">
                <input type="hidden" name="team" value=id.to_string() />
                <input type="hidden" name="user" value=member.user_id.to_string() />
                <p class="text-sm text-muted">{words}</p>
                <div>
                    <Button kind="submit" look=Look::Danger busy=remove.pending>
                        {button}
                    </Button>
                </div>
            </ActionForm>
        </details>
    }
}
