//! Browser sessions in PostgreSQL: a cookie whose hash is the row's key.
//!
//! Who is not signed in has neither, or for some minutes one with what signing in needs. A session ends two weeks after
//! its last page; to know that without a write for every request, the hour of the last page stands in it, and where that
//! was.

use crate::client;
use app::context::INACTIVITY;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, header},
    middleware::{self, Next},
    response::Response,
};
use platform::{
    Platform,
    accounts::{self, SESSION_USER},
    tokens::Client,
};
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::sessions;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// How often expired sessions, tokens, links and mails are removed.
const SWEEP: Duration = Duration::from_hours(1);
/// A visit in the same so many seconds as the one before is not noted.
const COARSE: i64 = 3600;

/// Surrounds routes with sessions: their handlers may extract a [`Session`]. The cookie is out of reach for scripts and
/// other sites' forms, and over HTTPS bound to this very host (`__Host-`, RFC 6265bis section 4.1.3.2).
pub fn around<S: Clone + Send + Sync + 'static>(router: Router<S>, pool: &PgPool, public_url: &str) -> Router<S> {
    let secure = public_url.starts_with("https://");
    let name = if secure { "__Host-webmeteor_session" } else { "webmeteor_session" };
    let manager = SessionManagerLayer::new(Store { pool: pool.clone() })
        .with_name(name)
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(INACTIVITY));
    router.layer(middleware::from_fn(keep_alive)).layer(manager).layer(middleware::map_response(secure_removal))
}

/// Removes what has expired, now and every hour, until the process stops.
pub async fn sweep(platform: Arc<Platform>, stopping: CancellationToken) {
    let mut hourly = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = hourly.tick() => {}
        }
        match accounts::sweep(&platform).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "removed what has expired"),
            Err(error) => tracing::warn!(%error, "what has expired could not be removed; tried again in an hour"),
        }
    }
}

/// The first page of an hour gives a signed-in visitor another two weeks, and notes where it was. Every further page of
/// that hour leaves the row and the cookie alone. Who has just signed in is noted at once.
async fn keep_alive(session: Session, request: Request, next: Next) -> Response {
    let client = client::of(request.headers(), request.extensions());
    let is_page = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().windows(9).any(|words| words == b"text/html"));
    let may_sign_in = is_page || request.method() == Method::POST;
    if is_page && session.id().is_some() {
        note(&session, &client).await;
    }
    let response = next.run(request).await;
    if may_sign_in && session.is_modified() {
        note(&session, &client).await;
    }
    response
}

async fn note(session: &Session, client: &Client) {
    let noted = async {
        if session.get_value(SESSION_USER).await?.is_none() {
            return Ok(());
        }
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let hour = now - now.rem_euclid(COARSE);
        if session.get(sessions::SEEN).await? == Some(hour) {
            return Ok(());
        }
        session.insert(sessions::SEEN, hour).await?;
        session.insert(sessions::ADDRESS, client.address).await?;
        session.insert(sessions::AGENT, client.agent.as_deref()).await
    };
    let noted: std::result::Result<(), tower_sessions::session::Error> = noted.await;
    if let Err(error) = noted {
        tracing::warn!(%error, "a session could not be prolonged");
    }
}

/// A browser takes the removal of a `__Host-` cookie only from a cookie that is `Secure` too; the session layer leaves
/// that attribute out.
async fn secure_removal(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().map(secured).collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

fn secured(cookie: &HeaderValue) -> HeaderValue {
    let is_bare = |text: &&str| text.starts_with("__Host-") && !text.contains("; Secure");
    cookie
        .to_str()
        .ok()
        .filter(is_bare)
        .and_then(|text| HeaderValue::from_str(&format!("{text}; Secure")).ok())
        .unwrap_or_else(|| cookie.clone())
}

/// [`SessionStore`] on our own table.
#[derive(Debug, Clone)]
struct Store {
    pool: PgPool,
}

impl Store {
    async fn conn(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>> {
        self.pool.acquire().await.map_err(backend)
    }
}

#[async_trait::async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = serde_json::to_value(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
        let mut conn = self.conn().await?;
        while !sessions::insert(&mut conn, &key(&record.id), &data, record.expiry_date).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_value(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
        sessions::update(&mut *self.conn().await?, &key(&record.id), &data, record.expiry_date).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, expiry_date)) = sessions::get(&mut *self.conn().await?, &key(id)).await.map_err(backend)?
        else {
            return Ok(None);
        };
        let data: HashMap<_, _> = serde_json::from_value(data).map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sessions::delete(&mut *self.conn().await?, &key(id)).await.map_err(backend)
    }
}

/// What stands in the database: worth nothing to who reads it there.
fn key(id: &Id) -> String {
    accounts::sessions::key(&id.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
