//! The head of a team's pages, and the way between them.

use crate::components::PageHeader;
use leptos::prelude::*;
use model::{Role, views::TeamDetail};

/// The parts of a team's page: the end of their address, and their name.
const MEMBERS: (&str, &str) = ("", "Members");
const INVITATIONS: (&str, &str) = ("/invitations", "Invitations");
const QUOTAS: (&str, &str) = ("/quotas", "Quotas");
const AUDIT: (&str, &str) = ("/audit", "Audit");
const SETTINGS: (&str, &str) = ("/settings", "Settings");

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Who is in it.
    Members,
    /// Who is invited.
    Invitations,
    /// What it may use.
    Quotas,
    /// What was done.
    Audit,
    /// Name, leaving, deleting.
    Settings,
}

impl Tab {
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Members => MEMBERS,
            Self::Invitations => INVITATIONS,
            Self::Quotas => QUOTAS,
            Self::Audit => AUDIT,
            Self::Settings => SETTINGS,
        }
    }
}

/// Whether the visitor administers the team.
pub fn may_administer(team: &TeamDetail) -> bool {
    team.team.role.is_some_and(Role::may_administer)
}

/// The head of a team's page, with this tab marked.
#[component]
pub fn TeamHeader(
    /// The team.
    team: TeamDetail,
    /// Where one is.
    current: Tab,
) -> impl IntoView {
    let base = format!("/teams/{}", team.team.slug);
    let about = format!(
        "{} · {} · {} · your role: {}",
        team.team.slug,
        counted(team.members, "member"),
        counted(team.sites, "site"),
        team.team.role.map_or("none", Role::label).to_lowercase(),
    );
    let tabs = [Tab::Members, Tab::Invitations, Tab::Quotas, Tab::Audit, Tab::Settings];
    let is_shown = |tab: &Tab| !matches!(tab, Tab::Invitations | Tab::Audit) || may_administer(&team);
    let tabs = tabs.into_iter().filter(is_shown);
    let links: Vec<_> = tabs
        .map(|tab| {
            let (end, name) = tab.place();
            (format!("{base}{end}"), name, (tab == current).then_some("page"))
        })
        .collect();
    view! {
        <PageHeader
            title=team.team.name.clone()
            crumbs=vec![("Teams".to_owned(), "/teams".to_owned())]
            about=move || about.clone()
        />
        <nav class="tabs-bar" aria-label="Team">
            {links
                .into_iter()
                .map(|(href, name, here)| {
                    view! {
                        <a href=href class="tab-link" aria-current=here>
                            {name}
                        </a>
                    }
                })
                .collect_view()}
        </nav>
    }
}

fn counted(count: i64, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}
