//! What the server tells the browser once, with the page: its clock, and why a form posted without JavaScript failed.

use crate::failure::Failure;
use leptos::{prelude::*, server_fn::error::ServerFnUrlError};
use serde::{Deserialize, Serialize};

/// Sent with the page, read by both sides, so that hydration finds what was rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The server's clock, milliseconds since 1970.
    pub now: i64,
    /// The path of the server function that refused, and why, still encoded.
    pub refused: Option<(String, String)>,
}

impl Boot {
    /// Reads it on the server, receives it in the browser; to be called once, in the root component.
    pub fn provide() -> Self {
        let boot = SharedValue::new(Self::read).into_inner();
        provide_context(boot.clone());
        #[cfg(feature = "hydrate")]
        if boot.refused.is_some() {
            Effect::new(|_| tidy_address());
        }
        boot
    }

    #[cfg(feature = "ssr")]
    fn read() -> Self {
        let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        let refused = use_context::<axum::http::request::Parts>().and_then(|parts| refusal(&parts));
        Self { now: i64::try_from(now).unwrap_or_default(), refused }
    }

    #[cfg(not(feature = "ssr"))]
    fn read() -> Self {
        Self { now: crate::clock::browser_millis(), refused: None }
    }

    /// Why the server function at this path refused, if this page answers its form.
    pub fn refusal_of(&self, path: &str) -> Option<Failure> {
        let (of, error) = self.refused.as_ref()?;
        (of == path).then(|| ServerFnUrlError::<Failure>::decode_err(error))
    }
}

/// Takes the error out of the address bar once it is shown: a reload begins anew.
#[cfg(feature = "hydrate")]
fn tidy_address() {
    let (location, history) = (window().location(), window().history());
    let (Ok(path), Ok(search), Ok(history)) = (location.pathname(), location.search(), history) else { return };
    let Ok(query) = web_sys::UrlSearchParams::new_with_str(&search) else { return };
    query.delete("__path");
    query.delete("__err");
    let rest = query.to_string().as_string().filter(|rest| !rest.is_empty()).map(|rest| format!("?{rest}"));
    let address = path + &rest.unwrap_or_default();
    let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&address));
}

/// The error in the page's address, unless a link on somebody else's site brought it: text of strangers is not ours to
/// show. Browsers say where a request began in `Sec-Fetch-Site` (Fetch Metadata).
#[cfg(feature = "ssr")]
fn refusal(parts: &axum::http::request::Parts) -> Option<(String, String)> {
    let from = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if matches!(from, Some("cross-site" | "same-site")) {
        return None;
    }
    let query = parts.uri.query()?;
    let find = |wanted: &str| {
        query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name == wanted).then(|| leptos_router::location::Url::unescape(value))
        })
    };
    Some((find("__path")?, find("__err")?))
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(site: &str) -> axum::http::request::Parts {
        Request::builder()
            .uri("/sign-in?__path=%2F_fn%2Fsign_in&__err=e30%3D")
            .header("sec-fetch-site", site)
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn an_error_in_the_address_is_shown_only_after_our_own_form() {
        assert_eq!(refusal(&parts("same-origin")), Some(("/_fn/sign_in".to_owned(), "e30=".to_owned())));
        assert_eq!(refusal(&parts("cross-site")), None);
        assert_eq!(refusal(&parts("same-site")), None, "customers' sites are siblings of the dashboard");
    }
}
