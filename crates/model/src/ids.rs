//! Typed ids: a UUID v7 each, so that one kind can never be passed for another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; ids made later sort later.
            #[cfg(not(target_arch = "wasm32"))]
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self { Self(Uuid::now_v7()) }
            /// The first eight hexadecimal digits of the random part: short enough for a container's name.
            pub fn short(&self) -> String {
                let hex = self.0.simple().to_string();
                hex[hex.len() - 8..].to_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { Uuid::parse_str(s).map(Self) }
        }
    )*};
}

id! {
    /// An account.
    UserId
    /// A team: the owner of sites.
    TeamId
    /// A site.
    SiteId
    /// One environment of a site.
    EnvironmentId
    /// One attempt to bring a commit live in one environment.
    DeploymentId
    /// What a successful deployment left behind.
    ReleaseId
    /// A received webhook.
    DeliveryId
    /// A push to a repository that the platform keeps.
    PushId
    /// A key pair that opens a repository.
    DeployKeyId
    /// A refresh or API token.
    TokenId
    /// Something that an account is signed in with: a browser's session, or a program's sign-in.
    SessionId
    /// A note of who did what.
    AuditId
    /// An e-mail that is to be sent.
    MailId
    /// An invitation into a team.
    InvitationId
    /// A domain that leads to an environment.
    DomainId
    /// A passkey of an account.
    PasskeyId
}
