//! Who is invited into a team.

use super::{
    tabs::{Tab, TeamHeader},
    use_team,
};
use crate::{
    components::{FailureView, Loading},
    invitations::{Forms, Invitations, list_invitations},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use model::{
    Role,
    members::{Asker, Step, decide},
};

/// The page.
#[component]
pub fn TeamInvitationsPage() -> impl IntoView {
    let team = use_team();
    let forms = Forms::new();
    let answer = Resource::new_blocking(move || (team.get(), forms.changes.get()), |(team, _)| list_invitations(team));
    view! {
        <Title text="Invitations" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok(mut list) => {
                        let team = list.team.take();
                        let role = team.as_ref().and_then(|team| team.team.role).unwrap_or(Role::Viewer);
                        let asker = Asker { role, is_self: false, owners: 1 };
                        let roles = Role::ALL.into_iter().filter(|role| decide(asker, Step::Invite(*role)).is_ok()).collect();
                        let id = team.as_ref().map(|team| team.team.id);
                        Either::Left(
                            view! {
                                {team.map(|team| view! { <TeamHeader team current=Tab::Invitations /> })}
                                <Invitations list team=id roles forms />
                            },
                        )
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}
