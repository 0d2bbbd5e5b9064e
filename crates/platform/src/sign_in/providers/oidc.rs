//! OpenID Connect: discovery, the authorization code with PKCE, and a signed ID token whose every part is checked
//! (OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3).

use super::{Journey, Person, http::Http, redirect_uri};
use crate::{Platform, settings::Provider};
use anyhow::{Context, anyhow, ensure};
use model::names::Email;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata,
        CoreUserInfoClaims,
    },
};
use secrecy::ExposeSecret;

/// Signatures that are taken: with the provider's key alone, never with a secret that we know too.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Where to send the browser.
pub(super) async fn way(
    platform: &Platform,
    provider: &Provider,
    issuer: &str,
    journey: &Journey,
) -> anyhow::Result<String> {
    let client = client(platform, provider, issuer).await?;
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(journey.verifier.clone()));
    let (state, nonce) = (CsrfToken::new(journey.state.clone()), Nonce::new(journey.nonce.clone()));
    let request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce);
    let request = request.add_scope(Scope::new("email".into())).add_scope(Scope::new("profile".into()));
    Ok(request.set_pkce_challenge(challenge).url().0.into())
}

/// Who came back.
pub(super) async fn person(
    platform: &Platform,
    provider: &Provider,
    issuer: &str,
    journey: &Journey,
    code: &str,
) -> anyhow::Result<Person> {
    let client = client(platform, provider, issuer).await?;
    let ask = Http { platform, home: issuer };
    let answer = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))?
        .set_pkce_verifier(PkceCodeVerifier::new(journey.verifier.clone()))
        .request_async(&ask)
        .await
        .context("the code was not exchanged")?;
    let token = answer.id_token().ok_or_else(|| anyhow!("the answer holds no ID token"))?;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
    let claims = token.claims(&verifier, &Nonce::new(journey.nonce.clone())).context("the ID token is not good")?;
    if let Some(expected) = claims.access_token_hash() {
        let key = token.signing_key(&verifier).context("the ID token's key")?;
        let actual = AccessTokenHash::from_token(answer.access_token(), token.signing_alg()?, key)?;
        ensure!(actual == *expected, "the access token is not the ID token's");
    }
    let mut email = claims.email().filter(|_| claims.email_verified() == Some(true)).map(|it| it.as_str().to_owned());
    let mut name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    // Some providers tell no more in the token than who it is.
    if (email.is_none() || name.is_none())
        && let Ok(request) = client.user_info(answer.access_token().clone(), Some(claims.subject().clone()))
    {
        let more: CoreUserInfoClaims = request.request_async(&ask).await.context("the user's information")?;
        let verified = more.email().filter(|_| more.email_verified() == Some(true));
        email = email.or_else(|| verified.map(|it| it.as_str().to_owned()));
        name = name.or_else(|| more.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()));
    }
    Ok(Person {
        issuer: claims.issuer().as_str().to_owned(),
        subject: claims.subject().as_str().to_owned(),
        email: email.and_then(|email| Email::parse(&email).ok()),
        name,
    })
}

async fn client(platform: &Platform, provider: &Provider, issuer: &str) -> anyhow::Result<Client> {
    let ask = Http { platform, home: issuer };
    let url = IssuerUrl::new(issuer.to_owned()).context("the issuer's address")?;
    let found = CoreProviderMetadata::discover_async(url, &ask).await.context("the provider's description")?;
    let secret = ClientSecret::new(provider.client_secret.expose_secret().to_owned());
    let client = CoreClient::from_provider_metadata(found, ClientId::new(provider.client_id.clone()), Some(secret));
    Ok(client.set_redirect_uri(RedirectUrl::new(redirect_uri(platform, provider))?))
}
