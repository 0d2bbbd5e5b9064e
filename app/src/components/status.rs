//! How something stands: a word, a picture and a colour, never a colour alone.

use super::{
    alert::Tone,
    icon::{Glyph, Icon},
};
use leptos::prelude::*;
use model::{
    deployment::Status,
    views::{InvitationState, Outcome, PreviewState, SiteStatus, VerificationState},
};

/// A state in a word.
#[component]
pub fn Pill(
    /// Its colour.
    tone: Tone,
    /// Its picture.
    glyph: Glyph,
    /// The word.
    label: &'static str,
) -> impl IntoView {
    view! {
        <span class=format!("pill {}", tone.class())>
            <Icon glyph class="size-3.5" />
            {label}
        </span>
    }
}

/// Words, picture and colour of a deployment's status.
pub fn describe(status: Status) -> (Tone, Glyph, &'static str) {
    match status {
        Status::Queued => (Tone::Neutral, Glyph::Clock, "Queued"),
        Status::Fetching => (Tone::Info, Glyph::Spinner, "Fetching"),
        Status::Building => (Tone::Info, Glyph::Spinner, "Building"),
        Status::Starting => (Tone::Info, Glyph::Spinner, "Starting"),
        Status::Verifying => (Tone::Info, Glyph::Spinner, "Verifying"),
        Status::Switching => (Tone::Info, Glyph::Spinner, "Switching"),
        Status::Live => (Tone::Success, Glyph::Check, "Live"),
        Status::Failed => (Tone::Danger, Glyph::Alert, "Failed"),
        Status::Cancelled => (Tone::Neutral, Glyph::Ban, "Cancelled"),
        Status::Superseded => (Tone::Neutral, Glyph::Minus, "Superseded"),
    }
}

/// A deployment's status. One that was live and has a successor is told apart from the one that serves.
#[component]
pub fn DeploymentStatus(
    /// Its status.
    status: Status,
    /// It serves now.
    is_current: bool,
) -> impl IntoView {
    let (tone, glyph, label) = match (status, is_current) {
        (Status::Live, false) => (Tone::Neutral, Glyph::Check, "Replaced"),
        (status, _) => describe(status),
    };
    view! { <Pill tone glyph label /> }
}

/// A site's status.
#[component]
pub fn SiteStatusPill(
    /// Its status.
    status: SiteStatus,
) -> impl IntoView {
    let (tone, glyph, label) = match status {
        SiteStatus::New => (Tone::Neutral, Glyph::Clock, "New"),
        SiteStatus::Deploying => (Tone::Info, Glyph::Spinner, "Deploying"),
        SiteStatus::Live => (Tone::Success, Glyph::Check, "Live"),
        SiteStatus::Failed => (Tone::Danger, Glyph::Alert, "Failed"),
        SiteStatus::Deleting => (Tone::Warning, Glyph::Trash, "Deleting"),
    };
    view! { <Pill tone glyph label /> }
}

/// What came of a webhook.
#[component]
pub fn OutcomePill(
    /// What.
    outcome: Outcome,
) -> impl IntoView {
    let (tone, glyph, label) = match outcome {
        Outcome::Queued => (Tone::Success, Glyph::Rocket, "Queued"),
        Outcome::Ignored => (Tone::Neutral, Glyph::Minus, "Ignored"),
        Outcome::Duplicate => (Tone::Neutral, Glyph::Copy, "Duplicate"),
        Outcome::Unreadable => (Tone::Warning, Glyph::Alert, "Unreadable"),
        Outcome::Refused => (Tone::Danger, Glyph::Ban, "Refused"),
    };
    view! { <Pill tone glyph label /> }
}

/// How an invitation stands.
#[component]
pub fn InvitationPill(
    /// How.
    state: InvitationState,
) -> impl IntoView {
    let (tone, glyph, label) = match state {
        InvitationState::Open => (Tone::Info, Glyph::Clock, "Open"),
        InvitationState::Expired => (Tone::Warning, Glyph::Alert, "Expired"),
        InvitationState::Accepted => (Tone::Success, Glyph::Check, "Accepted"),
        InvitationState::Withdrawn => (Tone::Neutral, Glyph::Ban, "Withdrawn"),
    };
    view! { <Pill tone glyph label /> }
}

/// How the preview of a pull request stands.
#[component]
pub fn PreviewPill(
    /// How.
    state: PreviewState,
) -> impl IntoView {
    let (tone, glyph, label) = match state {
        PreviewState::Active => (Tone::Success, Glyph::Rocket, "Preview"),
        PreviewState::Approval => (Tone::Warning, Glyph::Alert, "Waits for approval"),
        PreviewState::Waiting => (Tone::Info, Glyph::Clock, "Waits for room"),
        PreviewState::Idle => (Tone::Neutral, Glyph::Clock, "Removed: idle"),
        PreviewState::Removed => (Tone::Neutral, Glyph::Trash, "Removed"),
        PreviewState::Refused => (Tone::Neutral, Glyph::Ban, "No preview"),
        PreviewState::Closed => (Tone::Neutral, Glyph::Close, "Closed"),
        PreviewState::Merged => (Tone::Neutral, Glyph::Check, "Merged"),
    };
    view! { <Pill tone glyph label /> }
}

/// Whether it is proven who holds a domain.
#[component]
pub fn DomainPill(
    /// How it stands.
    state: VerificationState,
) -> impl IntoView {
    let (tone, glyph, label) = match state {
        VerificationState::Pending => (Tone::Neutral, Glyph::Clock, "Not verified"),
        VerificationState::Verified => (Tone::Success, Glyph::Check, "Verified"),
        VerificationState::RecordMissing => (Tone::Warning, Glyph::Alert, "Record missing"),
    };
    view! { <Pill tone glyph label /> }
}

/// How a service runs.
#[component]
pub fn ServiceStatus(
    /// `running`, `stopped`, `missing` or `pending`.
    status: String,
) -> impl IntoView {
    let (tone, glyph, label) = match status.as_str() {
        "running" => (Tone::Success, Glyph::Check, "Running"),
        "pending" => (Tone::Neutral, Glyph::Clock, "Pending"),
        "stopped" => (Tone::Warning, Glyph::Minus, "Stopped"),
        "missing" => (Tone::Danger, Glyph::Alert, "Missing"),
        _ => (Tone::Neutral, Glyph::Info, "Unknown"),
    };
    view! { <Pill tone glyph label /> }
}
