//! The administration of the platform: pages for administrators, and what they ask of the server.

mod machine_page;
mod overview_page;
mod server;
mod settings_page;
mod sites_page;
mod tabs;
mod team_page;
mod teams_page;

pub use machine_page::MachinePage;
pub use overview_page::OverviewPage;
pub use settings_page::SettingsPage;
pub use sites_page::AllSitesPage;
pub use tabs::AdminHeader;
pub use team_page::AdminTeamPage;
pub use teams_page::AllTeamsPage;
