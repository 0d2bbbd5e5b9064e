//! Browser sessions in PostgreSQL: a cookie whose hash is the row's key.
//!
//! Who is not signed in has neither, or for some minutes one with what signing in needs. A session ends two weeks after
//! its last page; to know that without a write for every request, the day of the last page stands in it.

use app::context::INACTIVITY;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};
use platform::accounts::SESSION_USER;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::{collections::HashMap, time::Duration};
use store::{refresh_tokens, sessions};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// How often expired sessions and tokens are removed.
const SWEEP: Duration = Duration::from_hours(1);
/// The day of the last page, in the session's data.
const LAST_DAY: &str = "last_day";

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
pub async fn sweep(pool: PgPool, stopping: CancellationToken) {
    let mut hourly = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = hourly.tick() => {}
        }
        match delete_expired(&pool).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "removed expired sessions and tokens"),
            Err(error) => tracing::warn!(%error, "expired sessions could not be removed; tried again in an hour"),
        }
    }
}

async fn delete_expired(pool: &PgPool) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    Ok(sessions::delete_expired(&mut conn).await? + refresh_tokens::delete_expired(&mut conn).await?)
}

/// The first page of a day gives a signed-in visitor another two weeks. A value that is there already changes nothing,
/// so every further page of that day leaves the row and the cookie alone.
async fn keep_alive(session: Session, request: Request, next: Next) -> Response {
    let is_page = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().windows(9).any(|words| words == b"text/html"));
    if is_page && session.id().is_some() && matches!(session.get_value(SESSION_USER).await, Ok(Some(_))) {
        let today = OffsetDateTime::now_utc().to_julian_day();
        if let Err(error) = session.insert(LAST_DAY, today).await {
            tracing::warn!(%error, "a session could not be prolonged");
        }
    }
    next.run(request).await
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
    hex::encode(Sha256::digest(id.to_string().as_bytes()))
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
