//! Who is invited to the platform, without a team; for its administrators.

use super::{
    list::{Forms, Invitations},
    server::list_invitations,
};
use crate::{
    admin::AdminHeader,
    components::{FailureView, Loading},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

/// The page.
#[component]
pub fn PlatformInvitationsPage() -> impl IntoView {
    let forms = Forms::new();
    let answer = Resource::new_blocking(move || forms.changes.get(), |_| list_invitations(String::new()));
    view! {
        <Title text="Invitations to the platform" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok(list) => {
                        Either::Left(
                            view! {
                                <AdminHeader title="Invitations to the platform" current="/admin/invitations" />
                                <p class="mb-6 text-sm text-muted">
                                    "Whoever accepts gets an account and a team of their own, also where nobody else may register."
                                </p>
                                <Invitations list team=None roles=vec![] forms />
                            },
                        )
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}
