//! What is read of the App's webhooks. What GitHub is asked is tested with the use cases.

use super::*;
use serde_json::json;

#[test]
fn what_happens_to_an_installation_is_told_apart() {
    let change = |action: &str| InstallationChange::of(&json!({"action": action, "installation": {"id": 7}}));
    assert_eq!(change("deleted"), Some(InstallationChange::Removed(7)));
    assert_eq!(change("suspend"), Some(InstallationChange::Suspended(7)));
    assert_eq!(change("unsuspend"), Some(InstallationChange::Resumed(7)));
    assert_eq!(change("created"), None);
    assert_eq!(InstallationChange::of(&json!({"action": "deleted"})), None);
}

#[test]
fn an_apps_secrets_are_not_printed() {
    let secret = || "hush-hush".to_owned();
    let app = App {
        id: 1,
        slug: "a".into(),
        client_id: "c".into(),
        client_secret: secret(),
        webhook_secret: secret(),
        pem: secret(),
    };
    assert!(!format!("{app:?}").contains("hush"));
    assert!(app.jwt().unwrap_err().contains("register the App again"));
}
