//! A deployment's states, the one function that owns the legal moves, and the codes of its failures.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The word used in the database, the API and the log.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }
            /// Reads the word.
            pub fn from_word(word: &str) -> Option<Self> { match word { $($word => Some(Self::$variant),)* _ => None } }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words! {
    /// Where a deployment stands.
    Status {
        /// Waits for a worker.
        Queued = "queued",
        /// The commit is being fetched.
        Fetching = "fetching",
        /// Images are being built.
        Building = "building",
        /// New containers start beside the old.
        Starting = "starting",
        /// Health checks run.
        Verifying = "verifying",
        /// The route moves to the new release.
        Switching = "switching",
        /// Serving (or served, until the next one).
        Live = "live",
        /// Ended with an error; the old release still serves.
        Failed = "failed",
        /// Ended by a person.
        Cancelled = "cancelled",
        /// A newer one took its place before it began.
        Superseded = "superseded",
    }
}

words! {
    /// The steps a person sees, in order.
    Step {
        /// Get the commit.
        Fetch = "fetch",
        /// Build the images.
        Build = "build",
        /// Start the new containers.
        Start = "start",
        /// Wait until they are healthy.
        Verify = "verify",
        /// Move the route.
        Switch = "switch",
        /// Let the old release finish its requests, then remove it.
        Drain = "drain",
    }
}

words! {
    /// How a step stands.
    StepStatus {
        /// Not begun.
        Pending = "pending",
        /// Running.
        Running = "running",
        /// Done.
        Done = "done",
        /// Failed.
        Failed = "failed",
        /// Not run (rollback needs no build, say).
        Skipped = "skipped",
    }
}

words! {
    /// What asked for the deployment.
    Trigger {
        /// The site was created.
        Create = "create",
        /// A verified webhook.
        Webhook = "webhook",
        /// A person, in the dashboard or by the API.
        Manual = "manual",
        /// A push to the hosted repository.
        Push = "push",
        /// An earlier release again.
        Rollback = "rollback",
        /// The platform itself: the release that had just gone live was not well.
        AutoRollback = "auto_rollback",
        /// A release of another environment.
        Promote = "promote",
    }
}

words! {
    /// Which pipe a log line came from.
    Stream {
        /// Standard output of a build or a service.
        Stdout = "stdout",
        /// Standard error.
        Stderr = "stderr",
        /// What the platform itself says.
        Platform = "platform",
    }
}

words! {
    /// Why a deployment failed: stable codes, each with its remedy.
    FailureCode {
        /// The repository did not answer or refused.
        FetchFailed = "fetch_failed",
        /// The repository did not arrive in time.
        FetchTimeout = "fetch_timeout",
        /// The commit or branch is not in the repository.
        RefNotFound = "ref_not_found",
        /// The repository's server does not let the deploy key in.
        DeployKeyRefused = "deploy_key_refused",
        /// The repository's server shows another key than before.
        HostKeyChanged = "host_key_changed",
        /// The repository is too large or holds what cannot be deployed safely.
        RepositoryRefused = "repository_refused",
        /// Nothing that can be deployed was found in the repository.
        NothingToDeploy = "nothing_to_deploy",
        /// `webmeteor.toml` cannot be read.
        ManifestInvalid = "manifest_invalid",
        /// A build ended with an error.
        BuildFailed = "build_failed",
        /// A service is to be built from a folder without a Dockerfile.
        DockerfileMissing = "dockerfile_missing",
        /// A build took longer than allowed.
        BuildTimeout = "build_timeout",
        /// A build used more memory than allowed.
        BuildOutOfMemory = "build_out_of_memory",
        /// A build ran more processes than allowed.
        BuildTooManyProcesses = "build_too_many_processes",
        /// An image is larger than allowed.
        ImageTooLarge = "image_too_large",
        /// An image that the repository names cannot be had.
        ImageUnavailable = "image_unavailable",
        /// The release to go back to is no longer kept.
        ReleaseGone = "release_gone",
        /// The disk has too little room.
        DiskFull = "disk_full",
        /// Another installation on the same engine has things of these names.
        NameTaken = "name_taken",
        /// A container could not be made or started.
        StartFailed = "start_failed",
        /// The containers were not made in time.
        StartTimeout = "start_timeout",
        /// A container ended again right after its start.
        CrashLoop = "crash_loop",
        /// A container was ended because it used more memory than allowed.
        OutOfMemory = "out_of_memory",
        /// No program listens on the port.
        NotListening = "not_listening",
        /// The health check was not answered in time.
        HealthCheckSlow = "health_check_slow",
        /// The health check did not turn green in time.
        HealthCheckFailed = "health_check_failed",
        /// The proxy did not take the new route.
        SwitchFailed = "switch_failed",
        /// The engine that runs containers did not answer.
        EngineUnavailable = "engine_unavailable",
        /// The release would use more than its team may.
        QuotaExceeded = "quota_exceeded",
        /// The platform itself failed.
        Internal = "internal",
    }
}

impl FailureCode {
    /// What a person does about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::FetchFailed => {
                "Check that the repository's address is right and that it can be reached, then deploy again."
            }
            Self::FetchTimeout => {
                "Deploy again; if the repository is large, make it smaller or ask the operator for a longer time limit."
            }
            Self::RefNotFound => "Push the branch that this environment deploys, or choose another branch.",
            Self::DeployKeyRefused => {
                "Add the deploy key in the site's settings to the repository at its forge, then deploy again."
            }
            Self::HostKeyChanged => {
                "Ask whoever runs the server whether its key was changed; if so, accept the new one in the site's settings."
            }
            Self::RepositoryRefused => "Change the repository as the message says, and push again.",
            Self::NothingToDeploy => {
                "Add a webmeteor.toml, a Dockerfile, an index.html, or folders www/ and api/ with a Dockerfile each."
            }
            Self::ManifestInvalid => "Correct webmeteor.toml as the message says, and push again.",
            Self::BuildFailed => "Read the last lines of the build log, correct the build, and push again.",
            Self::DockerfileMissing => "Add a Dockerfile to that folder, or name another folder in webmeteor.toml.",
            Self::BuildOutOfMemory => {
                "Make the build use less memory (fewer jobs side by side, say), or ask the operator for more."
            }
            Self::BuildTooManyProcesses => {
                "Look for a step that starts processes without end, or ask the operator for a higher limit."
            }
            Self::ImageTooLarge => {
                "Leave build tools and caches out of the image: build in one stage and copy the result into another."
            }
            Self::BuildTimeout => "Make the build faster, or ask the operator for a longer time limit.",
            Self::ImageUnavailable => {
                "Check the image's name in webmeteor.toml; it must be on this machine or in a public registry."
            }
            Self::ReleaseGone => "Redeploy its commit instead.",
            Self::DiskFull => "Ask the operator to free disk space; nothing of your site was changed.",
            Self::NameTaken => {
                "Make the site under another name. Or delete the site that has it in the other WebMeteor; what a site or a \
                 WebMeteor that is gone for good has left is moved or removed by the operator."
            }
            Self::StartFailed => "Check the service's image and command.",
            Self::CrashLoop => "Read the service's last lines: it ended by itself. Correct it, and push again.",
            Self::OutOfMemory => "Give the service more memory in webmeteor.toml, or make it use less.",
            Self::NotListening => {
                "Make the program listen on 0.0.0.0 and on the port in the variable PORT, or name its port in webmeteor.toml."
            }
            Self::HealthCheckFailed => {
                "Make the health path answer with a status below 400, or name another in webmeteor.toml."
            }
            Self::HealthCheckSlow => {
                "Make the health path answer faster, or give it a longer `timeout` or `start_period` in webmeteor.toml."
            }
            Self::StartTimeout | Self::SwitchFailed => {
                "Deploy again; if it happens twice, ask the operator to run `webmeteor doctor`."
            }
            Self::EngineUnavailable => {
                "Ask the operator to run `webmeteor doctor`; deploy again when the engine answers."
            }
            Self::QuotaExceeded => "Do what the message says, then deploy again; what served before still serves.",
            Self::Internal => "Deploy again; if it happens twice, tell the operator.",
        }
    }
}

impl Status {
    /// Nothing more happens to it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Live | Self::Failed | Self::Cancelled | Self::Superseded)
    }
    /// A worker is at it.
    pub fn is_running(self) -> bool {
        !self.is_final() && self != Self::Queued
    }
    /// May still be cancelled without touching what serves.
    pub fn is_cancellable(self) -> bool {
        !self.is_final() && self != Self::Switching
    }
    /// The one place that owns the legal moves. A running one may go back to `queued`: its worker was lost.
    pub fn can_move_to(self, next: Self) -> bool {
        use Status::{Building, Cancelled, Failed, Fetching, Live, Queued, Starting, Superseded, Switching, Verifying};
        match (self, next) {
            (Queued, Fetching | Starting | Cancelled | Superseded | Failed)
            | (Fetching, Building | Starting)
            | (Building, Starting)
            | (Starting, Verifying)
            | (Verifying, Switching)
            | (Switching, Live)
            | (Fetching | Building | Starting | Verifying, Cancelled) => true,
            (from, Failed | Queued) => from.is_running(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_state_is_never_left() {
        for from in Status::ALL.iter().filter(|s| s.is_final()) {
            for to in Status::ALL {
                assert!(!from.can_move_to(*to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn live_is_reached_through_the_switch_alone() {
        for from in Status::ALL {
            assert_eq!(from.can_move_to(Status::Live), *from == Status::Switching, "{from}");
        }
    }

    #[test]
    fn a_switch_cannot_be_cancelled() {
        assert!(!Status::Switching.can_move_to(Status::Cancelled));
        for from in Status::ALL {
            assert_eq!(from.can_move_to(Status::Cancelled), from.is_cancellable(), "{from}");
        }
    }

    #[test]
    fn words_read_back() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(*status));
        }
    }
}
