use super::*;
use model::names::CommitSha;

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";
const ON: PreviewSettings = PreviewSettings { enabled: true, max: 2, idle_days: 7 };
const ALL_PROVIDERS: [Provider; 4] = [Provider::GitHub, Provider::GitLab, Provider::Bitbucket, Provider::Gitea];

fn pull(action: PullAction, from_fork: bool, commit: Option<&str>) -> PullRequest {
    PullRequest {
        noun: "Pull request",
        number: 12,
        action,
        title: "Better".into(),
        author: None,
        source_branch: "fix".into(),
        target_branch: "main".into(),
        commit: commit.map(|commit| CommitSha::parse(commit).unwrap()),
        from_fork,
        changed_at: None,
        repository_urls: vec![],
    }
}

fn known(state: PreviewState) -> Known<'static> {
    Known { state, head: Some(OLD), approved: None, changed_at: None }
}

const UNKNOWN: Situation<'static> = Situation {
    settings: ON,
    is_hosted: false,
    is_elsewhere: false,
    known: None,
    place: Place::None,
    count: 0,
    obstacle: None,
};

/// What is decided, without its words.
fn on(pull: &PullRequest, at: &Situation<'_>) -> (Option<PreviewState>, Act) {
    let decision = decide(pull, Provider::GitHub, at);
    assert!(decision.reason.starts_with(&format!("Pull request 12, “Better”, was {}. ", pull.action)));
    (decision.state, decision.act)
}

#[test]
fn a_pull_request_that_is_opened_gets_a_preview() {
    use PreviewState::Active;
    for action in [PullAction::Opened, PullAction::Updated] {
        assert_eq!(on(&pull(action, false, Some(NEW)), &UNKNOWN), (Some(Active), Act::Make));
    }
    for state in PreviewState::ALL {
        let at = Situation { known: Some(known(state)), ..UNKNOWN };
        assert_eq!(on(&pull(PullAction::Opened, false, Some(NEW)), &at), (Some(Active), Act::Make), "{state:?}");
    }
    for state in [PreviewState::Closed, PreviewState::Merged] {
        let at = Situation { known: Some(known(state)), ..UNKNOWN };
        assert_eq!(on(&pull(PullAction::Opened, false, Some(OLD)), &at), (Some(Active), Act::Make), "as it was");
    }
}

#[test]
fn new_commits_are_deployed_and_nothing_else_is() {
    use PreviewState::{Active, Idle, Removed, Waiting};
    let updated = |commit| pull(PullAction::Updated, false, commit);
    let at = Situation { known: Some(known(Active)), place: Place::Ready, count: 2, ..UNKNOWN };
    assert_eq!(on(&updated(Some(NEW)), &at), (Some(Active), Act::Deploy), "whatever the limit");
    assert_eq!(on(&updated(Some(OLD)), &at), (Some(Active), Act::Nothing), "another title, say");
    assert_eq!(on(&updated(None), &at), (Some(Active), Act::Deploy), "a forge that does not tell the commit");
    assert_eq!(on(&pull(PullAction::Opened, false, Some(OLD)), &at), (Some(Active), Act::Nothing), "told twice");
    for state in [Idle, Removed, Waiting] {
        let at = Situation { known: Some(known(state)), ..UNKNOWN };
        assert_eq!(on(&updated(Some(NEW)), &at), (Some(Active), Act::Make), "{state:?}");
        assert_eq!(on(&updated(Some(OLD)), &at), (Some(state), Act::Nothing), "{state:?}");
    }
    for state in [Idle, Removed] {
        let at = Situation { known: Some(known(state)), ..UNKNOWN };
        assert_eq!(on(&pull(PullAction::Opened, false, Some(OLD)), &at), (Some(Active), Act::Make), "opened anew");
    }
    let other = pull(PullAction::Other("labeled".into()), false, Some(NEW));
    for at in [at, UNKNOWN] {
        assert_eq!(on(&other, &at), (None, Act::Nothing));
    }
}

#[test]
fn what_is_closed_goes_and_stays_away() {
    use PreviewState::{Closed, Merged};
    for (action, state) in [(PullAction::Closed, Closed), (PullAction::Merged, Merged)] {
        for (settings, place) in [(ON, Place::Ready), (PreviewSettings { enabled: false, ..ON }, Place::Ready)] {
            let at = Situation { known: Some(known(PreviewState::Active)), place, settings, ..UNKNOWN };
            assert_eq!(on(&pull(action.clone(), false, Some(OLD)), &at), (Some(state), Act::Remove));
        }
        for place in [Place::Going, Place::None] {
            let at = Situation { known: Some(known(PreviewState::Active)), place, ..UNKNOWN };
            assert_eq!(on(&pull(action.clone(), true, Some(OLD)), &at), (Some(state), Act::Nothing));
        }
        assert_eq!(on(&pull(action, false, Some(OLD)), &UNKNOWN), (None, Act::Nothing), "never heard of");
        for commit in [Some(OLD), Some(NEW), None] {
            let at = Situation { known: Some(known(state)), ..UNKNOWN };
            let expected = (Some(state), Act::Nothing);
            assert_eq!(on(&pull(PullAction::Updated, false, commit), &at), expected, "a title of something closed");
        }
    }
}

#[test]
fn nothing_is_made_where_previews_are_off_or_the_repository_is_kept_here() {
    use PreviewState::{Active, Approval, Closed, Removed};
    let off = Situation { settings: PreviewSettings { enabled: false, ..ON }, ..UNKNOWN };
    for from_fork in [false, true] {
        for action in [PullAction::Opened, PullAction::Updated] {
            let told = pull(action, from_fork, Some(NEW));
            assert_eq!(on(&told, &off), (None, Act::Nothing));
            assert_eq!(on(&told, &Situation { is_hosted: true, ..UNKNOWN }), (None, Act::Nothing));
            let at = Situation { known: Some(known(Active)), place: Place::Ready, ..off };
            let noted = from_fork.then_some(Approval);
            assert_eq!(
                on(&told, &at),
                (noted, Act::Nothing),
                "what is there stays, and no approval outlives its commit"
            );
        }
    }
    let at = Situation { known: Some(known(Closed)), ..off };
    assert_eq!(on(&pull(PullAction::Opened, false, Some(OLD)), &at), (Some(Removed), Act::Nothing), "open again");
}

#[test]
fn another_repositorys_pull_request_with_the_same_number_changes_nothing() {
    let at = Situation { is_elsewhere: true, known: Some(known(PreviewState::Active)), place: Place::Ready, ..UNKNOWN };
    for action in [PullAction::Opened, PullAction::Updated, PullAction::Closed, PullAction::Merged] {
        for from_fork in [false, true] {
            assert_eq!(on(&pull(action.clone(), from_fork, Some(NEW)), &at), (None, Act::Nothing), "{action:?}");
        }
    }
}

#[test]
fn the_limit_makes_a_pull_request_wait_and_says_so() {
    let opened = pull(PullAction::Opened, false, Some(NEW));
    for (count, expected) in [(1, Act::Make), (2, Act::Nothing), (3, Act::Nothing)] {
        let at = Situation { count, ..UNKNOWN };
        assert_eq!(on(&opened, &at).1, expected, "{count}");
    }
    let decision = decide(&opened, Provider::GitHub, &Situation { count: 2, ..UNKNOWN });
    assert_eq!(decision.state, Some(PreviewState::Waiting));
    assert!(
        decision
            .reason
            .ends_with("as many previews as its settings allow, 2: this one waits, and is made once there is room.")
    );
}

#[test]
fn a_preview_that_is_going_is_made_anew_once_it_is_gone() {
    let at = Situation { known: Some(known(PreviewState::Closed)), place: Place::Going, count: 1, ..UNKNOWN };
    let expected = (Some(PreviewState::Waiting), Act::Nothing);
    assert_eq!(on(&pull(PullAction::Opened, false, Some(OLD)), &at), expected);
}

#[test]
fn a_name_that_is_taken_is_told() {
    let at = Situation { obstacle: Some("Taken."), ..UNKNOWN };
    let decision = decide(&pull(PullAction::Opened, false, Some(NEW)), Provider::GitHub, &at);
    assert_eq!((decision.state, decision.act), (Some(PreviewState::Refused), Act::Nothing));
    assert!(decision.reason.ends_with("Taken."));
}

#[test]
fn a_fork_waits_for_the_approval_of_each_commit() {
    use PreviewState::{Active, Approval};
    let told = |action, commit| pull(action, true, Some(commit));
    assert_eq!(on(&told(PullAction::Opened, NEW), &UNKNOWN), (Some(Approval), Act::Nothing));
    let approved = |commit| Some(Known { approved: Some(commit), ..known(Active) });
    let at = Situation { known: approved(OLD), place: Place::Ready, ..UNKNOWN };
    assert_eq!(on(&told(PullAction::Updated, NEW), &at), (Some(Approval), Act::Nothing), "an older one was approved");
    assert_eq!(on(&told(PullAction::Updated, OLD), &at), (Some(Active), Act::Nothing));
    for state in PreviewState::ALL {
        for place in [Place::None, Place::Ready, Place::Going] {
            for action in [PullAction::Opened, PullAction::Updated] {
                let known = Some(Known { approved: Some(OLD), ..self::known(state) });
                let (_, act) = on(&told(action, NEW), &Situation { known, place, ..UNKNOWN });
                assert_eq!(act, Act::Nothing, "{state:?} {place:?}");
            }
        }
    }
    let reopened = Known { approved: Some(OLD), ..known(PreviewState::Closed) };
    let at = Situation { known: Some(reopened), ..UNKNOWN };
    assert_eq!(on(&told(PullAction::Opened, OLD), &at), (Some(Active), Act::Make), "the commit that was approved");
    let opened = decide(&told(PullAction::Opened, NEW), Provider::GitHub, &UNKNOWN);
    assert!(opened.reason.contains("until a member approves that commit"), "{}", opened.reason);
}

#[test]
fn a_fork_without_a_commit_that_can_be_fetched_is_refused_with_the_reason() {
    for provider in ALL_PROVIDERS {
        let without = decide(&pull(PullAction::Opened, true, None), provider, &UNKNOWN);
        assert_eq!((without.state, without.act), (Some(PreviewState::Refused), Act::Nothing), "{provider:?}");
        let with = decide(&pull(PullAction::Opened, true, Some(NEW)), provider, &UNKNOWN).state;
        let expected = if provider == Provider::Bitbucket { PreviewState::Refused } else { PreviewState::Approval };
        assert_eq!(with, Some(expected), "{provider:?}");
        let own = decide(&pull(PullAction::Opened, false, None), provider, &UNKNOWN);
        assert_eq!(own.act, Act::Make, "{provider:?}: a branch of the repository itself");
    }
}

#[test]
fn what_comes_late_changes_nothing() {
    let at = |second| OffsetDateTime::from_unix_timestamp(second).ok();
    for state in PreviewState::ALL {
        for action in [PullAction::Opened, PullAction::Updated, PullAction::Closed, PullAction::Merged] {
            let late = PullRequest { changed_at: at(9), ..pull(action.clone(), false, Some(NEW)) };
            let of = |changed_at| Situation {
                known: Some(Known { changed_at, ..known(state) }),
                place: Place::Ready,
                ..UNKNOWN
            };
            assert_eq!(on(&late, &of(at(10))), (None, Act::Nothing), "{state:?} {action}");
            let plain = on(&late, &of(None));
            assert_eq!(on(&late, &of(at(9))), plain, "the same once more: {state:?} {action}");
        }
    }
}
