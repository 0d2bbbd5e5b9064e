//! What goes wrong around the pages is told in the form that whoever asked can read.

use crate::support::{App, json};
use reqwest::{RequestBuilder, Response};

const TOO_LONG: usize = 30 * 1024 * 1024;

async fn post(app: &App, accept: &str, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Response {
    let request = app.client.post(format!("{}/_fn/sign_in", app.url)).header("accept", accept);
    change(request.header("content-type", "application/x-www-form-urlencoded")).send().await.unwrap()
}

#[tokio::test]
async fn a_browser_is_shown_a_page() {
    let app = App::start_without_docker().await;
    let accept = "text/html,application/xhtml+xml;q=0.9";
    let too_long = post(&app, accept, |request| request.body(vec![b'x'; TOO_LONG])).await;
    let foreign = post(&app, accept, |request| request.header("sec-fetch-site", "cross-site").body("email=a")).await;
    for (answer, status, words) in [(too_long, 413, "The body is longer"), (foreign, 403, "came from another site")] {
        assert_eq!(answer.status(), status);
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        let page = answer.text().await.unwrap();
        assert!(page.contains(words) && page.contains("<h1") && page.contains("stylesheet"), "{page}");
        let nonce = page.split_once("nonce=\"").unwrap().1.split_once('"').unwrap().0;
        assert!(!nonce.is_empty() && policy.contains(nonce), "{policy}");
    }
}

#[tokio::test]
async fn a_server_functions_caller_is_told_the_failure_it_knows() {
    let app = App::start_without_docker().await;
    let answer = post(&app, "application/json", |request| request.body(vec![b'x'; TOO_LONG])).await;
    let (status, failure) = json(answer).await;
    assert_eq!((status, failure["problem"]["code"].as_str()), (413, Some("too_large")), "{failure}");
}
