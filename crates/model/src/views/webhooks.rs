//! Webhooks: where a forge sends them, what came, and what came of it.

use crate::{DeliveryId, DeploymentId, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Where a forge sends its pushes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookView {
    /// The address.
    pub url: String,
    /// Shown once, when the site is created and when the secret is replaced (the dashboard may reveal it to those who
    /// may change the site).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret before this one works until then.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<OffsetDateTime>,
}

/// What came of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A deployment was queued.
    Queued,
    /// Nothing was to be done.
    Ignored,
    /// It was received before; nothing was done again. Only ever an answer: the inbox counts the first one on.
    Duplicate,
    /// It was signed, but its body is no webhook that we can read.
    Unreadable,
    /// Its signature was missing or wrong.
    Refused,
}

impl Outcome {
    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ignored => "ignored",
            Self::Duplicate => "duplicate",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }
    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Queued, Self::Ignored, Self::Duplicate, Self::Unreadable, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// Which of a site's two secrets made a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignedWith {
    /// The present one.
    Secret,
    /// The one before, which goes on working for a while after it was replaced.
    OldSecret,
}

impl SignedWith {
    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::OldSecret => "old_secret",
        }
    }
    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Secret, Self::OldSecret].into_iter().find(|it| it.as_str() == word)
    }
}

/// A webhook that was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryView {
    /// Id.
    pub id: DeliveryId,
    /// Its site.
    pub site_id: SiteId,
    /// `github`, `gitlab`, `bitbucket` or `gitea`, which is Forgejo too.
    pub provider: String,
    /// The forge's own word, such as `push`, `Push Hook` or `repo:push`.
    pub event: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in plain words.
    pub reason: String,
    /// What it started.
    pub deployment_id: Option<DeploymentId>,
    /// The delivery that this one replays.
    pub replay_of: Option<DeliveryId>,
    /// Which secret it was signed with; `None` for a replay and for what was refused.
    pub signed_with: Option<SignedWith>,
    /// How often the forge sent it. What is refused is one row an hour, and not counted beyond 100.
    pub times: i32,
    /// When it came first.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
}

/// A webhook that was received, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryDetail {
    /// The short of it.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// Names in lower case; what proves the sender is hidden.
    pub headers: BTreeMap<String, String>,
    /// The body as text, or its beginning.
    pub body: String,
    /// How long the whole body is.
    pub body_bytes: i64,
    /// The body is longer than what is shown of it.
    pub body_cut: bool,
    /// It can be replayed, and the caller may.
    pub can_replay: bool,
}
