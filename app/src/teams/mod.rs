//! Teams: the list of the visitor's, and a page for each with its members, invitations, quotas and settings
//! as tabs.

mod invitations_page;
mod list_page;
mod members_page;
mod quota_list;
mod quotas_page;
pub mod server;
mod settings_page;
mod tabs;

pub use invitations_page::TeamInvitationsPage;
pub use list_page::TeamsPage;
pub use members_page::TeamMembersPage;
pub use quota_list::QuotaList;
pub use quotas_page::TeamQuotasPage;
pub use settings_page::TeamSettingsPage;
pub use tabs::{Tab, TeamHeader};

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// The team that the page's address names, by its slug or its id.
fn use_team() -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.read().get("team").unwrap_or_default())
}
