//! The page: what is asked for when the visitor signs in.

use super::{
    identities::Identities,
    passkeys::{self, Passkeys},
    recovery_codes::{FreshCodes, RecoveryCodes},
    server::{
        AbandonTotp, BeginPasskey, BeginTotp, ConfirmTotp, RemovePasskey, RenewRecoveryCodes, Security, TurnOffTotp,
        UnlinkProvider, get_security,
    },
    totp::{Begin, Confirm, TurnOff},
};
use crate::{
    account::{AccountTab, AccountTabs},
    components::{FailureView, Loading, PageHeader, Panel, TimeAgo, use_toasts},
    form::Form,
};
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};
use leptos_meta::Title;

/// What can be done on the page.
#[derive(Clone, Copy)]
struct Forms {
    begin: Form<BeginTotp>,
    confirm: Form<ConfirmTotp>,
    abandon: Form<AbandonTotp>,
    renew: Form<RenewRecoveryCodes>,
    turn_off: Form<TurnOffTotp>,
    begin_passkey: Form<BeginPasskey>,
    remove_passkey: Form<RemovePasskey>,
    unlink: Form<UnlinkProvider>,
}

/// The page.
#[component]
pub fn SecurityPage() -> impl IntoView {
    let forms = Forms {
        begin: Form::new(),
        confirm: Form::new(),
        abandon: Form::new(),
        renew: Form::new(),
        turn_off: Form::new(),
        begin_passkey: Form::new(),
        remove_passkey: Form::new(),
        unlink: Form::new(),
    };
    let toasts = use_toasts();
    let changes = RwSignal::new(0);
    let fresh = RwSignal::new(None::<Vec<String>>);
    let changed = move || changes.update(|count| *count += 1);
    forms.begin.on_done(move |()| changed());
    forms.abandon.on_done(move |()| changed());
    forms.confirm.on_done(move |codes| {
        fresh.set(Some(codes));
        toasts.say("Your second factor is on.");
        changed();
    });
    forms.renew.on_done(move |codes| {
        fresh.set(Some(codes));
        changed();
    });
    forms.turn_off.on_done(move |()| {
        fresh.set(None);
        toasts.say("Your second factor is off.");
        changed();
    });
    let refusal = RwSignal::new(None::<String>);
    forms.begin_passkey.on_done(move |options| {
        passkeys::make(options, refusal, move || {
            toasts.say("Your passkey is added.");
            changed();
        });
    });
    forms.remove_passkey.on_done(move |()| {
        toasts.say("The passkey is removed.");
        changed();
    });
    forms.unlink.on_done(move |()| {
        toasts.say("The account is unlinked.");
        changed();
    });
    let answers = Resource::new_blocking(move || changes.get(), |_| get_security());
    view! {
        <Title text="Security" />
        <PageHeader title="Security" crumbs=vec![("Account".to_owned(), "/account".to_owned())] />
        <AccountTabs current=AccountTab::Security />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok(security) => Either::Left(view! { <Content security fresh forms refusal /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn Content(
    security: Security,
    fresh: RwSignal<Option<Vec<String>>>,
    forms: Forms,
    refusal: RwSignal<Option<String>>,
) -> impl IntoView {
    let Security { view, fresh: from_session } = security;
    let shown = move || fresh.get().or_else(|| from_session.clone());
    view! {
        <div class="flex max-w-2xl flex-col gap-6">
            {move || shown().map(|codes| view! { <FreshCodes codes /> })}
            <Panel title="Second factor">
                {match (view.second_factor_since, view.setup) {
                    (Some(since), _) => {
                        EitherOf3::A(
                            view! {
                                <div class="flex flex-wrap items-center justify-between gap-4">
                                    <p class="max-w-sm text-sm">
                                        "On since " <TimeAgo at=since /> ". Signing in with your password takes a code as well."
                                    </p>
                                    <TurnOff form=forms.turn_off />
                                </div>
                            },
                        )
                    }
                    (None, Some(setup)) => {
                        EitherOf3::B(view! { <Confirm setup form=forms.confirm abandon=forms.abandon /> })
                    }
                    (None, None) => EitherOf3::C(view! { <Begin form=forms.begin possible=view.has_password /> }),
                }}
            </Panel>
            {view
                .second_factor_since
                .map(|_| view! { <RecoveryCodes left=view.recovery_codes form=forms.renew /> })}
            <Passkeys
                passkeys=view.passkeys
                possible=view.passkeys_possible
                begin=forms.begin_passkey
                remove=forms.remove_passkey
                asks=view.has_password
                refusal
            />
            <Identities identities=view.identities providers=view.providers unlink=forms.unlink />
        </div>
    }
}
