//! Invitations: made and managed by those who may, and accepted by whoever has a link.

mod admin_page;
mod list;
mod page;
mod server;

pub use admin_page::PlatformInvitationsPage;
pub use list::{Forms, Invitations};
pub use page::InvitationPage;
pub use server::list_invitations;
