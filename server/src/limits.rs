//! How often an address may ask for what, decided by the path before anything is read.

use crate::{address, problem::ApiResult};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Method, header},
    middleware::Next,
    response::Response,
};
use model::{Problem, SiteId};
use platform::{Platform, throttle::Way};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// 429 with `Retry-After` for whoever asks too often.
pub async fn by_address(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> ApiResult<Response> {
    let address = address::of(request.extensions());
    // Programs on this machine, such as whoever looks after its health, come straight and for nobody else.
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let is_local = peer.is_some_and(|peer| peer.is_loopback() && Some(peer) == address);
    if !is_local {
        platform.throttle.address(Way::Any, address)?;
    }
    check(&platform, &request, address)?;
    Ok(next.run(request).await)
}

fn check(platform: &Platform, request: &Request, address: Option<IpAddr>) -> Result<(), Problem> {
    let path = request.uri().path();
    if let Some(way) = way(request, path) {
        platform.throttle.address(way, address)?;
    }
    let site = path.strip_prefix("/webhook/customer-site/").and_then(|id| id.parse::<SiteId>().ok());
    site.map_or(Ok(()), |site| platform.throttle.webhook(site))
}

/// What is asked for, as far as it is counted by itself.
fn way(request: &Request, path: &str) -> Option<Way> {
    if path.starts_with("/webhook/") {
        return Some(Way::Webhook);
    }
    if path.starts_with("/git/") {
        return request.headers().contains_key(header::AUTHORIZATION).then_some(Way::Git);
    }
    if path.starts_with("/socket.io") {
        let is_new = !request.uri().query().unwrap_or_default().contains("sid=");
        return is_new.then_some(Way::Socket);
    }
    // Links lead there, and each has the platform ask the provider, or look for an invitation.
    if path.starts_with("/sign-in/with/") || path.starts_with("/api/v1/invitations/") {
        return Some(Way::Step);
    }
    if request.method() != Method::POST {
        return None;
    }
    let name = path.strip_prefix("/_fn/").or_else(|| path.strip_prefix("/api/v1/"))?;
    Some(match name {
        "auth/token" | "sign_in" => Way::SignIn,
        "auth/register" | "sign_up" => Way::Register,
        "auth/refresh" => Way::Refresh,
        "tokens" | "create_token" => Way::MakeToken,
        "second_step"
        | "finish_sign_in"
        | "ask_for_passkey"
        | "sign_in_with_passkey"
        | "auth/confirm"
        | "confirm_link"
        | "look_at_link"
        | "auth/password-reset/confirm"
        | "reset_password"
        | "look_at_reset"
        | "invitation"
        | "accept_invitation"
        | "join" => Way::Step,
        "auth/password-reset"
        | "request_reset"
        | "me/email"
        | "change_email"
        | "me/email/verification"
        | "send_verification"
        | "invite"
        | "resend_invitation" => Way::Mail,
        // Into a team, or to the platform alone.
        _ if name.ends_with("/invitations") || name.ends_with("/resend") => Way::Mail,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn counted(method: Method, uri: &str) -> Option<Way> {
        let request = Request::builder().method(method).uri(uri).header("authorization", "Basic x");
        let request = request.body(Body::empty()).unwrap();
        way(&request, request.uri().path())
    }

    #[test]
    fn each_way_in_is_counted_as_what_it_is() {
        for (uri, way) in [
            ("/api/v1/auth/token", Some(Way::SignIn)),
            ("/_fn/sign_in", Some(Way::SignIn)),
            ("/_fn/sign_up", Some(Way::Register)),
            ("/_fn/finish_sign_in", Some(Way::Step)),
            ("/_fn/confirm_totp", None),
            ("/api/v1/auth/confirm", Some(Way::Step)),
            ("/api/v1/auth/password-reset", Some(Way::Mail)),
            ("/api/v1/auth/password-reset/confirm", Some(Way::Step)),
            ("/_fn/request_reset", Some(Way::Mail)),
            ("/_fn/invite", Some(Way::Mail)),
            ("/_fn/invitations", None),
            ("/api/v1/teams/x/invitations", Some(Way::Mail)),
            ("/api/v1/teams/x/invitations/y/resend", Some(Way::Mail)),
            ("/api/v1/admin/invitations", Some(Way::Mail)),
            ("/_fn/accept_invitation", Some(Way::Step)),
            ("/api/v1/invitations/x", Some(Way::Step)),
            ("/api/v1/auth/refresh", Some(Way::Refresh)),
            ("/_fn/create_token", Some(Way::MakeToken)),
            ("/webhook/customer-site", Some(Way::Webhook)),
            ("/git/ada/shop.git/git-receive-pack", Some(Way::Git)),
            ("/socket.io/?EIO=4&transport=polling", Some(Way::Socket)),
            ("/socket.io/?EIO=4&transport=polling&sid=x", None),
            ("/api/v1/sites", None),
        ] {
            assert_eq!(counted(Method::POST, uri), way, "{uri}");
        }
        for uri in ["/api/v1/tokens", "/api/v1/teams/x/invitations"] {
            assert_eq!(counted(Method::GET, uri), None, "{uri}");
        }
        for uri in
            ["/api/v1/invitations/x", "/sign-in/with/github?next=/sites", "/sign-in/with/oidc/back?state=a&code=b"]
        {
            assert_eq!(counted(Method::GET, uri), Some(Way::Step), "{uri}");
        }
        assert_eq!(counted(Method::GET, "/sign-in"), None);
    }
}
