//! The proxy's own container and its static configuration, as plain data. Pure.

use std::path::PathBuf;

/// Where the route files are inside the container.
const INSIDE: &str = "/etc/traefik/routes";

/// How the proxy is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// The folder of the route files; absolute, for it is mounted.
    pub routes_dir: PathBuf,
    /// Port for HTTP, on every address.
    pub http_port: u16,
    /// Port for HTTPS, on every address.
    pub https_port: u16,
    /// Port of the API, on the loopback only.
    pub api_port: u16,
    /// The image, `traefik:v3` unless the operator has another.
    pub image: String,
}

/// The container that the proxy runs in: on the host's network, without a Docker socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyContainer {
    /// The image.
    pub image: String,
    /// Traefik's static configuration.
    pub args: Vec<String>,
    /// Folders of the host, to be mounted read-only.
    pub binds: Vec<ContainerBind>,
}

/// A folder of the host in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerBind {
    /// On the host.
    pub host: PathBuf,
    /// In the container.
    pub container: String,
}

impl ProxySettings {
    /// The image that set-up brings.
    pub const IMAGE: &str = "traefik:v3";

    /// The container for these settings.
    pub fn container(&self) -> ProxyContainer {
        ProxyContainer {
            image: self.image.clone(),
            args: self.args(INSIDE),
            binds: vec![ContainerBind { host: self.routes_dir.clone(), container: INSIDE.into() }],
        }
    }

    /// Traefik's command line for route files in `routes_dir`; what `webmeteor proxy config traefik` prints.
    /// <https://doc.traefik.io/traefik/reference/install-configuration/configuration-options/>
    pub fn args(&self, routes_dir: &str) -> Vec<String> {
        let mut args = vec![
            "--global.checknewversion=false".to_owned(),
            "--global.sendanonymoususage=false".to_owned(),
            "--log.level=WARN".to_owned(),
            format!("--providers.file.directory={routes_dir}"),
            "--providers.file.watch=true".to_owned(),
            // The default of 2 s would be felt at every deployment.
            "--providers.providersthrottleduration=50ms".to_owned(),
            // Named `traefik`, the entry point that the insecure API, ping and metrics use; nobody else reaches it.
            format!("--entrypoints.traefik.address=127.0.0.1:{}", self.api_port),
            "--api.insecure=true".to_owned(),
            "--api.dashboard=false".to_owned(),
            "--ping=true".to_owned(),
            "--metrics.prometheus=true".to_owned(),
            "--metrics.prometheus.entrypoint=traefik".to_owned(),
            // Node closes an idle connection after 5 s by default; the proxy must be the first to let go of it, or a
            // request sent at that moment is lost.
            "--serverstransport.forwardingtimeouts.idleconntimeout=3s".to_owned(),
            "--serverstransport.forwardingtimeouts.dialtimeout=5s".to_owned(),
        ];
        for name in ["traefik", "web", "websecure"] {
            // PHP and others read `X_Forwarded_For` as `X-Forwarded-For`: a client must not slip one past the proxy.
            args.push(format!("--entrypoints.{name}.http.aliasheadersstrategy=delete"));
        }
        for (name, port) in [("web", self.http_port), ("websecure", self.https_port)] {
            args.push(format!("--entrypoints.{name}.address=:{port}"));
            // A gateway in front stands on this machine; what others claim to forward is not believed.
            args.push(format!("--entrypoints.{name}.forwardedheaders.trustedips=127.0.0.1/32,::1/128"));
            // Counted over the whole request, a limit would cut long uploads and streams of events; connections on
            // which nothing happens end by the idle timeout of 180 s.
            args.push(format!("--entrypoints.{name}.transport.respondingtimeouts.readtimeout=0"));
            args.push(format!("--entrypoints.{name}.transport.respondingtimeouts.writetimeout=0"));
            // Less than the 10 s after which the container is killed.
            args.push(format!("--entrypoints.{name}.transport.lifecycle.gracetimeout=8s"));
        }
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ProxySettings {
        ProxySettings {
            routes_dir: "/data/routes".into(),
            http_port: 8888,
            https_port: 8443,
            api_port: 8889,
            image: ProxySettings::IMAGE.into(),
        }
    }

    #[test]
    fn the_container_has_the_settings_and_the_routes() {
        let container = settings().container();
        insta::assert_snapshot!(container.args.join("\n"));
        assert_eq!(container.binds.len(), 1);
        assert_eq!(container.binds[0].host, PathBuf::from("/data/routes"));
    }

    #[test]
    fn the_api_listens_on_the_loopback_alone() {
        let args = settings().args("/r");
        let api = args.iter().find(|arg| arg.contains("8889")).unwrap();
        assert_eq!(api, "--entrypoints.traefik.address=127.0.0.1:8889");
    }
}
