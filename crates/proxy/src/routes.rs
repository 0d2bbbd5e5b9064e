//! From an environment's routes to Traefik's dynamic configuration. Pure, and always in the same order.

use crate::{Error, Result};
use serde::Serialize;
use std::{collections::BTreeMap, net::Ipv4Addr};

/// A service with a path on a site's hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteService {
    /// The service's name.
    pub name: String,
    /// Its container's address.
    pub address: Ipv4Addr,
    /// Its port.
    pub port: u16,
    /// `/`, `/api`, …
    pub path: String,
    /// The path is cut off before the request reaches the service.
    pub strip: bool,
}

impl RouteService {
    /// The address that Traefik sends requests to.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.address, self.port)
    }
}

/// The routes of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRoutes {
    /// Names the file and everything in it; letters, digits and hyphens.
    pub key: String,
    /// Hosts that reach it.
    pub hosts: Vec<String>,
    /// Its services.
    pub services: Vec<RouteService>,
}

#[derive(Serialize)]
struct Dynamic {
    http: Http,
}

#[derive(Serialize)]
struct Http {
    routers: BTreeMap<String, Router>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    middlewares: BTreeMap<String, Middleware>,
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
    servers: Vec<Server>,
    pass_host_header: bool,
    response_forwarding: ResponseForwarding,
}

#[derive(Serialize)]
struct Server {
    url: String,
}

/// Streamed answers reach the browser as they are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseForwarding {
    flush_interval: &'static str,
}

impl SiteRoutes {
    /// The name of a service's router, service and middleware in Traefik.
    pub fn name_of(&self, service: &RouteService) -> String {
        format!("{}-{}", self.key, service.name)
    }

    /// Traefik's rule for a service: its hosts, and its path unless that is everything.
    pub fn rule_of(&self, service: &RouteService) -> String {
        rule(&self.hosts, &service.path)
    }

    /// The dynamic configuration as YAML, which JSON is a part of.
    ///
    /// # Errors
    /// [`Error::Format`] if it cannot be written.
    pub fn to_yaml(&self) -> Result<String> {
        let (mut routers, mut middlewares, mut services) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for service in &self.services {
            let name = self.name_of(service);
            let strips = service.strip && service.path != "/";
            if strips {
                let prefixes = vec![service.path.trim_end_matches('/').to_owned()];
                middlewares.insert(name.clone(), Middleware { strip_prefix: StripPrefix { prefixes } });
            }
            routers.insert(
                name.clone(),
                Router {
                    entry_points: vec!["web"],
                    rule: self.rule_of(service),
                    priority: priority(&service.path),
                    service: name.clone(),
                    middlewares: if strips { vec![name.clone()] } else { vec![] },
                },
            );
            services.insert(
                name,
                Service {
                    load_balancer: LoadBalancer {
                        servers: vec![Server { url: service.url() }],
                        pass_host_header: true,
                        response_forwarding: ResponseForwarding { flush_interval: "50ms" },
                    },
                },
            );
        }
        let dynamic = Dynamic { http: Http { routers, middlewares, services } };
        serde_saphyr::to_string(&dynamic).map_err(|e| Error::Format(e.to_string()))
    }
}

/// The longest path wins, whatever the order of the services.
pub(crate) fn priority(path: &str) -> usize {
    10 + path.trim_end_matches('/').len()
}

/// `Host(…)`, and for a path just that path and what lies below it: `/api` is not `/apis`.
pub(crate) fn rule(hosts: &[String], path: &str) -> String {
    let hosts: Vec<String> = hosts.iter().map(|host| format!("Host(`{host}`)")).collect();
    let hosts = hosts.join(" || ");
    match path.trim_end_matches('/') {
        "" => hosts,
        path => format!("({hosts}) && (Path(`{path}`) || PathPrefix(`{path}/`))"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_stack() -> SiteRoutes {
        let service = |name: &str, last: u8, port, path: &str, strip| RouteService {
            name: name.into(),
            address: Ipv4Addr::new(10, 64, 0, last),
            port,
            path: path.into(),
            strip,
        };
        SiteRoutes {
            key: "0190".into(),
            hosts: vec!["shop.localhost".into()],
            services: vec![
                service("www", 3, 4200, "/", false),
                service("api", 4, 80, "/api", true),
                service("alert", 5, 3001, "/socket.io", false),
            ],
        }
    }

    #[test]
    fn a_site_becomes_one_router_for_each_service() {
        insta::assert_snapshot!(full_stack().to_yaml().unwrap());
    }

    #[test]
    fn a_path_is_not_the_beginning_of_another_name() {
        assert_eq!(rule(&["a.b".into()], "/api"), "(Host(`a.b`)) && (Path(`/api`) || PathPrefix(`/api/`))");
        assert!(priority("/api/v2") > priority("/api") && priority("/api") > priority("/"));
    }
}
