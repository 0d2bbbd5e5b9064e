//! What the account is signed in with, and ending it.

use super::{
    server::{RevokeOtherSessions, RevokeSession, list_sessions},
    tabs::{AccountTab, AccountTabs},
};
use crate::{
    components::{Button, FailureView, Glyph, Loading, Look, PageHeader, Panel, Pill, TimeAgo, Tone, use_toasts},
    form::Form,
    format,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use model::views::{SessionKind, SessionView};

/// The page.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let (one, others) = (Form::<RevokeSession>::new(), Form::<RevokeOtherSessions>::new());
    let toasts = use_toasts();
    let changes = RwSignal::new(0);
    one.on_done(move |()| {
        toasts.say("It is signed out.");
        changes.update(|count| *count += 1);
    });
    others.on_done(move |count| {
        toasts.say(if count == 1 {
            "One other is signed out.".to_owned()
        } else {
            format!("{count} others are signed out.")
        });
        changes.update(|count| *count += 1);
    });
    let answers = Resource::new_blocking(move || changes.get(), |_| list_sessions());
    view! {
        <Title text="Sessions" />
        <PageHeader title="Sessions" about=move || "Browsers and programs that are signed in to your account." />
        <AccountTabs current=AccountTab::Sessions />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok(sessions) => Either::Left(view! { <List sessions one others /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn List(sessions: Vec<SessionView>, one: Form<RevokeSession>, others: Form<RevokeOtherSessions>) -> impl IntoView {
    let has_others = sessions.iter().any(|session| !session.current);
    view! {
        <div class="flex max-w-3xl flex-col gap-6">
            {one.refusal(&[])} {others.refusal(&[])} <Panel title="Signed in" flush=true>
                <ul class="divide-y divide-base-300">
                    {sessions.into_iter().map(|session| view! { <Line session one /> }).collect_view()}
                </ul>
            </Panel>
            {has_others
                .then(|| {
                    view! {
                        <ActionForm action=others.action>
                            <Button kind="submit" look=Look::Danger icon=Glyph::SignOut busy=others.pending>
                                "Sign out all others"
                            </Button>
                        </ActionForm>
                    }
                })}
        </div>
    }
}

#[component]
fn Line(session: SessionView, one: Form<RevokeSession>) -> impl IntoView {
    let kind = match session.kind {
        SessionKind::Browser => "Browser",
        SessionKind::Program => "Program, by the API",
    };
    let label = format!("Sign out {}", session.client);
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
            <div class="min-w-0 flex-1">
                <p class="flex flex-wrap items-center gap-2 text-sm font-medium">
                    <span class="break-words">{session.client}</span>
                    {session.current.then(|| view! { <Pill tone=Tone::Success glyph=Glyph::Check label="This one" /> })}
                </p>
                <p class="break-words text-xs text-muted">
                    {kind} {session.address.map(|address| format!(" · {address}"))}
                </p>
                <p class="flex flex-wrap gap-x-3 text-xs text-muted">
                    <span>
                        {match session.seen_at {
                            _ if session.current => Either::Right("Seen now"),
                            Some(at) => Either::Left(view! { "Seen " <TimeAgo at /> }),
                            None => Either::Right("Not seen yet"),
                        }}
                    </span>
                    <span>"Since " {format::absolute(session.begun_at)}</span>
                </p>
            </div>
            {(!session.current)
                .then(|| {
                    view! {
                        <ActionForm action=one.action>
                            <input type="hidden" name="id" value=session.id.to_string() />
                            <Button kind="submit" look=Look::Quiet attr:aria-label=label>
                                "Sign out"
                            </Button>
                        </ActionForm>
                    }
                })}
        </li>
    }
}
