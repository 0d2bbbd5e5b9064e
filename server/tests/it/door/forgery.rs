//! What a page on another host, most of all on one of a customer's sites beside the dashboard, can make a browser do.

use super::stage::{PASSWORD, Stage};
use crate::support::{Setup, client};
use reqwest::{Client, Response, header};

/// Pages of these are not the dashboard's, though the second is a sibling of it.
const OTHERS: [&str; 4] = ["https://evil.example", "http://evil.localhost:8888", "http://127.0.0.1:8888", "null"];

async fn sign_in(url: &str, browser: &Client) -> Response {
    let form = [("email", "owner@example.org"), ("password", PASSWORD)];
    browser.post(format!("{url}/_fn/sign_in")).form(&form).send().await.unwrap()
}

fn cookie(response: &Response) -> String {
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn visitor(url: &str, cookie: &str) -> serde_json::Value {
    let request = client().post(format!("{url}/_fn/visitor")).header(header::COOKIE, cookie);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn no_page_of_another_host_makes_a_browser_change_anything() {
    let stage = Stage::set().await;
    let (url, browser) = (&stage.app.url, &stage.people["owner"].browser);
    for function in app::server_functions() {
        for origin in OTHERS {
            let request = browser.post(format!("{url}{function}")).header(header::ORIGIN, origin).body("");
            let answer = request.header(header::CONTENT_TYPE, "text/plain").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{function} from {origin}");
        }
        for site in ["same-site", "cross-site"] {
            let request = browser.post(format!("{url}{function}")).header("sec-fetch-site", site).body("");
            assert_eq!(request.send().await.unwrap().status(), 403, "{function} {site}");
        }
        let answer = browser.get(format!("{url}{function}")).send().await.unwrap();
        assert!(!answer.status().is_success(), "{function} is no link: {}", answer.status());
    }
    // A cookie opens neither the API nor a repository.
    let cookie = cookie(&sign_in(url, &client()).await);
    for path in ["/api/v1/me", "/git/owner/shop.git/info/refs?service=git-upload-pack"] {
        let answer = client().get(format!("{url}{path}")).header(header::COOKIE, &cookie).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
}

#[tokio::test]
async fn no_other_origin_reads_the_api_unless_the_settings_say_so_and_never_with_a_cookie() {
    let ask = async |url: &str, origin: &str| {
        let preflight = client().request(reqwest::Method::OPTIONS, format!("{url}/api/v1/sites"));
        let preflight = preflight.header(header::ORIGIN, origin).header("access-control-request-method", "POST");
        let answer = preflight.header("access-control-request-headers", "authorization").send().await.unwrap();
        let text = |name: &str| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        (text("access-control-allow-origin"), text("access-control-allow-credentials"))
    };
    let closed = Setup::new().await.without_docker().start().await;
    assert_eq!(ask(&closed.url, "https://app.example.org").await, (None, None));
    let open = Setup::new().await.without_docker().set("CORS_ORIGINS", "https://app.example.org").start().await;
    let allowed = Some("https://app.example.org".to_owned());
    assert_eq!(ask(&open.url, "https://app.example.org").await, (allowed.clone(), None));
    assert_eq!(ask(&open.url, "https://evil.example").await, (None, None));
    let answer =
        open.client.get(format!("{}/api/v1/sites", open.url)).header(header::ORIGIN, "https://app.example.org");
    let answer = answer.send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["access-control-allow-origin"].to_str().ok()),
        (401, allowed.as_deref())
    );
    // Pages and server functions stay closed.
    let page = open.client.get(format!("{}/sign-in", open.url)).header(header::ORIGIN, "https://app.example.org");
    assert!(!page.send().await.unwrap().headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn over_https_a_cookie_that_a_sibling_host_planted_is_not_looked_at() {
    let mut app = Setup::new().await.without_docker().set("PUBLIC_URL", "https://paas.example.org").spawn();
    app.url = format!("http://{}", app.setup.get("LISTEN"));
    app.until_healthy().await;
    app.register("owner@example.org").await;
    let own = cookie(&sign_in(&app.url, &client()).await);
    assert!(own.starts_with("__Host-"), "{own}");
    assert_eq!(visitor(&app.url, &own).await["user"]["email"], "owner@example.org");
    // A sibling may set any name but this one for the parent domain (RFC 6265bis, section 4.1.3.2).
    let planted = own.replace("__Host-", "");
    assert!(visitor(&app.url, &planted).await["user"].is_null());
    let answer = app.client.get(format!("{}/sign-in", app.url)).send().await.unwrap();
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().contains("max-age=63072000"));
    // Of the same host over plain HTTP, the browser says that it is another site.
    for (url, site) in [("http://paas.example.org", "cross-site"), ("https://shop.paas.example.org", "same-site")] {
        let request = app.client.post(format!("{}/_fn/sign_out", app.url)).header(header::ORIGIN, url);
        let request = request.header("sec-fetch-site", site).header(header::HOST, "paas.example.org");
        assert_eq!(request.send().await.unwrap().status(), 403, "{url}");
    }
}
