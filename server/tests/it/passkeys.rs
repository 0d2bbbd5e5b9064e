//! Passkeys over HTTP: whose session a ceremony is, that it is good once, and what a sign-in makes.

use crate::{
    authenticator::Authenticator,
    support::{App, Setup, client},
};
use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::{Value, json};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "tide lamp orbit 7";

/// A platform that is reached by a name, with an account that has a passkey.
struct Stage {
    app: App,
    token: String,
    phone: Authenticator,
}

impl Stage {
    async fn start() -> Self {
        let setup = Setup::new().await.without_docker();
        let url = setup.get("PUBLIC_URL").replace("127.0.0.1", "localhost");
        let app = setup.set("PUBLIC_URL", url).start().await;
        let (token, _) = app.register(EMAIL).await;
        let mut phone = Authenticator { origin: app.url.clone(), ..Authenticator::new(1) };
        let browser = client();
        call(&app, &browser, "sign_in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let begin = [("name", "My phone"), ("passkey_password", PASSWORD)];
        let options = options(call(&app, &browser, "begin_passkey", &begin).await).await;
        let answer = phone.create(&options);
        let added = call(&app, &browser, "add_passkey", &[("credential", &answer)]).await;
        assert_eq!(added.status(), StatusCode::OK, "{}", added.text().await.unwrap());
        let again = call(&app, &browser, "add_passkey", &[("credential", &answer)]).await;
        assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "a challenge is good once");
        Self { app, token, phone }
    }

    async fn ask(&self, browser: &Client) -> Value {
        options(call(&self.app, browser, "ask_for_passkey", &[]).await).await
    }

    async fn answer(&self, browser: &Client, answer: &str) -> Response {
        let fields = [("credential", answer), ("next", "/sites/new?template=static")];
        call(&self.app, browser, "sign_in_with_passkey", &fields).await
    }

    async fn who(&self, browser: &Client) -> Value {
        let visitor: Value = call(&self.app, browser, "visitor", &[]).await.json().await.unwrap();
        visitor["user"]["email"].clone()
    }
}

async fn call(app: &App, browser: &Client, function: &str, fields: &[(&str, &str)]) -> Response {
    browser.post(format!("{}/_fn/{function}", app.url)).form(fields).send().await.unwrap()
}

/// JSON in a JSON string.
async fn options(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    let text: String = response.json().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

fn cookie(response: &Response) -> &str {
    response.headers()[header::SET_COOKIE].to_str().unwrap()
}

#[tokio::test]
async fn a_passkey_makes_a_whole_session_and_its_challenge_is_good_once() {
    let mut stage = Stage::start().await;
    let browser = client();
    let asked = call(&stage.app, &browser, "ask_for_passkey", &[]).await;
    assert!(cookie(&asked).contains("Max-Age=600"), "{}", cookie(&asked));
    let before = cookie(&asked).split(';').next().unwrap().to_owned();
    assert_eq!(stage.who(&browser).await, Value::Null);
    let answer = stage.phone.get(&options(asked).await);

    // In another browser it is nothing.
    let stranger = client();
    assert_eq!(stage.answer(&stranger, &answer).await.status(), StatusCode::UNAUTHORIZED);
    let done = stage.answer(&browser, &answer).await;
    assert_eq!(done.status(), StatusCode::OK);
    assert!(cookie(&done).contains("Max-Age=1209600"), "{}", cookie(&done));
    assert!(!cookie(&done).starts_with(&before), "under another id");
    let next: String = done.json().await.unwrap();
    assert_eq!(next, "/sites/new?template=static");
    assert_eq!(stage.who(&browser).await, EMAIL);
    assert_eq!(stage.answer(&browser, &answer).await.status(), StatusCode::UNAUTHORIZED);

    // One that was refused is spent too.
    let browser = client();
    let options = stage.ask(&browser).await;
    stage.phone.verifies = false;
    let unverified = stage.phone.get(&options);
    assert_eq!(stage.answer(&browser, &unverified).await.status(), StatusCode::UNAUTHORIZED);
    stage.phone.verifies = true;
    let late = stage.phone.get(&options);
    assert_eq!(stage.answer(&browser, &late).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(stage.who(&browser).await, Value::Null);
}

#[tokio::test]
async fn passkeys_are_listed_and_removed_over_rest() {
    let mut stage = Stage::start().await;
    let token = Some(stage.token.as_str());
    let (status, list) = stage.app.get("/api/v1/passkeys", token).await;
    assert_eq!((status, &list["items"][0]["name"]), (200, &json!("My phone")), "{list}");
    assert!(list["items"][0].get("credential").is_none(), "{list}");
    let path = format!("/api/v1/passkeys/{}", list["items"][0]["id"].as_str().unwrap());
    let (bob, _) = stage.app.register("bob@example.org").await;
    assert_eq!(stage.app.get("/api/v1/passkeys", Some(&bob)).await.1["items"], json!([]));
    for (token, status) in [(None, 401), (Some(bob.as_str()), 404), (token, 204), (token, 404)] {
        assert_eq!(stage.app.send(Method::DELETE, &path, token, None).await.status(), status);
    }
    let browser = client();
    let options = stage.ask(&browser).await;
    let answer = stage.phone.get(&options);
    let gone = stage.answer(&browser, &answer).await;
    assert!(gone.text().await.unwrap().contains("bad_passkey"));
}
