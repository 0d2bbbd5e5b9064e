//! The key that opens a repository over SSH, without its private half.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A deploy key, as it is shown to those who may change the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeployKeyView {
    /// The repository that it is for.
    pub url: String,
    /// The public half, as OpenSSH writes it: what is added at the forge.
    pub public_key: String,
    /// The public half's fingerprint, as OpenSSH writes it.
    pub fingerprint: String,
    /// The fingerprint of the key by which the repository's server is known.
    pub host_key: String,
    /// The fingerprint of the key that the server shows instead, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_host_key: Option<String>,
    /// It is forgotten then, unless a site uses it by that time; `None` for a site's own.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<OffsetDateTime>,
}
