//! What the dashboard and the REST API show: one shape for both.

mod accounts;
mod admin;
mod audit;
mod deploy_keys;
mod domains;
mod github;
mod previews;
mod quotas;
mod security;
mod teams;
mod tokens;
mod webhooks;

pub use accounts::{DeletionView, LinkKind, LinkView, OwnSiteView, SessionKind, SessionView};
pub use admin::{
    AdminSiteView, AdminTeamView, MachineView, OverviewView, PartView, SettingView, SignupMode, SignupView,
};
pub use audit::{AuditActor, AuditFilter, AuditTarget, AuditToken, AuditView};
pub use deploy_keys::DeployKeyView;
pub use domains::{CertificateState, CertificateView, DnsRecord, DomainView, VerificationState, VerificationView};
pub use github::{GitHubAppView, GitHubManifest, GitHubRepositoryView, InstallationView};
pub use previews::{ApprovalView, PreviewSettings, PreviewState, PreviewView, PullRequestView};
pub use quotas::{Quota, QuotaView, TeamQuotasView};
pub use security::{IdentityView, PasskeyView, ProviderView, QrView, SecurityView, TotpSetupView};
pub use teams::{Accepted, InvitationLook, InvitationState, InvitationView, MemberView, NewInvitationView, TeamDetail};
pub use tokens::{NewTokenView, TokenView};
pub use webhooks::{DeliveryDetail, DeliveryView, Outcome, SignedWith, WebhookView};

use crate::{
    DeploymentId, SiteId, TeamId, UserId,
    actor::Role,
    deployment::{Status, Step, StepStatus, Stream, Trigger},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// An account, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserView {
    /// Id.
    pub id: UserId,
    /// Address.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// Somebody who reads mail at this address has said that it is theirs.
    #[serde(default)]
    pub email_verified: bool,
    /// Administrator of the platform.
    pub is_admin: bool,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A team, short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryView {
    /// `hosted` or `remote`.
    pub kind: String,
    /// The address for `git clone`.
    pub clone_url: String,
    /// The branch that production deploys.
    pub branch: String,
    /// The template it began from, if any.
    pub template: Option<String>,
    /// An access token is kept for it, which is never shown.
    #[serde(default)]
    pub has_token: bool,
    /// The key that opens it, where it is reached over SSH; for those who may change the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_key: Option<DeployKeyView>,
    /// It comes through the GitHub App, which needs no token that is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub through_github: bool,
    /// Why the forge was not told how the newest deployment stands; nothing where it was, or need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_problem: Option<String>,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What it wants of its previews.
    pub previews: PreviewSettings,
    /// Production's newest deployment.
    pub latest_deployment: Option<DeploymentSummary>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// The answer to creating a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedSite {
    /// The site, with its webhook secret.
    #[serde(flatten)]
    pub site: SiteView,
    /// The first deployment, already queued; `None` for an empty hosted repository, which waits for its first push.
    pub deployment_id: Option<DeploymentId>,
}

/// A deployment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// What became of a release in the first while after its switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Still looked at.
    Watching,
    /// Nothing was wrong.
    Well,
    /// Something was wrong, and there was nothing to go back to.
    Unwell,
    /// Something was wrong; the release before serves again.
    RolledBack,
    /// Another one took its place before the time was over.
    Replaced,
}

/// What was seen of a release after its switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WatchView {
    /// What became of it.
    pub verdict: Verdict,
    /// What was wrong.
    pub reason: Option<String>,
    /// Watched until then.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// Requests that got no answer of the site (502, 503, 504) from the switch until the old release was gone.
    pub failed_requests: i64,
}

/// A deployment, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// Why the platform itself began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed.
    pub error: Option<DeploymentError>,
    /// What was seen of its release after the switch; `None` if it never went live.
    pub watch: Option<WatchView>,
    /// In the queue: how many begin before it (0 is next).
    pub queue_position: Option<i64>,
    /// In the queue: what it waits for.
    pub waits_for: Option<WaitsFor>,
    /// What it left, while it is kept: it can be gone back to and promoted.
    pub release: Option<KeptRelease>,
    /// Where its commit is on the forge; `None` while it is not known, and for a repository that is kept here.
    pub commit_url: Option<String>,
    /// For a preview: the pull request that it is of.
    pub pull_request: Option<PullRequestView>,
    /// Where the environment answers.
    pub url: String,
    /// Whether the caller may cancel it, repeat it and go back to it.
    pub may_write: bool,
}

/// What a deployment in the queue waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WaitsFor {
    /// A free worker, in its turn.
    Turn,
    /// Another deployment of the same environment.
    Environment {
        /// That one's number.
        number: i64,
    },
    /// Another build of its team: the team's quota lets no more be built at the same time.
    Quota,
    /// Its next try, after something failed that may be well again.
    Retry {
        /// Not before then.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// A deployment that waits or runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueItem {
    /// Which.
    pub deployment_id: DeploymentId,
    /// 1, 2, 3 … of its site.
    pub number: i64,
    /// Its site.
    pub site_id: SiteId,
    /// The site's name.
    pub site_name: String,
    /// The owner's name.
    pub team_name: String,
    /// Environment's name.
    pub environment: String,
    /// Where it stands.
    pub status: Status,
    /// How many begin before it (0 is next); `None` if it runs.
    pub position: Option<i64>,
    /// What it waits for; `None` if it runs.
    pub waits_for: Option<WaitsFor>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When a worker began.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
}

/// What waits and what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueView {
    /// Those that the caller may see: what runs, then what waits in its order.
    pub items: Vec<QueueItem>,
    /// How many more there are, of other teams.
    pub others: usize,
    /// Deployments that a machine works on at once.
    pub at_once: usize,
}

/// A release that is kept, as to what can be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeptRelease {
    /// The version of the environment's variables that it ran with.
    pub variables_version: i64,
    /// The version that is saved there today.
    pub saved_variables_version: i64,
    /// The other environments that it may be promoted to.
    pub promotable_to: Vec<String>,
}

/// An environment of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentView {
    /// Its name; unique within the site.
    pub name: String,
    /// The branch it deploys.
    pub branch: String,
    /// Where it answers: at its primary domain, if it has one.
    pub url: String,
    /// The host that it has from the platform, and that leads to it beside its domains.
    pub host: String,
    /// How it stands.
    pub status: SiteStatus,
    /// Nothing new is deployed to it.
    pub paused: bool,
    /// The folder of the repository that the site lies in; empty is the repository itself.
    pub root: String,
    /// A push that changes none of these is not deployed; with none, every push is.
    pub watch: Vec<String>,
    /// Its services.
    pub services: Vec<ServiceView>,
    /// What left the release that serves now.
    pub current_deployment: Option<DeploymentSummary>,
    /// The newest deployment.
    pub latest_deployment: Option<DeploymentSummary>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// Lines, by number.
    pub items: Vec<LogItem>,
    /// The deployment has ended and there are no further lines.
    pub complete: bool,
    /// The lines were removed then: logs are kept for a time only.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<OffsetDateTime>,
}

/// What a site takes of the disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageView {
    /// Images of its releases, with the layers that its builds made.
    pub images: u64,
    /// Volumes; `None` where the platform cannot look into them.
    pub volumes: Option<u64>,
    /// The repository that the platform keeps for it.
    pub repository: u64,
    /// Logs of its deployments.
    pub logs: u64,
}

/// A template to begin from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// Who may register now, told to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignupState {
    /// Everybody.
    Open,
    /// Everybody; who brings the one-time token printed at first start becomes the first administrator.
    OpenWithoutAdmin,
    /// The first administrator, with the one-time token printed at first start.
    NeedsSetupToken,
    /// Invited people only.
    Closed,
}

/// Whether an address is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlugCheck {
    /// As it would be used.
    pub slug: String,
    /// It can be taken.
    pub available: bool,
    /// Why not, or where the site would answer.
    pub message: String,
}

/// A variable of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariableView {
    /// Its name.
    pub name: String,
    /// Its value never leaves the platform again but to the site's services.
    pub secret: bool,
    /// `None` for a secret.
    pub value: Option<String>,
}

/// The variables of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariablesView {
    /// Grows with every change; 0 before the first. Sent back with a change, it proves that nothing was overwritten
    /// unseen.
    pub version: i64,
    /// The version that what serves now was started with; `None` while nothing serves.
    pub running_version: Option<i64>,
    /// By name.
    pub variables: Vec<VariableView>,
}
