//! What each forge is sent, word for word, and what its answers mean.

use super::*;
use model::names::RepoUrl;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const COMMIT: &str = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";

fn github() -> GitHub {
    GitHub { url: "https://github.com".parse().unwrap(), api: "https://api.github.com".parse().unwrap() }
}

fn target(url: &str, sender: Option<Provider>) -> Option<Target> {
    Target::of(&RepoUrl::parse(url).unwrap(), sender, &github())
}

fn report(state: State) -> Report {
    Report {
        commit: CommitSha::parse(COMMIT).unwrap(),
        state,
        environment: EnvironmentName::parse("production").unwrap(),
        description: "Serving.".into(),
        link: "https://paas.example.org/deployments/1".into(),
    }
}

fn outgoing(target: &Target, state: State, token: &str) -> (String, Vec<(String, String)>, Value) {
    let Outgoing { url, headers, body } = request::of(target, &report(state), &token.to_owned().into()).unwrap();
    let pair = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    (url.to_string(), headers.iter().map(pair).filter(|(name, _)| name != "accept").collect(), body)
}

#[test]
fn a_forge_is_known_by_its_host_and_else_by_its_webhooks() {
    let provider = |url, sender| target(url, sender).map(|target| (target.provider, target.api));
    for (url, sender, expected) in [
        ("https://github.com/o/r.git", None, Some((Provider::GitHub, "https://api.github.com"))),
        // Whoever announces a push: the host is known.
        ("https://github.com/o/r", Some(Provider::GitLab), Some((Provider::GitHub, "https://api.github.com"))),
        ("https://gitlab.com/g/s/r.git", None, Some((Provider::GitLab, "https://gitlab.com/api/v4"))),
        ("https://codeberg.org/o/r", None, Some((Provider::Gitea, "https://codeberg.org/api/v1"))),
        ("https://bitbucket.org/o/r", None, Some((Provider::Bitbucket, "https://api.bitbucket.org/2.0"))),
        ("https://git.example.org/o/r", None, None),
        (
            "https://git.example.org:8443/o/r",
            Some(Provider::GitHub),
            Some((Provider::GitHub, "https://git.example.org:8443/api/v3")),
        ),
        (
            "https://example.org/git/o/r",
            Some(Provider::Gitea),
            Some((Provider::Gitea, "https://example.org/git/api/v1")),
        ),
        (
            "https://example.org/bb/scm/prj/r.git",
            Some(Provider::Bitbucket),
            Some((Provider::Bitbucket, "https://example.org/bb/rest/api/latest")),
        ),
        ("https://github.com/only", None, None),
    ] {
        let expected = expected.map(|(provider, api)| (provider, api.to_owned()));
        assert_eq!(provider(url, sender), expected, "{url}");
    }
}

#[test]
fn the_operators_github_is_asked_at_its_own_address() {
    let github = GitHub {
        url: "https://git.corp.example".parse().unwrap(),
        api: "https://git.corp.example/api/v3".parse().unwrap(),
    };
    let repository = RepoUrl::parse("https://git.corp.example/o/r.git").unwrap();
    let target = Target::of(&repository, None, &github).unwrap();
    assert_eq!((target.api.as_str(), target.is_operators), ("https://git.corp.example/api/v3", true));
    let other = RepoUrl::parse("https://github.com/o/r.git").unwrap();
    assert_eq!(Target::of(&other, None, &github).unwrap().api, "https://api.github.com");
}

#[test]
fn every_forge_is_sent_what_it_documents() {
    let context = "webmeteor/production";
    let link = "https://paas.example.org/deployments/1";
    let classic = json!({"state": "success", "target_url": link, "description": "Serving.", "context": context});
    let bitbucket =
        json!({"key": context, "state": "SUCCESSFUL", "name": context, "url": link, "description": "Serving."});
    let gitlab = json!({"state": "success", "name": context, "target_url": link, "description": "Serving."});
    for (repository, sender, token, address, authorization, body) in [
        (
            "https://github.com/o/r.git",
            None,
            "t0ken",
            format!("https://api.github.com/repos/o/r/statuses/{COMMIT}"),
            ("authorization", "Bearer t0ken"),
            &classic,
        ),
        (
            "https://gitlab.com/g/s/r.git",
            None,
            "oauth2:t0ken",
            format!("https://gitlab.com/api/v4/projects/g%2Fs%2Fr/statuses/{COMMIT}"),
            ("private-token", "t0ken"),
            &gitlab,
        ),
        (
            "https://codeberg.org/o/r.git",
            None,
            "t0ken",
            format!("https://codeberg.org/api/v1/repos/o/r/statuses/{COMMIT}"),
            ("authorization", "token t0ken"),
            &classic,
        ),
        (
            "https://bitbucket.org/o/r.git",
            None,
            "x-token-auth:t0ken",
            format!("https://api.bitbucket.org/2.0/repositories/o/r/commit/{COMMIT}/statuses/build"),
            ("authorization", "Bearer t0ken"),
            &bitbucket,
        ),
        (
            "https://bitbucket.org/o/r.git",
            None,
            "ada:t0ken",
            format!("https://api.bitbucket.org/2.0/repositories/o/r/commit/{COMMIT}/statuses/build"),
            ("authorization", "Basic YWRhOnQwa2Vu"),
            &bitbucket,
        ),
        (
            "https://bb.example.org/scm/prj/r.git",
            Some(Provider::Bitbucket),
            "t0ken",
            format!("https://bb.example.org/rest/api/latest/projects/prj/repos/r/commits/{COMMIT}/builds"),
            ("authorization", "Bearer t0ken"),
            &bitbucket,
        ),
    ] {
        let target = target(repository, sender).unwrap();
        let (url, headers, sent) = outgoing(&target, State::Success, token);
        assert_eq!((url, &sent), (address, body), "{repository}");
        let authorization = (authorization.0.to_owned(), authorization.1.to_owned());
        assert!(headers.contains(&authorization), "{repository}: {headers:?}");
    }
}

#[test]
fn every_state_has_a_word_that_the_forge_documents() {
    let known: [(&str, Option<Provider>, [&str; 6]); 5] = [
        ("https://github.com/o/r", None, ["pending", "pending", "success", "failure", "error", "error"]),
        ("https://codeberg.org/o/r", None, ["pending", "pending", "success", "failure", "error", "error"]),
        ("https://gitlab.com/o/r", None, ["pending", "running", "success", "failed", "canceled", "canceled"]),
        ("https://bitbucket.org/o/r", None, ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED", "STOPPED"]),
        (
            "https://bb.example.org/scm/o/r",
            Some(Provider::Bitbucket),
            ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED", "CANCELLED"],
        ),
    ];
    for (url, sender, words) in known {
        let target = target(url, sender).unwrap();
        let sent = State::ALL.map(|state| outgoing(&target, state, "t").2["state"].as_str().unwrap().to_owned());
        assert_eq!(sent, words, "{url}");
    }
}

#[test]
fn a_description_is_one_line_within_githubs_limit() {
    let mut long = report(State::Failure);
    long.description = format!("build: {}\n\nmore", "ö".repeat(200));
    assert_eq!(long.short().chars().count(), DESCRIPTION_MAX);
    assert!(long.short().ends_with('…'));
    long.description = "two\nlines".into();
    assert_eq!(long.short(), "two lines");
}

#[test]
fn a_token_is_not_shown_by_what_is_printed_of_a_request() {
    let token: SecretString = "t0ken".to_owned().into();
    let target = target("https://github.com/o/r", None).unwrap();
    let outgoing = request::of(&target, &report(State::Queued), &token).unwrap();
    assert!(!format!("{outgoing:?}").contains(token.expose_secret()));
}

#[tokio::test]
async fn nothing_is_sent_into_a_private_network_or_in_the_clear() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (url, words) in [
        ("https://127.0.0.1:1/o/r", "private network"),
        ("https://10.0.0.1/o/r", "private network"),
        ("https://localhost/o/r", "private network"),
        ("http://127.0.0.1:1/o/r", "https:// only"),
    ] {
        let target = target(url, Some(Provider::Gitea)).unwrap();
        let failed = send(&target, &report(State::Queued), &"t".to_owned().into(), false).await.unwrap_err();
        let Failed::Never(reason) = failed else { panic!("{url}: {failed:?}") };
        assert!(reason.contains(words), "{url}: {reason}");
    }
    let target = target("http://192.0.2.1/o/r", Some(Provider::Gitea)).unwrap();
    let failed = send(&target, &report(State::Queued), &"t".to_owned().into(), true).await.unwrap_err();
    assert!(matches!(failed, Failed::Never(reason) if reason.contains("https:// only")));
}
