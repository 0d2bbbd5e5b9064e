//! GitHub: the operations that are used, as its documentation has them. Whatever else it is asked is noted as a mistake.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, jwk::Jwk};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::net::TcpListener;

pub const COMMIT: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";
const KEY: &str = include_str!("key.pem");
/// What the installation reaches, numbered from 1; Ada may see all but the last.
const REPOSITORIES: i64 = 130;

pub struct Server {
    pub base: String,
    hub: Arc<Hub>,
}

#[derive(Default)]
struct Hub {
    base: String,
    mistakes: Mutex<Vec<String>>,
    sent: Mutex<Vec<(&'static str, Value)>>,
    /// What each token may do, and at which repository.
    tokens: Mutex<BTreeMap<String, (Value, Option<i64>)>>,
    comments: Mutex<Vec<String>>,
}

type Answer = Result<(u16, Value), String>;

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let hub = Arc::new(Hub { base: base.clone(), ..Hub::default() });
        let router = Router::new().fallback(answer).with_state(hub.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, hub }
    }

    pub fn mistakes(&self) -> Vec<String> {
        self.hub.mistakes.lock().unwrap().clone()
    }

    /// The bodies that one operation was sent.
    pub fn sent(&self, what: &str) -> Vec<Value> {
        self.hub.sent.lock().unwrap().iter().filter(|(it, _)| *it == what).map(|(_, body)| body.clone()).collect()
    }

    /// How many tokens were minted for one purpose.
    pub fn minted(&self, what: &str) -> usize {
        let is_it = |permissions: &Value| match what {
            "list" => *permissions == json!({"metadata": "read"}),
            _ => permissions.get(what).is_some(),
        };
        self.hub.tokens.lock().unwrap().values().filter(|(permissions, _)| is_it(permissions)).count()
    }
}

async fn answer(State(hub): State<Arc<Hub>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let path = uri.path().to_owned();
    if path.contains(".git/") {
        return git(&hub, &path, &text("authorization"));
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let asked = Asked { method, path, query: uri.query().unwrap_or_default().to_owned(), body };
    let answered = if asked.path == "/login/oauth/access_token" {
        Hub::sign_in(&asked, &text("accept"))
    } else if text("accept") != "application/vnd.github+json" || text("x-github-api-version") != "2022-11-28" {
        Err("the headers of the API".to_owned())
    } else if text("user-agent").is_empty() {
        Err("a user agent".to_owned())
    } else {
        hub.api(&asked, text("authorization").strip_prefix("Bearer ").unwrap_or_default())
    };
    match answered {
        Ok((status, body)) => (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response(),
        Err(what) => {
            hub.mistakes.lock().unwrap().push(format!("{} {}?{}: {what}", asked.method, asked.path, asked.query));
            StatusCode::IM_A_TEAPOT.into_response()
        }
    }
}

struct Asked {
    method: Method,
    path: String,
    query: String,
    body: Value,
}

impl Hub {
    fn sign_in(asked: &Asked, accept: &str) -> Answer {
        let ours = json!("Iv1.client");
        if accept != "application/json"
            || asked.body["client_id"] != ours
            || asked.body["client_secret"] != "hush-client"
        {
            return Err("who signs in".into());
        }
        let answer = match asked.body["code"].as_str() {
            Some("code-of-ada") => json!({"access_token": "ghu_ada", "token_type": "bearer"}),
            _ => json!({"error": "bad_verification_code"}),
        };
        Ok((200, answer))
    }

    fn api(&self, asked: &Asked, token: &str) -> Answer {
        let path = asked.path.strip_prefix("/api/v3/").ok_or("the API's address")?;
        let parts: Vec<&str> = path.split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("POST", ["app-manifests", code, "conversions"]) => Ok(convert(code)),
            ("GET", ["user", "installations"]) if token == "ghu_ada" => {
                page(&asked.query, "installations", vec![json!({"id": 7, "account": {"login": "ada"}})])
            }
            ("GET", ["user", "installations", "7", "repositories"]) if token == "ghu_ada" => {
                page(&asked.query, "repositories", (1..REPOSITORIES).map(|id| self.repository(id)).collect())
            }
            ("POST", ["app", "installations", "7", "access_tokens"]) => self.mint(token, &asked.body),
            ("GET", ["installation", "repositories"]) => {
                self.may(token, "metadata", "read", None)?;
                page(&asked.query, "repositories", (1..=REPOSITORIES).map(|id| self.repository(id)).collect())
            }
            (method, ["repos", "ada", "repo-1", rest @ ..]) => self.of_repository(method, rest, asked, token),
            _ => Err("nothing that is documented, or a wrong token".into()),
        }
    }

    fn of_repository(&self, method: &str, rest: &[&str], asked: &Asked, token: &str) -> Answer {
        let body = &asked.body;
        let (what, permission, fields): (_, _, &[&str]) = match (method, rest) {
            ("POST", ["statuses", COMMIT]) => {
                ("statuses", "statuses", &["state", "target_url", "description", "context"])
            }
            ("POST", ["deployments"]) => (
                "deployments",
                "deployments",
                &[
                    "ref",
                    "environment",
                    "auto_merge",
                    "required_contexts",
                    "production_environment",
                    "transient_environment",
                ],
            ),
            ("POST", ["deployments", "55", "statuses"]) => (
                "deployment statuses",
                "deployments",
                &["state", "log_url", "description", "environment", "environment_url"],
            ),
            ("GET", ["issues", "3", "comments"]) => ("comment lists", "pull_requests", &[]),
            ("POST", ["issues", "3", "comments"]) => ("comments", "pull_requests", &["body"]),
            ("PATCH", ["issues", "comments", "66"]) => ("comment edits", "pull_requests", &["body"]),
            _ => return Err("nothing of a repository that is documented".into()),
        };
        self.may(token, permission, "write", Some(1))?;
        if let Some(other) = body.as_object().and_then(|body| body.keys().find(|key| !fields.contains(&key.as_str()))) {
            return Err(format!("the field {other}"));
        }
        self.sent.lock().unwrap().push((what, body.clone()));
        Ok(match what {
            "deployments" => (201, json!({"id": 55})),
            "comments" => {
                self.comments.lock().unwrap().push(body["body"].as_str().unwrap_or_default().to_owned());
                (201, json!({"id": 66}))
            }
            "comment edits" => (200, json!({"id": 66})),
            "comment lists" => {
                let comments: Vec<Value> =
                    self.comments.lock().unwrap().iter().map(|body| json!({"id": 66, "body": body})).collect();
                (200, json!(comments))
            }
            _ => (201, json!({"id": 1})),
        })
    }

    /// “Create an installation access token for an app”: who asks proves it with the private key.
    fn mint(&self, jwt: &str, body: &Value) -> Answer {
        let own = KEY.split_once('\n').and_then(|(_, rest)| rest.split_once("-----END")).unwrap().0;
        let der = STANDARD.decode(own.split_whitespace().collect::<String>()).unwrap();
        let jwk = Jwk::from_encoding_key(&EncodingKey::from_rsa_der(&der), Algorithm::RS256).unwrap();
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&["Iv1.client"]);
        let claims = jsonwebtoken::decode::<Value>(jwt, &DecodingKey::from_jwk(&jwk).unwrap(), &rules);
        let claims = claims.map_err(|error| format!("the JWT: {error}"))?.claims;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        if claims["exp"].as_i64().is_none_or(|exp| exp > now + 600)
            || claims["iat"].as_i64().is_none_or(|iat| iat > now)
        {
            return Err(format!("the JWT's times: {claims}"));
        }
        let ids: Vec<i64> = serde_json::from_value(body.get("repository_ids").cloned().unwrap_or(json!([]))).unwrap();
        let permissions = body["permissions"].clone();
        if permissions.as_object().is_none_or(serde_json::Map::is_empty) || ids.len() > 1 {
            return Err("a token without limits".into());
        }
        let mut tokens = self.tokens.lock().unwrap();
        let token = format!("ghs_number{}", tokens.len());
        tokens.insert(token.clone(), (permissions, ids.first().copied()));
        let expires_at = (OffsetDateTime::now_utc() + Duration::hours(1)).format(&Rfc3339).unwrap();
        Ok((201, json!({"token": token, "expires_at": expires_at})))
    }

    /// The token may do this, and at this repository alone.
    fn may(&self, token: &str, what: &str, how: &str, repository: Option<i64>) -> Result<(), String> {
        let tokens = self.tokens.lock().unwrap();
        let (permissions, of) = tokens.get(token).ok_or("an unknown token")?;
        if permissions[what] == how && *of == repository { Ok(()) } else { Err(format!("a token without {what}")) }
    }

    fn repository(&self, id: i64) -> Value {
        json!({
            "id": id, "full_name": format!("ada/repo-{id}"), "private": true, "default_branch": "main",
            "clone_url": format!("{}/ada/repo-{id}.git", self.base),
        })
    }
}

fn convert(code: &str) -> (u16, Value) {
    if code != "manifest-code" {
        return (404, json!({"message": "Not Found"}));
    }
    let app = json!({
        "id": 42, "slug": "webmeteor-test", "client_id": "Iv1.client", "client_secret": "hush-client",
        "webhook_secret": "hush-hook", "pem": KEY, "name": "WebMeteor",
    });
    (201, app)
}

/// One page of a list, as it was asked for.
fn page(query: &str, key: &str, all: Vec<Value>) -> Answer {
    let number = query.strip_prefix("per_page=100&page=").and_then(|page| page.parse::<usize>().ok());
    let number = number.filter(|number| *number > 0).ok_or("a page")?;
    let count = all.len();
    let some: Vec<Value> = all.into_iter().skip((number - 1) * 100).take(100).collect();
    let mut answer = json!({"total_count": count});
    answer[key] = json!(some);
    Ok((200, answer))
}

/// A repository's branches, for who has a token that may read its code.
fn git(hub: &Hub, path: &str, authorization: &str) -> Response {
    let sent = authorization.strip_prefix("Basic ").and_then(|sent| STANDARD.decode(sent).ok()).unwrap_or_default();
    let sent = String::from_utf8_lossy(&sent).into_owned();
    let id = path.strip_prefix("/ada/repo-").and_then(|rest| rest.split_once('.')?.0.parse().ok());
    let token = sent.strip_prefix("x-access-token:").unwrap_or_default();
    if id.is_none() || hub.may(token, "contents", "read", id).is_err() {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"GitHub\"")]).into_response();
    }
    let line = |text: String| format!("{:04x}{text}", text.len() + 4);
    let body = line("# service=git-upload-pack\n".into())
        + "0000"
        + &line(format!("{COMMIT} HEAD\0symref=HEAD:refs/heads/main\n"))
        + &line(format!("{COMMIT} refs/heads/main\n"))
        + "0000";
    ([("content-type", "application/x-git-upload-pack-advertisement")], body).into_response()
}
