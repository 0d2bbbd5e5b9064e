//! GitHub, which speaks OAuth 2.0 and not OpenID Connect: who it is stands in its API.
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>

use super::{Journey, Person, http, redirect_uri};
use crate::{Platform, settings::Provider};
use ::http::{Method, Request, header};
use anyhow::{Context, anyhow, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use model::names::Email;
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use url::Url;

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

/// Where to send the browser.
pub(super) fn way(platform: &Platform, provider: &Provider, journey: &Journey) -> String {
    let mut url = below(&platform.settings.github.url, "login/oauth/authorize");
    url.query_pairs_mut()
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &redirect_uri(platform, provider))
        .append_pair("scope", "read:user user:email")
        .append_pair("state", &journey.state)
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(&journey.verifier)))
        .append_pair("code_challenge_method", "S256");
    url.into()
}

/// Who came back.
pub(super) async fn person(
    platform: &Platform,
    provider: &Provider,
    journey: &Journey,
    code: &str,
) -> anyhow::Result<Person> {
    let at = &platform.settings.github;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &provider.client_id)
        .append_pair("client_secret", provider.client_secret.expose_secret())
        .append_pair("code", code)
        .append_pair("redirect_uri", &redirect_uri(platform, provider))
        .append_pair("code_verifier", &journey.verifier)
        .finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(below(&at.url, "login/oauth/access_token").as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.into_bytes())?;
    let token: Token = read(platform, &at.url, request).await.context("the code was not exchanged")?;
    let user: User = ask(platform, &token, "user").await?;
    let addresses: Vec<Address> = ask(platform, &token, "user/emails").await?;
    let email = addresses.into_iter().find(|it| it.primary && it.verified);
    Ok(Person {
        issuer: at.url.origin().ascii_serialization(),
        subject: user.id.to_string(),
        email: email.and_then(|it| Email::parse(&it.email).ok()),
        name: user.name.filter(|name| !name.trim().is_empty()).or(Some(user.login)),
    })
}

async fn ask<T: DeserializeOwned>(platform: &Platform, token: &Token, path: &str) -> anyhow::Result<T> {
    let api = &platform.settings.github.api;
    let request = Request::builder()
        .uri(below(api, path).as_str())
        .header(header::ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.access_token))
        .body(Vec::new())?;
    read(platform, api, request).await.with_context(|| format!("GitHub's /{path}"))
}

async fn read<T: DeserializeOwned>(platform: &Platform, home: &Url, request: Request<Vec<u8>>) -> anyhow::Result<T> {
    let answer = http::send(platform, home.as_str(), request).await?;
    ensure!(answer.status().is_success(), "it answers {}", answer.status());
    // An error of the exchange comes with 200 and no token; it may hold the code, so it is not repeated.
    serde_json::from_slice(answer.body()).map_err(|_| anyhow!("it answers something else"))
}

/// An address below another one, whose path may have been given with or without a slash at its end.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}
