//! What a client sends along when it connects.

use std::fmt;

use serde::Deserialize;

/// The `auth` object of a Socket.IO client: `io({ auth: { token } })`.
#[derive(Clone, Default, Deserialize)]
pub struct Handshake {
    /// Who the client says it is; not checked yet.
    #[serde(default)]
    pub token: Option<String>,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("token", &self.token.as_ref().map(|_| "…")).finish()
    }
}
