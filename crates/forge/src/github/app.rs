//! A registered GitHub App, and the token by which it says who it is.

use super::Id;
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// GitHub takes no token that is good for longer than 10 minutes.
const LIFETIME: u64 = 9 * 60;
/// GitHub's clock may be behind ours.
const DRIFT: u64 = 60;

/// A registered App with its secrets, as GitHub answers the conversion of a manifest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its number.
    pub id: Id,
    /// Its name in addresses.
    pub slug: String,
    /// For signing people in.
    pub client_id: String,
    /// Proves that it is this App which signs people in.
    pub client_secret: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
    /// Its RSA private key, PEM.
    pub pem: String,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims {
    iat: u64,
    exp: u64,
    iss: String,
}

impl App {
    /// A token that says which App asks; good for some minutes.
    ///
    /// Source: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
    ///
    /// # Errors
    /// In plain words, if the private key is none.
    pub fn jwt(&self) -> Result<String, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
        let claims = Claims { iat: now.saturating_sub(DRIFT), exp: now + LIFETIME, iss: self.client_id.clone() };
        let wrong = || "The private key of the GitHub App cannot be read; register the App again.".to_owned();
        let key = EncodingKey::from_rsa_der(&der(&self.pem).ok_or_else(wrong)?);
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(|_| wrong())
    }

    /// All of it that nobody else may know.
    pub fn secrets(&self) -> [&str; 3] {
        [&self.client_secret, &self.webhook_secret, &self.pem]
    }
}

/// The PKCS #1 document within RFC 7468's lines, which is the form that GitHub gives.
fn der(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split_once("-----BEGIN RSA PRIVATE KEY-----")?.1.split_once("-----END")?.0;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}
