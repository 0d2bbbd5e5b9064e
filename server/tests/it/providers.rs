//! Signing in with a provider, the whole way of a browser: away, back, and what it is then.

use crate::{
    provider::{CLIENT, Mock, Quirk, SECRET},
    support::{App, Setup, client},
};
use reqwest::{Client, Response, header};
use serde_json::Value;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "tide lamp orbit 7";

async fn stage() -> (App, Mock) {
    let setup = Setup::new().await.without_docker();
    let mock = Mock::start("oidc", setup.get("PUBLIC_URL")).await;
    let setup = setup
        .set("SIGNIN_OIDC_ISSUER", mock.base.as_str())
        .set("SIGNIN_OIDC_CLIENT_ID", CLIENT)
        .set("SIGNIN_OIDC_CLIENT_SECRET", SECRET)
        .set("SIGNIN_OIDC_LABEL", "Example");
    (setup.start().await, mock)
}

async fn get(app: &App, browser: &Client, path: &str) -> Response {
    let request = browser.get(format!("{}{path}", app.url)).header(header::ACCEPT, "text/html");
    request.header("sec-fetch-site", "same-origin").send().await.unwrap()
}

fn location(response: &Response) -> String {
    assert!(response.status().is_redirection(), "{}", response.status());
    response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

fn cookie(response: &Response) -> String {
    response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
}

/// Away and back; the answer to coming back.
async fn travel(app: &App, mock: &Mock, browser: &Client, begin: &str) -> Response {
    let (state, code) = mock.visit(&location(&get(app, browser, begin).await));
    get(app, browser, &format!("/sign-in/with/oidc/back?state={state}&code={code}")).await
}

async fn who(app: &App, browser: &Client) -> Value {
    let visitor: Value = browser.post(format!("{}/_fn/visitor", app.url)).send().await.unwrap().json().await.unwrap();
    visitor["user"]["email"].clone()
}

#[tokio::test]
async fn a_stranger_comes_back_with_an_account_and_a_whole_session() {
    let (app, mock) = stage().await;
    let browser = client();
    for path in ["/sign-in", "/sign-up"] {
        let page = get(&app, &browser, path).await.text().await.unwrap();
        assert!(page.contains("Continue with Example"), "{path}: {page}");
    }
    let away = get(&app, &browser, "/sign-in/with/oidc?next=/sites/new").await;
    assert!(cookie(&away).contains("Max-Age=600"), "{}", cookie(&away));
    assert_eq!(who(&app, &browser).await, Value::Null, "whoever is away is nobody");
    let (state, code) = mock.visit(&location(&away));
    let path = format!("/sign-in/with/oidc/back?state={state}&code={code}");
    assert_eq!(get(&app, &client(), &path).await.status(), 403, "another browser has not begun it");
    let back = get(&app, &browser, &path).await;
    assert_eq!(location(&back), "/sites/new");
    assert!(cookie(&back).contains("Max-Age=1209600"), "{}", cookie(&back));
    assert_ne!(cookie(&back).split(';').next(), cookie(&away).split(';').next(), "under another id");
    assert_eq!(who(&app, &browser).await, "grace@example.org");
    let replayed = get(&app, &browser, &path).await;
    assert_eq!(replayed.status(), 403);
    assert!(replayed.text().await.unwrap().contains("begin once more"));
    assert_eq!(mock.mistakes(), [""; 0]);
    let evil = travel(&app, &mock, &client(), "/sign-in/with/oidc?next=//evil.example").await;
    assert_eq!(location(&evil), "/sites");
}

#[tokio::test]
async fn what_goes_wrong_is_a_page_that_tells_no_secrets() {
    let (app, mock) = stage().await;
    app.register("grace@example.org").await;
    let taken = travel(&app, &mock, &client(), "/sign-in/with/oidc").await;
    assert_eq!(taken.status(), 409);
    assert!(taken.text().await.unwrap().contains("then link Example"));
    mock.tell(|it| it.quirk = Some(Quirk::OtherKey));
    let forged = travel(&app, &mock, &client(), "/sign-in/with/oidc").await;
    assert_eq!(forged.status(), 502);
    let page = forged.text().await.unwrap();
    assert!(page.contains("Example did not tell who you are") && !page.contains("code-"), "{page}");
    let browser = client();
    let (state, _) = mock.visit(&location(&get(&app, &browser, "/sign-in/with/oidc").await));
    let path = format!("/sign-in/with/oidc/back?state={state}&error=access_denied&error_description=%3Cscript%3E");
    let page = get(&app, &browser, &path).await.text().await.unwrap();
    assert!(page.contains("was not allowed to tell") && !page.contains("error_description"), "{page}");
    assert_eq!(get(&app, &browser, "/sign-in/with/nobody").await.status(), 404);
}

#[tokio::test]
async fn linking_begins_on_our_page_by_who_is_signed_in() {
    let (app, mock) = stage().await;
    app.register(EMAIL).await;
    let browser = client();
    let link = "/account/security/link/oidc";
    assert_eq!(get(&app, &browser, link).await.status(), 401);
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    browser.post(format!("{}/_fn/sign_in", app.url)).form(&fields).send().await.unwrap();
    let foreign =
        browser.get(format!("{}{link}", app.url)).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(location(&foreign), "/account/security", "another site's link begins nothing");
    assert_eq!(location(&travel(&app, &mock, &browser, link).await), "/account/security");
    let page = get(&app, &browser, "/account/security").await.text().await.unwrap();
    assert!(page.contains("Unlink Example") && page.contains("grace@example.org"), "{page}");
    let other = client();
    travel(&app, &mock, &other, "/sign-in/with/oidc").await;
    assert_eq!(who(&app, &other).await, EMAIL);
}
