//! What becomes of a pull request's preview, decided on plain data.

use forge::webhook::{Provider, PullAction, PullRequest};
use model::views::{PreviewSettings, PreviewState};
use time::OffsetDateTime;

/// The preview's environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// There is none.
    None,
    /// It is there.
    Ready,
    /// It is being removed.
    Going,
}

/// What is known of a pull request from before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) state: PreviewState,
    pub(crate) head: Option<&'a str>,
    /// The commit that a member let be built.
    pub(crate) approved: Option<&'a str>,
    /// When the forge says it was changed last.
    pub(crate) changed_at: Option<OffsetDateTime>,
}

/// What is decided by, beside what the forge told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) settings: PreviewSettings,
    /// The platform keeps the repository itself.
    pub(crate) is_hosted: bool,
    /// The event is of another repository than the site's.
    pub(crate) is_elsewhere: bool,
    pub(crate) known: Option<Known<'a>>,
    pub(crate) place: Place,
    /// Previews that the site has, those that are being removed counted.
    pub(crate) count: usize,
    /// Why no environment can be made for it, in plain words.
    pub(crate) obstacle: Option<&'a str>,
}

/// What is to be done with the preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Nothing,
    /// Make its environment, and deploy the newest commit there.
    Make,
    /// Deploy the newest commit to the environment that is there.
    Deploy,
    /// Remove its environment with its data.
    Remove,
}

/// What was decided, and the whole in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// How the preview stands from now on; `None`: the pull request is not noted.
    pub(crate) state: Option<PreviewState>,
    pub(crate) act: Act,
    pub(crate) reason: String,
}

impl Decision {
    fn new(state: impl Into<Option<PreviewState>>, act: Act, reason: impl Into<String>) -> Self {
        Self { state: state.into(), act, reason: reason.into() }
    }
}

/// Decides what an event of a pull request means.
pub(crate) fn decide(pull: &PullRequest, provider: Provider, at: &Situation<'_>) -> Decision {
    let known_at = at.known.and_then(|known| known.changed_at);
    let decision = match &pull.action {
        // Deliveries overtake each other, and old ones are replayed.
        _ if known_at.zip(pull.changed_at).is_some_and(|(known, told)| told < known) => {
            Decision::new(None, Act::Nothing, "The forge told of something newer before, which stands.")
        }
        PullAction::Merged | PullAction::Closed if at.is_elsewhere => {
            Decision::new(None, Act::Nothing, "It is of another repository than this site's.")
        }
        PullAction::Merged => over(PreviewState::Merged, at),
        PullAction::Closed => over(PreviewState::Closed, at),
        PullAction::Other(_) => Decision::new(None, Act::Nothing, "That changes nothing about its preview."),
        PullAction::Opened | PullAction::Updated => under_way(pull, provider, at),
    };
    Decision { reason: told(pull, &decision.reason), ..decision }
}

/// Nothing is done for a site that is being removed.
pub(crate) fn going(pull: &PullRequest) -> Decision {
    Decision::new(None, Act::Nothing, told(pull, "The site is being removed; nothing is deployed."))
}

fn told(pull: &PullRequest, reason: &str) -> String {
    let PullRequest { noun, number, title, action, .. } = pull;
    let title = if title.is_empty() { String::new() } else { format!(", “{title}”,") };
    format!("{noun} {number}{title} was {action}. {reason}")
}

fn over(state: PreviewState, at: &Situation<'_>) -> Decision {
    let state = at.known.map(|_| state);
    match at.place {
        Place::Ready => Decision::new(state, Act::Remove, "Its preview is removed."),
        Place::Going => Decision::new(state, Act::Nothing, "Its preview is being removed already."),
        Place::None => Decision::new(state, Act::Nothing, "It has no preview."),
    }
}

fn under_way(pull: &PullRequest, provider: Provider, at: &Situation<'_>) -> Decision {
    let is_opened = pull.action == PullAction::Opened;
    let before = at.known.map(|known| known.state);
    if at.is_hosted {
        let reason = "This site's repository is kept here, where there are no pull requests; nothing is deployed.";
        return Decision::new(None, Act::Nothing, reason);
    }
    if at.is_elsewhere {
        let reason = "It is of another repository than this site's; nothing is deployed.";
        return Decision::new(None, Act::Nothing, reason);
    }
    let head = pull.commit.as_ref().map(AsRef::<str>::as_ref);
    if !at.settings.enabled {
        let is_moved = at.known.is_some_and(|known| known.head != head);
        let state = match before {
            Some(state) if is_opened && state.is_over() => Some(PreviewState::Removed),
            // So that no approval outlives its commit.
            Some(_) if pull.from_fork && is_moved => Some(PreviewState::Approval),
            // Its commit is not noted: once previews are on, its next event, or a replay of this one, deploys it.
            _ => None,
        };
        let reason = "Previews are turned off for this site; turn them on on its page “Previews”.";
        return Decision::new(state, Act::Nothing, reason);
    }
    if let Some(state) = before.filter(|state| state.is_over() && !is_opened) {
        return Decision::new(state, Act::Nothing, "It is closed, so it gets no preview.");
    }
    if let Some(reason) = refusal(pull, provider) {
        return Decision::new(PreviewState::Refused, Act::Nothing, reason);
    }
    if let Some(known) = at.known
        && !known.state.is_over()
        && known.state != PreviewState::Refused
        && !(is_opened && matches!(known.state, PreviewState::Removed | PreviewState::Idle))
        && head.is_some()
        && head == known.head
    {
        return Decision::new(known.state, Act::Nothing, "It has no new commit, so nothing is deployed.");
    }
    if pull.from_fork && (head.is_none() || at.known.and_then(|known| known.approved) != head) {
        let reason = "It comes from a fork: nothing of its newest commit is fetched or built until a member approves \
                      that commit on the site's page “Previews”.";
        return Decision::new(PreviewState::Approval, Act::Nothing, reason);
    }
    admitted(at)
}

/// Why this pull request can have no preview at all.
fn refusal(pull: &PullRequest, provider: Provider) -> Option<&'static str> {
    match provider {
        _ if !pull.from_fork => None,
        Provider::Bitbucket => Some(
            "It comes from a fork, and Bitbucket keeps a fork's commits out of this repository: there is no preview. \
             A branch of the repository itself gets one.",
        ),
        _ if pull.commit.is_none() => {
            Some("It comes from a fork, and the forge did not say which commit is its newest: there is no preview.")
        }
        _ => None,
    }
}

/// What becomes of a pull request whose newest commit may be built: also once it was approved, and once there is room.
pub(crate) fn admitted(at: &Situation<'_>) -> Decision {
    match (at.place, at.obstacle) {
        (Place::Ready, _) => Decision::new(PreviewState::Active, Act::Deploy, "Deploying it to its preview."),
        (Place::Going, _) => {
            let reason = "Its preview is made anew as soon as the one before is removed.";
            Decision::new(PreviewState::Waiting, Act::Nothing, reason)
        }
        (Place::None, Some(obstacle)) => Decision::new(PreviewState::Refused, Act::Nothing, obstacle),
        (Place::None, None) if at.count >= usize::try_from(at.settings.max).unwrap_or(0) => {
            let reason = format!(
                "The site has as many previews as its settings allow, {}: this one waits, and is made once there is room.",
                at.settings.max
            );
            Decision::new(PreviewState::Waiting, Act::Nothing, reason)
        }
        (Place::None, None) => Decision::new(PreviewState::Active, Act::Make, "Deploying it to a preview of its own."),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
