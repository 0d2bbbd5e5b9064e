//! A forge's API for statuses: exactly what is documented is taken, everything else is noted as a mistake.

use super::{COMMIT, Provider};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
};
use serde_json::Value;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

pub struct Forge {
    pub base: String,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

struct Inner {
    provider: Provider,
    token: &'static str,
    sent: Mutex<Vec<Value>>,
    mistakes: Mutex<Vec<String>>,
    answers: Mutex<VecDeque<(u16, Option<&'static str>)>>,
    news: Notify,
}

impl Forge {
    pub async fn start(provider: Provider, token: &'static str) -> Self {
        let inner = Arc::new(Inner {
            provider,
            token,
            sent: Mutex::default(),
            mistakes: Mutex::default(),
            answers: Mutex::default(),
            news: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(inner.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, inner, server }
    }

    /// A repository's address for `git clone`.
    pub fn repository(&self) -> String {
        match self.inner.provider {
            Provider::GitLab => format!("{}/group/sub/site.git", self.base),
            Provider::Bitbucket => format!("{}/scm/prj/site.git", self.base),
            Provider::GitHub | Provider::Gitea => format!("{}/ada/site.git", self.base),
        }
    }

    /// Answers the next requests so: a status, and `Retry-After`.
    pub fn answer(&self, answers: &[(u16, Option<&'static str>)]) {
        self.inner.answers.lock().unwrap().extend(answers);
    }

    /// The bodies that it was sent, in their order.
    pub fn sent(&self) -> Vec<Value> {
        self.inner.sent.lock().unwrap().clone()
    }

    /// Waits until so many came.
    pub async fn until(&self, count: usize) {
        let come = async {
            while self.sent().len() < count {
                self.inner.news.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), come).await.expect("a report comes in time");
    }

    /// Stops; the mistakes that were made.
    pub fn end(self) -> Vec<String> {
        self.server.abort();
        self.inner.mistakes.lock().unwrap().clone()
    }
}

async fn take(
    State(forge): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Err(mistake) = check(&forge, &method, &uri, &headers, &body) {
        forge.mistakes.lock().unwrap().push(mistake);
        return (StatusCode::IM_A_TEAPOT, HeaderMap::new());
    }
    forge.sent.lock().unwrap().push(body);
    let answer = forge.answers.lock().unwrap().pop_front();
    forge.news.notify_one();
    let mut headers = HeaderMap::new();
    let Some((status, after)) = answer else {
        let done = if forge.provider == Provider::Bitbucket { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
        return (done, headers);
    };
    if let Some(after) = after {
        headers.insert("retry-after", after.parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), headers)
}

fn check(forge: &Inner, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Value) -> Result<(), String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let expect = |what: &str, found: &str, wanted: &str| {
        if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}")) }
    };
    let token = forge.token;
    let bearer = format!("Bearer {token}");
    let (path, authorization, value) = match forge.provider {
        Provider::GitHub => (format!("/api/v3/repos/ada/site/statuses/{COMMIT}"), "authorization", bearer),
        Provider::GitLab => {
            let path = format!("/api/v4/projects/group%2Fsub%2Fsite/statuses/{COMMIT}");
            (path, "private-token", token.to_owned())
        }
        Provider::Gitea => {
            (format!("/api/v1/repos/ada/site/statuses/{COMMIT}"), "authorization", format!("token {token}"))
        }
        Provider::Bitbucket => {
            let path = format!("/rest/api/latest/projects/prj/repos/site/commits/{COMMIT}/builds");
            (path, "authorization", bearer)
        }
    };
    expect("method", method.as_str(), "POST")?;
    expect("address", &uri.to_string(), &path)?;
    expect(authorization, &header(authorization), &value)?;
    expect("content-type", &header("content-type"), "application/json")?;
    expect("user-agent", &header("user-agent"), "webmeteor")?;
    if forge.provider == Provider::GitHub {
        expect("accept", &header("accept"), "application/vnd.github+json")?;
        expect("version", &header("x-github-api-version"), "2022-11-28")?;
    }
    let (fields, states, context): (&[&str], &[&str], &str) = match forge.provider {
        Provider::GitHub | Provider::Gitea => {
            (&["state", "target_url", "description", "context"], &["error", "failure", "pending", "success"], "context")
        }
        Provider::GitLab => (
            &["state", "name", "target_url", "description"],
            &["pending", "running", "success", "failed", "canceled"],
            "name",
        ),
        Provider::Bitbucket => (
            &["key", "state", "name", "url", "description"],
            &["SUCCESSFUL", "FAILED", "INPROGRESS", "CANCELLED", "UNKNOWN"],
            "key",
        ),
    };
    let found: BTreeSet<&str> = body.as_object().ok_or("the body is no object")?.keys().map(String::as_str).collect();
    if found != fields.iter().copied().collect() {
        return Err(format!("fields: {found:?}"));
    }
    expect(context, body[context].as_str().unwrap_or_default(), "webmeteor/production")?;
    if !states.contains(&body["state"].as_str().unwrap_or_default()) {
        return Err(format!("state: {}", body["state"]));
    }
    if body["description"].as_str().is_none_or(|text| text.is_empty() || text.chars().count() > 140) {
        return Err(format!("description: {}", body["description"]));
    }
    Ok(())
}
