//! Checks the tokens that clients connect with.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;

/// Knows the site's secret and says whether a token was signed with it.
pub struct TokenCheck {
    key: DecodingKey,
    validation: Validation,
}

/// The token is missing, expired, not yet valid, or not signed with the site's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unauthorized")]
pub struct Unauthorized;

impl TokenCheck {
    /// Accepts HS256 (RFC 7518, 3.2) with this secret and nothing else.
    pub fn new(secret: &SecretString) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_nbf = true;
        // Whom a token is for is the site's own affair: every token of its secret may connect.
        validation.validate_aud = false;
        Self { key: DecodingKey::from_secret(secret.expose_secret().as_bytes()), validation }
    }

    /// # Errors
    /// [`Unauthorized`], without the reason: it would help only who is guessing.
    pub fn check(&self, token: Option<&str>) -> Result<(), Unauthorized> {
        let token = token.ok_or(Unauthorized)?;
        decode::<IgnoredAny>(token, &self.key, &self.validation).map(|_| ()).map_err(|error| {
            tracing::debug!(%error, "token refused");
            Unauthorized
        })
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
    use serde_json::{Value, json};

    use super::*;

    fn sign(secret: &str, algorithm: Algorithm, claims: &Value) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    fn check(token: &str) -> Result<(), Unauthorized> {
        TokenCheck::new(&SecretString::from("right")).check(Some(token))
    }

    #[test]
    fn a_token_of_the_site_may_connect() {
        let claims = json!({"sub": "7", "aud": "shop", "exp": get_current_timestamp() + 60});
        assert_eq!(check(&sign("right", Algorithm::HS256, &claims)), Ok(()));
    }

    #[test]
    fn foreign_expired_endless_and_missing_tokens_may_not() {
        let valid = json!({"exp": get_current_timestamp() + 60});
        let expired = json!({"exp": get_current_timestamp() - 120});
        let early = json!({"exp": get_current_timestamp() + 900, "nbf": get_current_timestamp() + 600});
        for token in [
            sign("wrong", Algorithm::HS256, &valid),
            sign("right", Algorithm::HS512, &valid),
            sign("right", Algorithm::HS256, &expired),
            sign("right", Algorithm::HS256, &early),
            sign("right", Algorithm::HS256, &json!({"sub": "7"})),
            "nonsense".to_owned(),
        ] {
            assert_eq!(check(&token), Err(Unauthorized), "{token}");
        }
        let check = TokenCheck::new(&SecretString::from("right"));
        assert_eq!(check.check(None), Err(Unauthorized));
    }
}
