//! Inviting, and the invitations that there are.

use super::server::{Invite, List, ResendInvitation, WithdrawInvitation};
use crate::{
    components::{
        Alert, Button, CopyField, EmptyState, Field, Glyph, InvitationPill, Look, Panel, TimeAgo, Tone, use_toasts,
    },
    form::Form,
    format,
};
use leptos::{form::ActionForm, prelude::*};
use model::{
    Role, TeamId,
    views::{InvitationState, InvitationView},
};

/// The forms of a page of invitations, and what they led to.
#[derive(Clone, Copy)]
pub struct Forms {
    invite: Form<Invite>,
    resend: Form<ResendInvitation>,
    withdraw: Form<WithdrawInvitation>,
    link: RwSignal<Option<String>>,
    /// Raised with everything that was done.
    pub changes: RwSignal<i32>,
}

impl Forms {
    /// To be called by the page.
    pub fn new() -> Self {
        let (invite, resend, withdraw) = (Form::<Invite>::new(), Form::new(), Form::new());
        let (link, changes, toasts) = (RwSignal::new(None), RwSignal::new(0), use_toasts());
        invite.on_done(move |made| {
            link.set(Some(made.link));
            changes.update(|count| *count += 1);
        });
        let forms = Self { invite, resend, withdraw, link, changes };
        forms.resend.on_done(move |sent: InvitationView| {
            toasts.say(format!("It is mailed to {} again.", sent.email));
            changes.update(|count| *count += 1);
        });
        forms.withdraw.on_done(move |()| {
            toasts.say("The invitation is withdrawn.");
            changes.update(|count| *count += 1);
        });
        forms
    }
}

impl Default for Forms {
    fn default() -> Self {
        Self::new()
    }
}

/// The form and the list. `roles` are those that the visitor may give; none for invitations to the platform.
#[component]
pub fn Invitations(
    /// What there is.
    list: List,
    /// The team; `None`: the platform.
    team: Option<TeamId>,
    /// Roles to choose from.
    roles: Vec<Role>,
    /// What is done here.
    forms: Forms,
) -> impl IntoView {
    let Forms { invite, resend, withdraw, link, .. } = forms;
    let team = team.map(|id| id.to_string()).unwrap_or_default();
    let of_form = team.clone();
    let from_session = list.fresh;
    let shown = move || link.get().or_else(|| from_session.clone());
    view! {
        <div class="flex max-w-3xl flex-col gap-6">
            {move || {
                shown()
                    .map(|link| {
                        view! {
                            <Alert tone=Tone::Success>
                                <div class="flex flex-col gap-3">
                                    <p>
                                        "The invitation is mailed. Where mail does not arrive, hand this link over yourself; it is not shown again. If this platform sends mail, only the mailed link makes a new account."
                                    </p>
                                    <CopyField label="Invitation link" value=Signal::stored(link) />
                                </div>
                            </Alert>
                        }
                    })
            }}
            <Panel title="Invite">
                <ActionForm action=invite.action attr:class="flex flex-col gap-4">
                    {invite.refusal(&["email"])}
                    <input type="hidden" name="team" value=of_form />
                    <Field
                        name="email"
                        label="E-mail"
                        kind="email"
                        required=true
                        value=invite.kept("email")
                        error=invite.error("email")
                        hint="Only an account with this address can accept, within seven days."
                    />
                    {(!roles.is_empty()).then(|| view! { <Roles roles kept=invite.kept("role") /> })}
                    <div>
                        <Button kind="submit" look=Look::Primary busy=invite.pending>
                            "Invite"
                        </Button>
                    </div>
                </ActionForm>
            </Panel>
            <Panel title="Invitations" flush=true>
                {move || {
                    let failure = resend.failure.get().or_else(|| withdraw.failure.get());
                    failure.map(|it| view! { <p class="field-error p-4">{it.problem.detail}</p> })
                }}
                {if list.items.is_empty() {
                    view! {
                        <EmptyState
                            glyph=Glyph::People
                            title="Nobody is invited"
                            text="Whoever you invite gets a mail with a link; until it is accepted it is listed here."
                        />
                    }
                        .into_any()
                } else {
                    view! {
                        <ul class="divide-y divide-base-300">
                            {list
                                .items
                                .into_iter()
                                .map(|invitation| view! { <Line team=team.clone() invitation forms /> })
                                .collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
            </Panel>
        </div>
    }
}

#[component]
fn Roles(roles: Vec<Role>, kept: Option<String>) -> impl IntoView {
    let chosen = kept.as_deref().and_then(Role::from_word).unwrap_or(Role::Developer);
    view! {
        <label class="flex flex-col gap-1.5 text-sm font-medium">
            "Role" <select name="role" class="field select-field">
                {roles
                    .into_iter()
                    .map(|role| {
                        view! {
                            <option value=role.as_str() selected=role == chosen>
                                {format!("{}: {}", role.label(), role.about())}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
        </label>
    }
}

#[component]
fn Line(team: String, invitation: InvitationView, forms: Forms) -> impl IntoView {
    let Forms { resend, withdraw, .. } = forms;
    let can_be_sent = matches!(invitation.state, InvitationState::Open | InvitationState::Expired);
    let by = invitation.invited_by.map(|name| format!(" · by {name}")).unwrap_or_default();
    let role = invitation.role.map(|role| format!("{}{by}", role.label())).unwrap_or(by);
    let until = match invitation.state {
        InvitationState::Open => format!("Good until {}", format::date(invitation.expires_at)),
        InvitationState::Expired => format!("It was good until {}", format::date(invitation.expires_at)),
        InvitationState::Accepted | InvitationState::Withdrawn => String::new(),
    };
    let (id, email) = (invitation.id.to_string(), invitation.email.clone());
    let (again, quit) = (format!("Send again to {email}"), format!("Withdraw from {email}"));
    let (team_again, id_again) = (team.clone(), id.clone());
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1 basis-48">
                <p class="flex flex-wrap items-center gap-2 text-sm font-medium">
                    <span class="min-w-0 break-words">{invitation.email}</span>
                    <InvitationPill state=invitation.state />
                </p>
                <p class="break-words text-xs text-muted">{role.trim_start_matches(" · ").to_owned()}</p>
                <p class="flex flex-wrap gap-x-3 text-xs text-muted">
                    <span>"Mailed " <TimeAgo at=invitation.sent_at /></span>
                    <span>{until}</span>
                </p>
            </div>
            {can_be_sent
                .then(|| {
                    view! {
                        <div class="flex flex-wrap gap-2">
                            <ActionForm action=resend.action>
                                <input type="hidden" name="team" value=team_again />
                                <input type="hidden" name="id" value=id_again />
                                <Button kind="submit" attr:aria-label=again>
                                    "Send again"
                                </Button>
                            </ActionForm>
                            <ActionForm action=withdraw.action>
                                <input type="hidden" name="team" value=team />
                                <input type="hidden" name="id" value=id />
                                <Button kind="submit" look=Look::Quiet attr:aria-label=quit>
                                    "Withdraw"
                                </Button>
                            </ActionForm>
                        </div>
                    }
                })}
        </li>
    }
}
