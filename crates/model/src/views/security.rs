//! How an account is signed in to, as its owner sees it.

use crate::PasskeyId;
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// How an account is signed in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecurityView {
    /// Since when it has a second factor; none: it has none.
    #[serde(with = "time::serde::rfc3339::option")]
    pub second_factor_since: Option<OffsetDateTime>,
    /// Recovery codes that are left.
    pub recovery_codes: i64,
    /// A second factor that is being set up.
    pub setup: Option<TotpSetupView>,
    /// The account's passkeys, the oldest first.
    pub passkeys: Vec<PasskeyView>,
    /// There can be passkeys: the platform is reached by a host's name.
    pub passkeys_possible: bool,
    /// Its owner knows a password; an account that came by a provider has none until it is reset.
    pub has_password: bool,
    /// Accounts at providers by which it is signed in to.
    pub identities: Vec<IdentityView>,
    /// Providers that there are.
    pub providers: Vec<ProviderView>,
}

/// A provider of accounts that one can sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderView {
    /// `github`, `google`, `oidc`.
    pub key: String,
    /// What people call it.
    pub label: String,
}

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityView {
    /// The provider's key.
    pub provider: String,
    /// What people call the provider.
    pub label: String,
    /// The address there, when it was linked.
    pub email: String,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When somebody signed in with it last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasskeyView {
    /// Id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When somebody signed in with it last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// A second factor that is being set up: what the app on the phone has to know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotpSetupView {
    /// The secret in Base32, in groups of four.
    pub secret: String,
    /// All that the app needs, as an address (`otpauth://`).
    pub url: String,
    /// The same as a picture.
    pub qr: QrView,
}

/// Without the secret.
impl fmt::Debug for TotpSetupView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TotpSetupView").finish_non_exhaustive()
    }
}

/// A QR code as a drawing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QrView {
    /// Width and height, the quiet margin included.
    pub size: i32,
    /// The dark squares, as the `d` of an SVG path.
    pub path: String,
}
