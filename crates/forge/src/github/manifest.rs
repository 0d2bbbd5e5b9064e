//! What a GitHub App is registered with. Pure.

use serde_json::{Value, json};

/// The manifest of this platform's App.
///
/// Source: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>
pub fn manifest(name: &str, public_url: &str) -> Value {
    json!({
        "name": name,
        "url": public_url,
        "hook_attributes": {"url": format!("{public_url}/webhook/github-app"), "active": true},
        "redirect_url": format!("{public_url}/admin/github/registered"),
        "callback_urls": [format!("{public_url}/github/connected")],
        "request_oauth_on_install": true,
        "public": true,
        "default_permissions": {
            "contents": "read",
            "metadata": "read",
            "statuses": "write",
            "deployments": "write",
            "pull_requests": "write",
        },
        "default_events": ["push", "pull_request"],
    })
}
