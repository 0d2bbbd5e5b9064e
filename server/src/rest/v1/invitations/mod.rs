//! Invitations into a team, and what whoever has a link can do with it.

pub mod accept;
pub mod create;
pub mod list;
pub mod look;
pub mod resend;
pub mod withdraw;
