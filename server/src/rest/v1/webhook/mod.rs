//! The secret of a site's webhook.

pub mod revoke_old_secret;
pub mod rotate;
