//! Making an account, and tokens for it.

pub mod confirm;
pub mod logout;
pub mod password_reset;
pub mod refresh;
pub mod register;
pub mod token;

use axum::http::{HeaderName, HeaderValue, header};

/// Tokens are kept by no cache on the way (RFC 6749, section 5.1).
pub const NO_STORE: [(HeaderName, HeaderValue); 1] = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
