//! The pages of the audit: a team's, one's own, and everybody's.

use super::{
    filters::{self, Filters},
    list::List,
    server::{Entries, get_audit},
};
use crate::{
    account::{AccountTab, AccountTabs},
    admin::AdminHeader,
    components::{FailureView, Loading, PageHeader},
    failure::Failure,
    teams::{Tab, TeamHeader},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::views::{AuditFilter, TeamDetail, TeamView};
use serde::{Deserialize, Serialize};

/// Whose audit a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Of {
    Team(String),
    Own,
    Everybody,
}

impl Of {
    fn here(&self) -> String {
        match self {
            Self::Team(team) => super::address(team),
            Self::Own => super::OWN.to_owned(),
            Self::Everybody => "/admin/audit".to_owned(),
        }
    }
}

/// A team's, for its owner and administrators.
#[component]
pub fn TeamAuditPage() -> impl IntoView {
    let params = use_params_map();
    let of = Memo::new(move |_| Of::Team(params.read().get("team").unwrap_or_default()));
    view! { <Audit of /> }
}

/// What the visitor did.
#[component]
pub fn AccountAuditPage() -> impl IntoView {
    view! { <Audit of=Memo::new(|_| Of::Own) /> }
}

/// Everything, for administrators of the platform.
#[component]
pub fn AdminAuditPage() -> impl IntoView {
    view! { <Audit of=Memo::new(|_| Of::Everybody) /> }
}

#[component]
fn Audit(of: Memo<Of>) -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        (of.get(), filters::of_address(&query), query.get("cursor"))
    });
    let answers = Resource::new_blocking(
        move || asked.get(),
        |(of, filter, cursor)| async move {
            let team = if let Of::Team(name) = &of { Some(name.clone()) } else { None };
            let found = get_audit(team, of == Of::Everybody, filter.clone(), cursor.clone()).await;
            (of, filter, cursor, found)
        },
    );
    view! {
        <Title text="Audit" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                let (of, filter, cursor, found) = answers.await;
                match found {
                    Ok(entries) => view! { <Found of filter is_newest=cursor.is_none() entries /> }.into_any(),
                    // A filter that cannot be read is told where it was typed.
                    Err(failure) if failure.problem.status == 422 && cursor.is_none() => {
                        view! { <Refused of filter failure /> }.into_any()
                    }
                    Err(failure) => view! { <FailureView failure /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// The head of the page; a team's needs the team.
fn head(of: &Of, team: Option<TeamDetail>) -> AnyView {
    match (of, team) {
        (Of::Team(_), Some(team)) => view! { <TeamHeader team current=Tab::Audit /> }.into_any(),
        (Of::Team(name), None) => {
            let crumbs = vec![("Teams".to_owned(), "/teams".to_owned()), (name.clone(), format!("/teams/{name}"))];
            view! { <PageHeader title="Audit" crumbs /> }.into_any()
        }
        (Of::Own, _) => view! {
            <PageHeader title="Audit" about=|| "What you did, and what was done to your account.".to_owned() />
            <AccountTabs current=AccountTab::Audit />
        }
        .into_any(),
        (Of::Everybody, _) => view! { <AdminHeader title="Audit" current="/admin/audit" /> }.into_any(),
    }
}

#[component]
fn Found(of: Of, filter: AuditFilter, is_newest: bool, entries: Entries) -> impl IntoView {
    let here = of.here();
    let export = match (&of, &entries.team) {
        (Of::Everybody, _) => vec![("all", "true".to_owned())],
        (_, Some(team)) => vec![("team_id", team.team.id.to_string())],
        (_, None) => Vec::new(),
    };
    let teams = (of == Of::Own).then_some(entries.teams);
    view! {
        {head(&of, entries.team)}
        <div class="flex flex-col gap-6">
            {teams.map(|teams| view! { <Teams teams /> })}
            <Filters filter=filter.clone() refused=None here=here.clone() />
            <List page=entries.page filter here export is_newest />
        </div>
    }
}

#[component]
fn Refused(of: Of, filter: AuditFilter, failure: Failure) -> impl IntoView {
    view! {
        {head(&of, None)}
        <Filters filter refused=Some(failure) here=of.here() />
    }
}

/// The way to the audits of the visitor's teams.
#[component]
fn Teams(teams: Vec<TeamView>) -> impl IntoView {
    (!teams.is_empty()).then(|| {
        view! {
            <nav class="flex flex-wrap gap-x-4 gap-y-1 text-sm" aria-label="Audits of your teams">
                <span class="text-muted">"Of your teams:"</span>
                {teams
                    .into_iter()
                    .map(|team| {
                        view! {
                            <a href=super::address(&team.slug) class="link-accent">
                                {team.name}
                            </a>
                        }
                    })
                    .collect_view()}
            </nav>
        }
    })
}
