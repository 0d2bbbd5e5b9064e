//! A provider: OpenID Connect with discovery, keys, tokens and user information, or what GitHub has in their place.
//! Whatever it is asked otherwise than the standard has it is noted as a mistake.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

/// An Ed25519 key in PKCS #8 is this and 32 bytes of a seed (RFC 8410, section 7).
const PKCS8: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
pub const CLIENT: &str = "webmeteor";
pub const SECRET: &str = "hush";

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    Unverified,
    WrongNonce,
    WrongAudience,
    WrongIssuer,
    Expired,
    OtherKey,
    Unsigned,
    NoToken,
    OtherUserInfo,
}

/// What it knows and has noted.
pub struct Mind {
    pub quirk: Option<Quirk>,
    pub subject: String,
    pub email: String,
    /// What each code was given out for.
    codes: BTreeMap<String, HashMap<String, String>>,
    mistakes: Vec<String>,
}

pub struct Mock {
    pub base: String,
    pub kind: &'static str,
    /// Where people are sent back to.
    redirect: String,
    mind: Arc<Mutex<Mind>>,
}

#[derive(Clone)]
struct Place {
    base: String,
    mind: Arc<Mutex<Mind>>,
}

impl Mock {
    /// `github` or `oidc`, for a platform at this address.
    pub async fn start(kind: &str, platform: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mind = Arc::new(Mutex::new(Mind {
            quirk: None,
            subject: "42".into(),
            email: "grace@example.org".into(),
            codes: BTreeMap::new(),
            mistakes: Vec::new(),
        }));
        let place = Place { base: base.clone(), mind: mind.clone() };
        let router = Router::new().fallback(answer).with_state(place);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let kind = if kind == "github" { "github" } else { "oidc" };
        Self { base, kind, redirect: format!("{platform}/sign-in/with/{kind}/back"), mind }
    }

    pub fn tell(&self, change: impl FnOnce(&mut Mind)) {
        change(&mut self.mind.lock().unwrap());
    }

    pub fn mistakes(&self) -> Vec<String> {
        self.mind.lock().unwrap().mistakes.clone()
    }

    /// What a browser does there: the person agrees at once. Answers state and code.
    pub fn visit(&self, url: &str) -> (String, String) {
        let url: Url = url.parse().unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut mind = self.mind.lock().unwrap();
        let (path, scope) = match self.kind {
            "github" => ("/login/oauth/authorize", "read:user user:email"),
            _ => ("/authorize", "openid email profile"),
        };
        for (what, right) in [
            ("the address", url.as_str().starts_with(&format!("{}{path}?", self.base))),
            ("the client", asked["client_id"] == CLIENT),
            ("the redirect", asked["redirect_uri"] == self.redirect),
            ("the scope", asked["scope"] == scope),
            ("the challenge", asked["code_challenge_method"] == "S256" && asked["code_challenge"].len() == 43),
            ("the state", asked["state"].len() >= 32),
            ("the nonce", self.kind == "github" || asked["nonce"].len() >= 32),
            ("the kind of answer", self.kind == "github" || asked["response_type"] == "code"),
        ] {
            if !right {
                mind.mistakes.push(format!("{what}: {url}"));
            }
        }
        let code = format!("code-{}", mind.codes.len());
        mind.codes.insert(code.clone(), asked.clone());
        (asked["state"].clone(), code)
    }
}

async fn answer(State(place): State<Place>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let base = &place.base;
    let authorization = headers.get("authorization").map(|it| it.to_str().unwrap()).unwrap_or_default();
    let mut mind = place.mind.lock().unwrap();
    let quirk = mind.quirk;
    let verified = quirk != Some(Quirk::Unverified);
    match uri.path() {
        "/.well-known/openid-configuration" => Json(json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"),
            "userinfo_endpoint": format!("{base}/userinfo"),
            "jwks_uri": format!("{base}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "none"],
        }))
        .into_response(),
        "/keys" => {
            let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key(1), Algorithm::EdDSA).unwrap()).unwrap();
            jwk["kid"] = json!("one");
            Json(json!({ "keys": [jwk] })).into_response()
        }
        "/token" | "/login/oauth/access_token" => match mind.exchange(uri.path(), authorization, &body) {
            Ok(nonce) => Json(mind.tokens(base, &nonce)).into_response(),
            Err(what) => {
                mind.mistakes.push(what);
                (axum::http::StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response()
            }
        },
        _ if authorization != "Bearer opens-the-user" => {
            mind.mistakes.push(format!("{uri} without the token"));
            axum::http::StatusCode::UNAUTHORIZED.into_response()
        }
        "/userinfo" => {
            let subject = if quirk == Some(Quirk::OtherUserInfo) { "666" } else { &mind.subject };
            let all = json!({"sub": subject, "email": mind.email, "email_verified": verified, "name": "Grace Hopper"});
            Json(all).into_response()
        }
        "/user" => {
            let id: u64 = mind.subject.parse().unwrap();
            Json(json!({"id": id, "login": "grace", "name": "Grace Hopper"})).into_response()
        }
        "/user/emails" => Json(json!([
            {"email": "other@example.org", "primary": false, "verified": true, "visibility": null},
            {"email": mind.email, "primary": true, "verified": verified, "visibility": "private"},
        ]))
        .into_response(),
        path => {
            let what = format!("there is no {path}");
            mind.mistakes.push(what);
            axum::http::StatusCode::NOT_FOUND.into_response()
        }
    }
}

impl Mind {
    /// The nonce of a code that is exchanged as it has to be; a code is good once.
    fn exchange(&mut self, path: &str, authorization: &str, body: &[u8]) -> Result<String, String> {
        let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
        let by_form = field("client_id") == CLIENT && field("client_secret") == SECRET;
        let asked = self.codes.remove(&field("code")).ok_or("an unknown code")?;
        for (what, right) in [
            ("the client", authorization == basic || by_form),
            ("the redirect", field("redirect_uri") == asked["redirect_uri"]),
            ("the verifier", URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier"))) == asked["code_challenge"]),
            ("the grant", path != "/token" || field("grant_type") == "authorization_code"),
        ] {
            if !right {
                return Err(what.to_owned());
            }
        }
        Ok(asked.get("nonce").cloned().unwrap_or_default())
    }

    fn tokens(&self, base: &str, nonce: &str) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let is = |quirk: Quirk| self.quirk == Some(quirk);
        let mut claims = json!({
            "iss": if is(Quirk::WrongIssuer) { "https://other.example" } else { base },
            "sub": self.subject,
            "aud": [if is(Quirk::WrongAudience) { "another" } else { CLIENT }],
            "exp": if is(Quirk::Expired) { now - 3600 } else { now + 300 },
            "iat": now - 10,
            "nonce": if is(Quirk::WrongNonce) { "another" } else { nonce },
        });
        // The name is told by the user information alone.
        claims["email"] = json!(self.email);
        claims["email_verified"] = json!(!is(Quirk::Unverified));
        let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::EdDSA) };
        let mut token = jsonwebtoken::encode(&header, &claims, &key(if is(Quirk::OtherKey) { 2 } else { 1 })).unwrap();
        if is(Quirk::Unsigned) {
            let parts = [json!({"alg": "none"}), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            token = format!("{}.", parts.join("."));
        }
        let mut answer = json!({"access_token": "opens-the-user", "token_type": "Bearer", "expires_in": 300});
        if !is(Quirk::NoToken) {
            answer["id_token"] = json!(token);
        }
        answer
    }
}

fn key(number: u8) -> EncodingKey {
    EncodingKey::from_ed_der(&[PKCS8.as_slice(), &[number; 32]].concat())
}
