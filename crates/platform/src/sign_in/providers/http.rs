//! Asking a provider: at the addresses that were checked and no others, without redirects, within limits.

use crate::Platform;
use forge::http::{self, ApiError};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::{future::Future, pin::Pin};
use url::Url;

/// What the protocol's library asks through.
pub(super) struct Http<'p> {
    /// For its settings.
    pub(super) platform: &'p Platform,
    /// Where the provider itself is.
    pub(super) home: &'p str,
}

impl<'c> AsyncHttpClient<'c> for Http<'_> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ApiError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(self.platform, self.home, request))
    }
}

/// Sends a request of the protocol and answers whatever comes back. The operator's own word counts for where the provider
/// itself is; what the provider names beside that is no way into the private network.
pub(super) async fn send(platform: &Platform, home: &str, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let wrong = |what: &str| ApiError::NotAsked(format!("The provider's address is wrong: {what}."));
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(|_| wrong("it cannot be read"))?;
    let is_home = Url::parse(home).is_ok_and(|home| home.origin() == url.origin());
    let client = http::client(&url, is_home || platform.settings.allow_private_repositories).await?;
    let later = |_| ApiError::Later { reason: "The provider cannot be reached.".into(), after: None };
    let answer = client.request(parts.method, url).headers(parts.headers).body(body).send().await.map_err(later)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(http::read(answer).await?);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
