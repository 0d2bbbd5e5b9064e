//! The second factor: two steps in a browser, one for programs, none for Git; and nobody gets around it.

use crate::{
    sockets::Socket,
    support::{App, Setup, client, json},
};
use reqwest::{Client, Method, Response, header};
use serde_json::{Value, json};
use time::OffsetDateTime;
use totp_rs::{Builder, Secret, Totp};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "tide lamp orbit 7";

/// An account with a second factor.
struct Stage {
    app: App,
    codes: Totp,
    recovery: Vec<String>,
}

impl Stage {
    async fn start() -> Self {
        Self::on(Setup::new().await.without_docker()).await
    }

    async fn on(setup: Setup) -> Self {
        let app = setup.start().await;
        app.register(EMAIL).await;
        let browser = client();
        call(&app, &browser, "sign_in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert!(call(&app, &browser, "begin_totp", &[("password", PASSWORD)]).await.status().is_success());
        let security: Value = call(&app, &browser, "security", &[]).await.json().await.unwrap();
        let secret = security["view"]["setup"]["secret"].as_str().unwrap().replace(' ', "");
        let codes = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
        let now = OffsetDateTime::now_utc().unix_timestamp().unsigned_abs();
        let first = codes.generate(now).to_string();
        let recovery = call(&app, &browser, "confirm_totp", &[("code", &first)]).await.json().await.unwrap();
        Self { app, codes, recovery }
    }

    /// The code of the step that comes, which no test has used: clocks may differ by one.
    fn code(&self) -> String {
        self.codes.generate(OffsetDateTime::now_utc().unix_timestamp().unsigned_abs() + 30).to_string()
    }

    /// The first step, as a browser without JavaScript posts it.
    async fn first_step(&self, browser: &Client, next: &str) -> Response {
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        self.post(browser, "sign_in", "/sign-in", &fields).await
    }

    async fn second_step(&self, browser: &Client, code: &str) -> Response {
        self.post(browser, "finish_sign_in", "/sign-in/code", &[("code", code)]).await
    }

    async fn post(&self, browser: &Client, function: &str, page: &str, fields: &[(&str, &str)]) -> Response {
        let request = browser.post(format!("{}/_fn/{function}", self.app.url)).form(fields);
        let page = format!("{}{page}", self.app.url);
        request.header(header::ACCEPT, "text/html").header(header::REFERER, page).send().await.unwrap()
    }

    async fn token(&self, body: Value) -> (u16, Value) {
        self.app.post("/api/v1/auth/token", None, &body).await
    }
}

async fn call(app: &App, browser: &Client, function: &str, fields: &[(&str, &str)]) -> Response {
    browser.post(format!("{}/_fn/{function}", app.url)).form(fields).send().await.unwrap()
}

async fn page(app: &App, browser: &Client, path: &str) -> Response {
    browser.get(format!("{}{path}", app.url)).header(header::ACCEPT, "text/html").send().await.unwrap()
}

async fn visitor(app: &App, browser: &Client) -> Value {
    let visitor: Value = call(app, browser, "visitor", &[]).await.json().await.unwrap();
    visitor["user"]["email"].clone()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), 302);
    response.headers()[header::LOCATION].to_str().unwrap()
}

fn cookie(response: &Response) -> String {
    let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn signing_in_takes_two_steps_and_keeps_where_one_wanted_to_go() {
    let stage = Stage::start().await;
    let (app, browser) = (&stage.app, client());
    let first = stage.first_step(&browser, "/sites/new?template=static").await;
    assert_eq!(location(&first), "/sign-in/code");
    let asks = page(app, &browser, "/sign-in/code").await.text().await.unwrap();
    assert!(asks.contains(r#"name="code""#) && asks.contains(r#"autocomplete="one-time-code""#), "{asks}");

    let wrong = stage.second_step(&browser, "12345").await;
    let back = location(&wrong).to_owned();
    assert!(back.starts_with(&format!("{}/sign-in/code", app.url)), "{back}");
    let told = browser.get(&back).header(header::ACCEPT, "text/html").send().await.unwrap().text().await.unwrap();
    assert!(told.contains("A code has six digits"), "{told}");

    let done = stage.second_step(&browser, &stage.code()).await;
    assert_eq!(location(&done), "/sites/new?template=static");
    assert_ne!(cookie(&done), cookie(&first), "the second step has an id of its own");
    assert_eq!(visitor(app, &browser).await, EMAIL);
    assert_eq!(location(&page(app, &browser, "/sign-in/code").await), "/sign-in", "there is no step to do any more");
    let replayed = stage.second_step(&browser, &stage.recovery[0]).await;
    assert!(location(&replayed).contains("__err="), "the first step is good for one second step");
}

#[tokio::test]
async fn signing_in_never_leads_to_another_host() {
    let stage = Stage::start().await;
    for (next, code) in ["//evil.example", "https://evil.example/"].into_iter().zip(&stage.recovery) {
        let browser = client();
        stage.first_step(&browser, next).await;
        assert_eq!(location(&stage.second_step(&browser, code).await), "/sites");
    }
}

#[tokio::test]
async fn half_a_sign_in_opens_nothing() {
    let stage = Stage::start().await;
    let (app, browser) = (&stage.app, client());
    let first = stage.first_step(&browser, "/sites").await;
    assert_eq!(visitor(app, &browser).await, Value::Null);

    // Pages.
    for path in ["/sites", "/account", "/account/security", "/account/tokens", "/sites/new", "/queue"] {
        assert!(location(&page(app, &browser, path).await).starts_with("/sign-in?next="), "{path}");
    }
    // Server functions.
    for (function, fields) in [
        ("account", &[][..]),
        ("sites", &[]),
        ("tokens", &[]),
        ("security", &[]),
        ("begin_totp", &[("password", PASSWORD)]),
        ("confirm_totp", &[("code", "123456")]),
        ("abandon_totp", &[]),
        ("renew_recovery_codes", &[("renewal_code", "123456")]),
        ("turn_off_totp", &[("password", PASSWORD), ("code", "123456")]),
        ("change_password", &[("current", PASSWORD), ("new", "seven brass lamps")]),
    ] {
        assert_eq!(call(app, &browser, function, fields).await.status(), 401, "{function}");
    }
    // Other routes behind the cookie.
    let nobody = uuid::Uuid::now_v7();
    for path in [&format!("/deployments/{nobody}/log.txt"), "/github/connect", "/github/connected?state=a&code=b"] {
        assert_eq!(page(app, &browser, path).await.status(), 401, "{path}");
    }
    // Sockets, REST and Git.
    let refused = Socket::connect(&browser, &app.url, Some(&app.url), &json!({})).await;
    assert_eq!(refused.err().as_deref(), Some("unauthenticated"));
    let id = cookie(&first).split_once('=').unwrap().1.to_owned();
    for path in ["/api/v1/me", "/api/v1/sites"] {
        assert_eq!(browser.get(format!("{}{path}", app.url)).send().await.unwrap().status(), 401, "{path}");
        assert_eq!(app.get(path, Some(&id)).await.0, 401, "{path}");
    }
    let git = format!("{}/git/test/shop.git/info/refs?service=git-upload-pack", app.url);
    assert_eq!(browser.get(&git).send().await.unwrap().status(), 401);
    assert_eq!(browser.get(&git).basic_auth(EMAIL, Some(&id)).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_second_step_is_nothing_without_the_first() {
    let stage = Stage::start().await;
    let (app, browser) = (&stage.app, client());
    let alone = call(app, &browser, "finish_sign_in", &[("code", &stage.recovery[0])]).await;
    assert_eq!(alone.status(), 401);
    assert!(alone.text().await.unwrap().contains("sign_in_expired"));
    assert_eq!(location(&page(app, &browser, "/sign-in/code").await), "/sign-in");

    // Somebody else's first step is no way into this account, and a wrong password is none at all.
    let other = json!({"email": "bob@example.org", "password": PASSWORD, "name": "Bob"});
    assert_eq!(app.post("/api/v1/auth/register", None, &other).await.0, 201);
    call(app, &browser, "sign_in", &[("email", EMAIL), ("password", "another long one")]).await;
    assert_eq!(call(app, &browser, "finish_sign_in", &[("code", &stage.recovery[0])]).await.status(), 401);
    call(app, &browser, "sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(call(app, &browser, "finish_sign_in", &[("code", &stage.recovery[0])]).await.status(), 401);
    assert_eq!(visitor(app, &browser).await, "bob@example.org");

    // It lasts ten minutes, in the browser and here.
    let first = stage.first_step(&browser, "/sites").await;
    let set = first.headers()[header::SET_COOKIE].to_str().unwrap();
    let age = set.split("Max-Age=").nth(1).and_then(|rest| rest.split(';').next()).unwrap().parse::<u32>().unwrap();
    assert!((590..=600).contains(&age), "{set}");
    sqlx::query("update sessions set expires_at = now() where data ? 'second_step'")
        .execute(&app.pool())
        .await
        .unwrap();
    assert_eq!(call(app, &browser, "finish_sign_in", &[("code", &stage.recovery[0])]).await.status(), 401);
}

#[tokio::test]
async fn a_planted_session_is_worth_nothing_at_either_step() {
    let stage = Stage::start().await;
    let app = &stage.app;
    // Of nobody's making.
    let planted = "webmeteor_session=AAAAAAAAAAAAAAAAAAAAAA";
    let victim = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let send = async |cookie: &str, function: &str, fields: &[(&str, &str)]| {
        let request = victim.post(format!("{}/_fn/{function}", app.url)).form(fields).header("cookie", cookie);
        request.send().await.unwrap()
    };
    let credentials = [("email", EMAIL), ("password", PASSWORD)];
    let first = cookie(&send(planted, "sign_in", &credentials).await);
    assert_ne!(first, planted);
    assert_eq!(send(planted, "finish_sign_in", &[("code", &stage.recovery[0])]).await.status(), 401);

    // Of an attacker's own first step or session: the victim leaves it behind, with all that was in it.
    let mallory = json!({"email": "mallory@example.org", "password": PASSWORD, "name": "Mallory"});
    assert_eq!(app.post("/api/v1/auth/register", None, &mallory).await.0, 201);
    let theirs = cookie(&send("", "sign_in", &[("email", "mallory@example.org"), ("password", PASSWORD)]).await);
    let marked = sqlx::query(
        "update sessions set data = data || '{\"planted\": 1}'
         where data ->> 'user' = (select id::text from users where email = 'mallory@example.org')",
    );
    assert_eq!(marked.execute(&app.pool()).await.unwrap().rows_affected(), 1);
    let first = cookie(&send(&theirs, "sign_in", &credentials).await);
    let full = send(&first, "finish_sign_in", &[("code", &stage.recovery[1])]).await;
    assert_eq!(full.status(), 200);
    let full = cookie(&full);
    let of = async |cookie: &str| {
        let visitor: Value = send(cookie, "visitor", &[]).await.json().await.unwrap();
        visitor["user"]["email"].clone()
    };
    assert_eq!(of(&full).await, EMAIL);
    for old in [planted, theirs.as_str(), first.as_str()] {
        assert_eq!(of(old).await, Value::Null, "{old}");
    }
    let left: i64 = sqlx::query_scalar("select count(*) from sessions where data ? 'planted'")
        .fetch_one(&app.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn programs_give_password_and_code_at_once() {
    let stage = Stage::start().await;
    let with = |totp: &str| json!({"email": EMAIL, "password": PASSWORD, "totp": totp});
    let code_of = |(status, answer): (u16, Value)| (status, answer["code"].as_str().unwrap_or_default().to_owned());
    let refusal = |code: &str| (401, code.to_owned());
    let missing = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(code_of(stage.token(missing).await), refusal("totp_required"));
    assert_eq!(code_of(stage.token(with(" ")).await), refusal("totp_required"));
    assert_eq!(
        code_of(stage.token(json!({"email": EMAIL, "password": PASSWORD, "totp": null})).await),
        refusal("totp_required")
    );
    assert_eq!(code_of(stage.token(with("abc")).await), refusal("bad_totp"));
    let code = stage.code();
    let wrong_password = json!({"email": EMAIL, "password": "another long one", "totp": code});
    assert_eq!(code_of(stage.token(wrong_password).await), refusal("bad_credentials"));

    let (status, answer) = stage.token(with(&code)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(stage.app.get("/api/v1/me", answer["access_token"].as_str()).await.0, 200);
    assert_eq!(code_of(stage.token(with(&code)).await), refusal("bad_totp"), "a code is good once");
    assert_eq!(stage.token(with(&stage.recovery[0])).await.0, 200);
    assert_eq!(code_of(stage.token(with(&stage.recovery[0])).await), refusal("bad_totp"));
    for _ in 0..5 {
        // Six digits that are no code just now: those of an hour ago.
        let old = OffsetDateTime::now_utc().unix_timestamp().unsigned_abs() - 3600;
        stage.token(with(&stage.codes.generate(old).to_string())).await;
    }
    let locked = stage.app.send(Method::POST, "/api/v1/auth/token", None, Some(&with("000000"))).await;
    assert!(locked.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(code_of(json(locked).await), (429, "totp_locked".to_owned()));
    assert_eq!(stage.token(with(&stage.recovery[1])).await.0, 200, "a recovery code is taken at once");
}

#[tokio::test]
async fn git_takes_no_password_where_there_is_a_second_factor() {
    let setup = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]);
    let app = setup.start().await;
    let (token, _) = app.register(EMAIL).await;
    let body = json!({"name": "Shop", "slug": "shop", "source": {"template": "static"}});
    assert_eq!(app.post("/api/v1/sites", Some(&token), &body).await.0, 201);
    let address = format!("{}/git/test/shop.git/info/refs?service=git-upload-pack", app.url);
    let ask = async |password: &str| client().get(&address).basic_auth(EMAIL, Some(password)).send().await.unwrap();
    assert_eq!(ask(PASSWORD).await.status(), 200);

    let browser = client();
    call(&app, &browser, "sign_in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    call(&app, &browser, "begin_totp", &[("password", PASSWORD)]).await;
    assert_eq!(ask(PASSWORD).await.status(), 200, "what is only begun changes nothing");
    let security: Value = call(&app, &browser, "security", &[]).await.json().await.unwrap();
    let secret = security["view"]["setup"]["secret"].as_str().unwrap().replace(' ', "");
    let codes = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    let code = codes.generate(OffsetDateTime::now_utc().unix_timestamp().unsigned_abs()).to_string();
    assert_eq!(call(&app, &browser, "confirm_totp", &[("code", &code)]).await.status(), 200);

    // Although the password was right a moment ago, and is remembered for a minute.
    let refused = ask(PASSWORD).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
    let words = refused.text().await.unwrap();
    assert!(words.contains("API token") && words.contains("/account/tokens"), "{words}");
    assert_eq!(ask("another long one").await.status(), 401);
    assert_eq!(ask(&token).await.status(), 200, "a token is as good as before");
}

#[tokio::test]
async fn without_javascript_the_codes_are_shown_once() {
    let app = App::start_without_docker().await;
    app.register(EMAIL).await;
    let browser = client();
    call(&app, &browser, "sign_in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    let post = async |function: &str, fields: &[(&str, &str)]| {
        let request = browser.post(format!("{}/_fn/{function}", app.url)).form(fields);
        let from = format!("{}/account/security", app.url);
        let answer = request.header(header::ACCEPT, "text/html").header(header::REFERER, from).send().await.unwrap();
        assert_eq!(location(&answer), "/account/security");
    };
    post("begin_totp", &[("password", PASSWORD)]).await;
    let setup = page(&app, &browser, "/account/security").await.text().await.unwrap();
    assert!(setup.contains("<svg") && setup.contains("QR code for your app"), "{setup}");
    let security: Value = call(&app, &browser, "security", &[]).await.json().await.unwrap();
    let secret = security["view"]["setup"]["secret"].as_str().unwrap().to_owned();
    assert!(setup.contains(&secret), "the secret is there as text");
    let codes = Builder::new().with_secret(Secret::try_from_base32(secret.replace(' ', "")).unwrap()).build().unwrap();
    let code = codes.generate(OffsetDateTime::now_utc().unix_timestamp().unsigned_abs()).to_string();
    post("confirm_totp", &[("code", &code)]).await;
    let stored: String =
        sqlx::query_scalar("select string_agg(data::text, ' ') from sessions").fetch_one(&app.pool()).await.unwrap();
    let shown = page(&app, &browser, "/account/security").await.text().await.unwrap();
    let first = shown.split("font-mono text-sm").nth(1).and_then(|it| it.split("<li>").nth(1)).unwrap();
    let first = &first[..19];
    assert_eq!(first.matches('-').count(), 3, "{first}");
    assert!(!stored.contains(first), "they are sealed until then");
    let again = page(&app, &browser, "/account/security").await.text().await.unwrap();
    assert!(!again.contains(first) && again.contains("10 are left."), "{again}");
}

#[tokio::test]
async fn the_operator_lets_in_who_has_lost_phone_and_recovery_codes() {
    let stage = Stage::start().await;
    let run = |arguments: &[&str]| {
        let output = stage.app.setup.beside(arguments).output();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let password = |told: &str| told.lines().find_map(|it| it.strip_prefix("password: ")).unwrap().to_owned();
    let told = run(&["user", "reset-password", EMAIL]);
    let (_, answer) = stage.token(json!({"email": EMAIL, "password": password(&told)})).await;
    assert_eq!(answer["code"], "totp_required");
    let told = run(&["user", "reset-password", "--without-second-factor", EMAIL]);
    assert!(told.contains("Its second factor is off."), "{told}");
    assert_eq!(stage.token(json!({"email": EMAIL, "password": password(&told)})).await.0, 200);
}
