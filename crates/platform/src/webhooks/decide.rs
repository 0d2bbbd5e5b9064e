//! What a webhook means for a site's environments, decided on plain data.

use crate::pushes;
use forge::webhook::{Payload, Push, RefChange, RefKind};
use store::environments::EnvironmentRow;

/// What is to be deployed, and the whole in plain words.
pub(super) struct Decision<'a> {
    pub(super) deploy: Vec<(&'a EnvironmentRow, &'a RefChange)>,
    pub(super) reason: String,
}

/// Decides.
pub(super) fn decide<'a>(payload: &'a Payload, environments: &'a [EnvironmentRow]) -> Decision<'a> {
    let ignored = |reason: String| Decision { deploy: Vec::new(), reason };
    match payload {
        Payload::Ping => ignored("The webhook works; the next push will be deployed.".into()),
        // The caller has decided it: see `crate::previews`.
        Payload::PullRequest(pull) => ignored(format!("{} {} was {}.", pull.noun, pull.number, pull.action)),
        Payload::Other(event) => ignored(format!("The event “{event}” is no push; nothing is to be deployed.")),
        Payload::Push(push) => decide_push(push, environments),
    }
}

fn decide_push<'a>(push: &'a Push, environments: &'a [EnvironmentRow]) -> Decision<'a> {
    let mut deploy = Vec::new();
    let (mut reasons, mut held_back) = (Vec::new(), Vec::new());
    for change in &push.changes {
        let name = &change.name;
        let mut bound = environments.iter().filter(|environment| environment.branch == *name).peekable();
        match change.kind {
            RefKind::Branch if change.deleted => {
                reasons.push(format!("The branch “{name}” was deleted; what serves stays as it is."));
            }
            RefKind::Branch if bound.peek().is_some() => {
                let push = pushes::Push { skip: change.skip, changed: change.changed.as_deref() };
                for environment in bound {
                    match pushes::ignored(environment, push) {
                        Some(reason) => held_back.push(reason),
                        None => deploy.push((environment, change)),
                    }
                }
            }
            RefKind::Branch => {
                let branches: Vec<String> =
                    environments.iter().map(|e| format!("“{}” ({})", e.branch, e.name)).collect();
                let branches = branches.join(", ");
                reasons.push(format!("The branch “{name}” is not deployed; this site deploys {branches}."));
            }
            RefKind::Tag if change.deleted => {
                reasons.push(format!("The tag “{name}” was deleted; what serves stays as it is."));
            }
            RefKind::Tag => reasons.push(format!("“{name}” is a tag; only branches are deployed.")),
            RefKind::Other => reasons.push(format!("“{name}” is not a branch; only branches are deployed.")),
        }
    }
    if !deploy.is_empty() {
        let names: Vec<String> = deploy
            .iter()
            .map(|(environment, change)| format!("the branch “{}” to {}", change.name, environment.name))
            .collect();
        reasons = vec![format!("Deploying {}.", names.join(", "))];
    } else if reasons.is_empty() && held_back.is_empty() {
        reasons.push("The push moved nothing.".into());
    }
    reasons.append(&mut held_back);
    Decision { deploy, reason: reasons.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(payload: &Payload) -> String {
        let decision = decide(payload, &[]);
        assert!(decision.deploy.is_empty());
        decision.reason
    }

    #[test]
    fn what_is_deleted_and_what_is_a_tag_is_told_apart() {
        let push = |kind, deleted| {
            let name = "x".to_owned();
            let change =
                RefChange { kind, name, deleted, commit: None, message: None, author: None, skip: None, changed: None };
            Payload::Push(Push { changes: vec![change], repository_urls: vec![] })
        };
        for (payload, words) in [
            (push(RefKind::Branch, true), "The branch “x” was deleted; what serves stays as it is."),
            (push(RefKind::Tag, true), "The tag “x” was deleted; what serves stays as it is."),
            (push(RefKind::Tag, false), "“x” is a tag; only branches are deployed."),
            (push(RefKind::Other, false), "“x” is not a branch; only branches are deployed."),
            (Payload::Ping, "The webhook works; the next push will be deployed."),
            (Payload::Other("star".into()), "The event “star” is no push; nothing is to be deployed."),
        ] {
            assert_eq!(reason(&payload), words);
        }
    }
}
