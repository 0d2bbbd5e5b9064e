//! What the dashboard and the REST API show: one shape for both.

use crate::{
    DeliveryId, DeploymentId, SiteId, TeamId, UserId,
    actor::Role,
    deployment::{Status, Step, StepStatus, Stream, Trigger},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// An account, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Id.
    pub id: UserId,
    /// Address.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// Administrator of the platform.
    pub is_admin: bool,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A team, short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    /// Id.
    pub id: TeamId,
    /// In container names and Git addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// The caller's role, where it is a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// How a site stands: what a visitor would find, and what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteStatus {
    /// Never live yet, and nothing goes on.
    New,
    /// A deployment waits or runs.
    Deploying,
    /// Serving.
    Live,
    /// The last deployment failed and nothing serves.
    Failed,
    /// Being removed.
    Deleting,
}

impl SiteStatus {
    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Deploying => "deploying",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
        }
    }
}

/// A service of a site, as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// `running`, `stopped`, `missing`, `pending`.
    pub status: String,
    /// The path on the site's host, if it has one.
    pub route: Option<String>,
    /// The image.
    pub image: String,
    /// The port inside the container.
    pub port: u16,
}

/// Where the code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryView {
    /// `hosted` or `remote`.
    pub kind: String,
    /// The address for `git clone`.
    pub clone_url: String,
    /// The branch that production deploys.
    pub branch: String,
    /// The template it began from, if any.
    pub template: Option<String>,
}

/// Where a forge sends its pushes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookView {
    /// The address.
    pub url: String,
    /// Shown once, when the site is created (the dashboard may reveal it to those who may change the site).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    /// Id.
    pub id: SiteId,
    /// On the web.
    pub slug: String,
    /// For people.
    pub name: String,
    /// Owner.
    pub team: TeamView,
    /// Production's address.
    pub url: String,
    /// How it stands.
    pub status: SiteStatus,
    /// Its services.
    pub services: Vec<ServiceView>,
    /// Its code.
    pub repository: RepositoryView,
    /// Its webhook.
    pub webhook: WebhookView,
    /// The newest deployment.
    pub latest_deployment: Option<DeploymentSummary>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// The answer to creating a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedSite {
    /// The site, with its webhook secret.
    #[serde(flatten)]
    pub site: SiteView,
    /// The first deployment, already queued; `None` for an empty hosted repository, which waits for its first push.
    pub deployment_id: Option<DeploymentId>,
}

/// A deployment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentSummary {
    /// Id.
    pub id: DeploymentId,
    /// Its site.
    pub site_id: SiteId,
    /// 1, 2, 3 … of its site.
    pub number: i64,
    /// Environment's name.
    pub environment: String,
    /// Where it stands.
    pub status: Status,
    /// What asked for it.
    pub trigger: Trigger,
    /// Full id, once known.
    pub commit: Option<String>,
    /// First line of the commit's message.
    pub message: Option<String>,
    /// The commit's author.
    pub author: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// This is the release that serves now.
    pub is_current: bool,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When a worker began.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
}

/// A step of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// Which.
    pub name: Step,
    /// How it stands.
    pub status: StepStatus,
    /// Begun.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// Ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
}

/// Why a deployment failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentError {
    /// Stable, see [`crate::deployment::FailureCode`].
    pub code: String,
    /// The step it failed in.
    pub step: Option<Step>,
    /// The service, if it was one.
    pub service: Option<String>,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A deployment, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentView {
    /// The short of it.
    #[serde(flatten)]
    pub summary: DeploymentSummary,
    /// Its site's name and slug, for headings.
    pub site_name: String,
    /// The site's slug.
    pub site_slug: String,
    /// Its steps, in order.
    pub steps: Vec<StepView>,
    /// Why it failed.
    pub error: Option<DeploymentError>,
    /// In the queue: how many stand before it (0 is next).
    pub queue_position: Option<i64>,
    /// Where the environment answers.
    pub url: String,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogItem {
    /// 1, 2, 3 … without gaps within a deployment.
    pub seq: i64,
    /// When it was read.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Where from.
    pub stream: Stream,
    /// The text, ANSI colours left in, without line end.
    pub text: String,
}

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// Lines, by number.
    pub items: Vec<LogItem>,
    /// The deployment has ended and there are no further lines.
    pub complete: bool,
}

/// A template to begin from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    /// Its id in the API.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Its services.
    pub services: Vec<String>,
}

/// A webhook that was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// Id.
    pub id: DeliveryId,
    /// Its site.
    pub site_id: SiteId,
    /// Forge.
    pub provider: String,
    /// `push`, `ping`, …
    pub event: String,
    /// `queued`, `ignored` or `duplicate`.
    pub outcome: String,
    /// In plain words.
    pub reason: String,
    /// What it started.
    pub deployment_id: Option<DeploymentId>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
}

/// Who may register now, told to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignupState {
    /// Everybody.
    Open,
    /// The first administrator, with the one-time token printed at first start.
    NeedsSetupToken,
    /// Invited people only.
    Closed,
}

/// Whether an address is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlugCheck {
    /// As it would be used.
    pub slug: String,
    /// It can be taken.
    pub available: bool,
    /// Why not, or where the site would answer.
    pub message: String,
}
