//! What clients ask, and what they are answered.

use model::{DeploymentId, SiteId};
use serde::{Deserialize, Serialize};
use socketioxide::extract::AckSender;

/// What `subscribe` and `unsubscribe` carry, as it comes.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    site_id: Option<SiteId>,
    deployment_id: Option<DeploymentId>,
    after: Option<i64>,
}

/// What a client follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A site and its deployments, without logs.
    Site(SiteId),
    /// A deployment with its log: after this line, or from now on.
    Deployment(DeploymentId, Option<i64>),
}

impl Target {
    /// Exactly one thing is named, and a line's number is not negative.
    pub fn parse(self) -> Option<Subject> {
        match (self.site_id, self.deployment_id, self.after) {
            (Some(site), None, None) => Some(Subject::Site(site)),
            (None, Some(deployment), after) if after.is_none_or(|seq| seq >= 0) => {
                Some(Subject::Deployment(deployment, after))
            }
            _ => None,
        }
    }
}

/// What is to be done for a client.
#[derive(Debug, Clone, Copy)]
pub enum Command {
    /// Tell it what happens from now on.
    Subscribe(Subject),
    /// No longer.
    Unsubscribe(Subject),
}

/// A command with the way for its answer.
pub struct Asked {
    /// What.
    pub command: Command,
    /// Whom to answer.
    pub ack: AckSender,
}

/// An acknowledgement: `{"ok": true}` or `{"ok": false, "error": "code"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ack {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Ack {
    /// It was done.
    pub fn ok() -> Self {
        Self { ok: true, error: None }
    }
    /// It was refused, with a stable code in snake_case.
    pub fn error(code: &str) -> Self {
        Self { ok: false, error: Some(code.to_owned()) }
    }
    /// Answers; a client that is gone gets nothing.
    pub fn send(&self, sender: AckSender) {
        if let Err(error) = sender.send(self) {
            tracing::debug!(%error, "an acknowledgement was not delivered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: serde_json::Value) -> Option<Subject> {
        serde_json::from_value::<Target>(value).ok()?.parse()
    }

    #[test]
    fn one_thing_is_named_at_a_time() {
        let (site, deployment) = (SiteId::new(), DeploymentId::new());
        assert_eq!(parse(json!({"site_id": site})), Some(Subject::Site(site)));
        assert_eq!(
            parse(json!({"deployment_id": deployment, "after": 7})),
            Some(Subject::Deployment(deployment, Some(7)))
        );
        assert_eq!(parse(json!({"deployment_id": deployment})), Some(Subject::Deployment(deployment, None)));
        for bad in [
            json!({}),
            json!({"site_id": site, "deployment_id": deployment}),
            json!({"site_id": "x"}),
            json!({"site_id": site, "after": 1}),
            json!({"deployment_id": deployment, "after": -1}),
            json!([]),
        ] {
            assert_eq!(parse(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn an_answer_says_ok_or_why_not() {
        assert_eq!(serde_json::to_value(Ack::ok()).unwrap(), json!({"ok": true}));
        assert_eq!(serde_json::to_value(Ack::error("not_found")).unwrap(), json!({"ok": false, "error": "not_found"}));
    }
}
