//! Invitations to the platform alone; for its administrators.

pub mod create;
pub mod list;
pub mod resend;
pub mod withdraw;
