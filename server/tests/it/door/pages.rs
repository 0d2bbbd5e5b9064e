//! What every page is sent with, and that nothing a person wrote comes alive on one.

use super::stage::Stage;
use reqwest::{Client, Method, Response, header};
use serde_json::json;

/// Every address of the dashboard, with things filled in; and what is no page.
fn addresses(stage: &Stage) -> Vec<String> {
    let mut all: Vec<String> = leptos_axum::generate_route_list(app::App)
        .iter()
        .map(|route| {
            let path = route.path().replace("{site}", &stage.things["site"]);
            let path = path.replace("{delivery}", &stage.things["delivery"]).replace("{environment}", "production");
            let path = path.replace("{team}", &stage.things["team_slug"]).replace("{token}", &stage.things["link"]);
            path.replace("{deployment}", &stage.things["deployment"])
        })
        .filter(|path| !path.contains('*'))
        .collect();
    all.extend(["/api/docs", "/api/docs?q=rollback", "/nothing/here", "/sites/nonsense"].map(str::to_owned));
    all
}

async fn page(stage: &Stage, browser: &Client, path: &str) -> Response {
    browser.get(format!("{}{path}", stage.app.url)).header(header::ACCEPT, "text/html").send().await.unwrap()
}

/// What stands between `<` and `>`; what a script holds is no markup.
fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(begin) = rest.find('<') {
        let mut quote = None;
        let after = &rest[begin + 1..];
        let end = after.char_indices().find(|(_, c)| match (quote, *c) {
            (None, '>') => true,
            (None, '"' | '\'') => {
                quote = Some(*c);
                false
            }
            (Some(open), c) if open == c => {
                quote = None;
                false
            }
            _ => false,
        });
        let Some((end, _)) = end else { break };
        tags.push(after[..end].to_owned());
        rest = &after[end..];
        if let Some(kind) = ["script", "style"].into_iter().find(|kind| after.starts_with(kind)) {
            let close = format!("</{kind}");
            rest = rest.find(&close).map_or("", |at| &rest[at..]);
        }
    }
    tags
}

#[tokio::test]
async fn every_page_is_sent_with_what_keeps_it_to_itself() {
    let stage = Stage::set().await;
    let (owner, stranger) = (&stage.people["owner"].browser, crate::support::client());
    for path in addresses(&stage) {
        for browser in [owner, &stranger] {
            let response = page(&stage, browser, &path).await;
            if response.status().is_redirection() {
                let to = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
                assert!(to.starts_with('/') && !to.starts_with("//"), "{path} leads to {to}");
            }
            let text = |name: &str| response.headers().get(name).map_or("", |it| it.to_str().unwrap()).to_owned();
            let policy = text("content-security-policy");
            assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
            for part in ["default-src", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert_eq!(text("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(text("x-frame-options"), "DENY", "{path}");
            assert_eq!(text("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(text("cross-origin-resource-policy"), "same-origin", "{path}");
            assert!(text("referrer-policy").contains("origin"), "{path}");
            assert!(text("permissions-policy").contains("camera=()"), "{path}");
            let html = response.text().await.unwrap();
            if !html.contains("<html") {
                continue;
            }
            for part in ["object-src 'none'", "base-uri 'none'", "form-action 'self'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            let (_, nonce) = policy.split_once("'nonce-").unwrap_or_else(|| panic!("{path}: {policy}"));
            let (nonce, _) = nonce.split_once('\'').unwrap();
            for tag in tags(&html) {
                let name = tag.split_whitespace().next().unwrap_or_default();
                let has = |attribute: &str| tag.contains(&format!(" {attribute}"));
                assert!(!has("style="), "{path}: an inline style is not let through: <{tag}>");
                assert!(!has("onclick=") && !has("onload=") && !has("onerror="), "{path}: <{tag}>");
                assert!(name != "style", "{path}: <{tag}>");
                if name == "script" && !has("src=") {
                    assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <{tag}>");
                }
                assert!(!tag.contains("=\"javascript:"), "{path}: <{tag}>");
            }
        }
    }
}

/// Comes alive where it is not escaped: in HTML, in an attribute, in a script, in SQL, in a shell, in a header.
const ALIVE: &str =
    "\"></title><img src=x onerror=alert(1)></script><script>alert(1)</script>'; select 1;-- $(id) {{7*7}}";

#[tokio::test]
async fn what_people_write_is_shown_and_does_nothing() {
    let stage = Stage::set().await;
    let (app, owner) = (&stage.app, &stage.people["owner"]);
    let token = Some(owner.token.as_str());
    let site = format!("/api/v1/sites/{}", stage.things["site"]);
    let put = async |method: Method, path: &str, body: serde_json::Value| {
        let response = app.send(method, path, token, Some(&body)).await;
        let status = response.status().as_u16();
        assert!(status < 500, "{path}: {status} {}", response.text().await.unwrap());
        status
    };
    // Names that are only for people may be anything that fits in a line; others are refused.
    put(Method::PATCH, &site, json!({"name": ALIVE})).await;
    let short: String = ALIVE.chars().take(60).collect();
    put(Method::PATCH, &site, json!({"name": short})).await;
    let variables =
        json!({"variables": [{"name": "SHOWN", "value": ALIVE}, {"name": "HIDDEN", "value": ALIVE, "secret": true}]});
    let path = format!("{site}/environments/production/variables");
    assert_eq!(put(Method::PUT, &path, variables).await, 200);
    let (_, back) = app.get(&path, token).await;
    let shown = back["variables"].as_array().unwrap().iter().find(|it| it["name"] == "SHOWN").unwrap();
    assert_eq!(shown["value"], ALIVE, "it comes back as it was");
    put(Method::PATCH, &format!("{site}/environments/production"), json!({"watch": [ALIVE], "root": short})).await;
    put(Method::PATCH, &format!("/api/v1/teams/{}", stage.things["team"]), json!({"name": short})).await;
    put(Method::POST, "/api/v1/tokens", json!({"name": short, "scopes": ["deploy"]})).await;
    put(Method::POST, &format!("{site}/environments"), json!({"name": short, "branch": ALIVE})).await;
    let rename = owner.browser.post(format!("{}/_fn/rename_account", app.url));
    assert!(rename.form(&[("name", short.as_str())]).send().await.unwrap().status().as_u16() < 500);
    let typed = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in addresses(&stage) {
        let mark = if path.contains('?') { '&' } else { '?' };
        let with = format!("{path}{mark}q={typed}&error={typed}&next={typed}&source={typed}");
        for path in [path.clone(), with] {
            let html = page(&stage, &owner.browser, &path).await.text().await.unwrap();
            for tag in tags(&html) {
                assert!(!tag.starts_with("img src=x"), "{path}: <{tag}>");
                assert!(!tag.starts_with("script>alert"), "{path}: <{tag}>");
            }
            // What the page brings along for its script is text in a script: nothing there may end it.
            assert!(!html.contains("<script>alert(1)"), "{path}");
        }
    }
}

#[tokio::test]
async fn signing_in_leads_nowhere_else() {
    let stage = Stage::set().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "/%5cevil.example/..", "\t//evil.example"]
    {
        let form = [("email", "owner@example.org"), ("password", super::stage::PASSWORD), ("next", next)];
        let request = crate::support::client().post(format!("{}/_fn/sign_in", stage.app.url)).form(&form);
        let answer = request.header(header::ACCEPT, "text/html").send().await.unwrap();
        let to = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let url = reqwest::Url::parse(&stage.app.url).unwrap().join(&to).unwrap();
        assert_eq!(url.origin().ascii_serialization(), stage.app.url, "{next} leads to {to}");
    }
}
