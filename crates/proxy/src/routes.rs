//! From the services of an environment to Traefik's dynamic configuration. Pure.

use crate::{Error, Result, yaml};
use serde::Serialize;
use std::{collections::BTreeMap, net::Ipv4Addr};

/// The entry point that sites answer on.
pub(crate) const ENTRY_POINT: &str = "web";

/// How one environment is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRoutes {
    /// Names the file and everything in it: the environment's id.
    pub key: String,
    /// Hosts that reach it.
    pub hosts: Vec<String>,
    /// Services with a path on these hosts.
    pub services: Vec<RouteService>,
}

/// One service behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteService {
    /// The service.
    pub name: String,
    /// Its container's address.
    pub address: Ipv4Addr,
    /// The port it listens on.
    pub port: u16,
    /// Path prefix, `/` for everything; whole segments only, so `/api` does not reach `/apiary`.
    pub path: String,
    /// The prefix is cut off before the request reaches the service.
    pub strip: bool,
}

impl SiteRoutes {
    /// The name that Traefik's router, service and middleware of a service share.
    pub(crate) fn name(&self, service: &RouteService) -> String {
        format!("{}-{}", self.key, service.name)
    }

    /// The rule of a service.
    ///
    /// # Errors
    /// [`Error::NotRoutable`] for a host or path that could end the rule's quotes.
    pub(crate) fn rule(&self, service: &RouteService) -> Result<String> {
        rule(&self.hosts, &service.path)
    }

    /// The dynamic configuration as YAML; the same routes give the same text.
    ///
    /// # Errors
    /// [`Error::NotRoutable`] for a host, path or name that no rule can hold.
    pub fn render(&self) -> Result<String> {
        check("key", &self.key, is_key(&self.key))?;
        let mut http = Http::default();
        for service in &self.services {
            check("service", &service.name, is_key(&service.name))?;
            let name = self.name(service);
            let strips = service.strips();
            if strips {
                let middleware = Middleware {
                    strip_prefix: StripPrefix { prefixes: vec![service.path.trim_end_matches('/').to_owned()] },
                };
                http.middlewares.insert(name.clone(), middleware);
            }
            let router = Router {
                entry_points: vec![ENTRY_POINT],
                rule: self.rule(service)?,
                priority: priority(&service.path),
                service: name.clone(),
                middlewares: strips.then(|| name.clone()).into_iter().collect(),
            };
            http.routers.insert(name.clone(), router);
            let balancer = LoadBalancer { pass_host_header: true, servers: vec![Server { url: service.url() }] };
            http.services.insert(name, Service { load_balancer: balancer });
        }
        yaml::render(&Dynamic { http })
    }
}

impl RouteService {
    /// Where the proxy sends requests.
    pub(crate) fn url(&self) -> String {
        format!("http://{}:{}", self.address, self.port)
    }

    /// Something is cut off.
    pub(crate) fn strips(&self) -> bool {
        self.strip && self.path != "/"
    }
}

/// Longer prefixes win.
pub(crate) fn priority(path: &str) -> usize {
    path.trim_end_matches('/').len() + 1
}

/// A rule in Traefik's language.
/// <https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/>
pub(crate) fn rule(hosts: &[String], path: &str) -> Result<String> {
    let mut any_host = vec![];
    for host in hosts {
        check("host", host, is_host(host))?;
        any_host.push(format!("Host(`{host}`)"));
    }
    // A router without a host would take every site's requests.
    check("host", "", !any_host.is_empty())?;
    check("path", path, is_path(path))?;
    let hosts = any_host.join(" || ");
    match path.trim_end_matches('/') {
        "" => Ok(hosts),
        path if any_host.len() == 1 => Ok(format!("{hosts} && (Path(`{path}`) || PathPrefix(`{path}/`))")),
        path => Ok(format!("({hosts}) && (Path(`{path}`) || PathPrefix(`{path}/`))")),
    }
}

fn check(what: &'static str, value: &str, good: bool) -> Result<()> {
    if good { Ok(()) } else { Err(Error::NotRoutable { what, value: value.to_owned() }) }
}

/// Safe as a file's name and as a name in Traefik, where `@` and `.` have a meaning.
pub(crate) fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 100
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !key.starts_with('-')
}

pub(crate) fn is_host(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 200
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~'))
}

#[derive(Serialize)]
struct Dynamic {
    http: Http,
}

// Traefik refuses a file with an empty section.
#[derive(Default, Serialize)]
struct Http {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    routers: BTreeMap<String, Router>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    middlewares: BTreeMap<String, Middleware>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    services: BTreeMap<String, Service>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Router {
    entry_points: Vec<&'static str>,
    rule: String,
    priority: usize,
    service: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    middlewares: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Middleware {
    strip_prefix: StripPrefix,
}

#[derive(Serialize)]
struct StripPrefix {
    prefixes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    load_balancer: LoadBalancer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancer {
    pass_host_header: bool,
    servers: Vec<Server>,
}

#[derive(Serialize)]
struct Server {
    url: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn service(name: &str, last: u8, port: u16, path: &str, strip: bool) -> RouteService {
        RouteService { name: name.into(), address: Ipv4Addr::new(10, 64, 0, last), port, path: path.into(), strip }
    }

    fn full_stack() -> SiteRoutes {
        SiteRoutes {
            key: "0198c5a0-0000-7000-8000-000000000001".into(),
            hosts: vec!["shop.localhost".into()],
            services: vec![
                service("www", 2, 4200, "/", false),
                service("api", 3, 80, "/api", true),
                service("alert", 4, 3001, "/socket.io", false),
            ],
        }
    }

    #[test]
    fn a_full_stack_site_has_three_routes() {
        insta::assert_snapshot!(full_stack().render().unwrap());
    }

    #[test]
    fn a_single_service_on_two_hosts_gets_everything() {
        let routes = SiteRoutes {
            hosts: vec!["shop.localhost".into(), "shop.example.org".into()],
            services: vec![service("web", 2, 8080, "/", true), service("docs", 3, 80, "/docs/", true)],
            ..full_stack()
        };
        insta::assert_snapshot!(routes.render().unwrap());
    }

    #[test]
    fn the_longest_path_wins() {
        assert!(priority("/") < priority("/api"));
        assert!(priority("/api") < priority("/api/v2"));
        assert_eq!(priority("/api"), priority("/api/"));
    }

    #[test]
    fn nothing_without_a_host() {
        assert!(SiteRoutes { hosts: vec![], ..full_stack() }.render().is_err());
    }

    #[test]
    fn what_could_leave_its_quotes_is_refused() {
        for host in ["a`) || Host(`b", "", "a b", "a..b", "a/b", "*"] {
            assert!(rule(&[host.to_owned()], "/").is_err(), "{host}");
        }
        for path in ["", "api", "/a`b", "/a b", "//a", "/../a", "/a{b}", "/a\n"] {
            assert!(rule(&["a.b".to_owned()], path).is_err(), "{path}");
        }
        for key in ["", "../a", "a/b", "a.b", "a@file", "-a"] {
            assert!(SiteRoutes { key: key.into(), ..full_stack() }.render().is_err(), "{key}");
        }
    }

    proptest! {
        #[test]
        fn a_rule_has_only_the_quotes_it_made(host in "\\PC{0,30}", path in "\\PC{0,30}") {
            if let Ok(rule) = rule(&[host], &path) {
                prop_assert!(matches!(rule.matches('`').count(), 2 | 6), "{rule}");
            }
        }
    }
}
