//! The words of the domain: ids, validated names, states, plans and events. Pure data, safe in the browser.

pub mod actor;
pub mod deployment;
pub mod dotenv;
pub mod event;
pub mod hardening;
pub mod ids;
pub mod members;
pub mod names;
pub mod plan;
pub mod problem;
pub mod site;
pub mod size;
pub mod ssh;
pub mod views;

pub use actor::{Actor, Grant, Origin, Role, Scope};
pub use ids::{
    AuditId, DeliveryId, DeployKeyId, DeploymentId, DomainId, EnvironmentId, InvitationId, MailId, PasskeyId, PushId,
    ReleaseId, SessionId, SiteId, TeamId, TokenId, UserId,
};
pub use problem::{FieldError, Problem};
