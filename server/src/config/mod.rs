//! Settings: environment variables `WEBMETEOR_*` over a TOML file over defaults, read once and checked at once.

mod limits;
mod parse;
mod providers;
mod quotas;
mod subnet;
mod table;

pub use parse::{Labels, LogFormat, Subnets};
pub use subnet::{Overlap, overlap_with_host};

use crate::config::table::{Origin, TABLE, Values};
use forge::report::GitHub;
use ipnet::IpNet;
use model::views::SettingView;
use platform::{
    Deadlines, Signup, mail,
    settings::{Limits, Provider, Quotas},
};
use secrecy::SecretString;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// The settings of this process, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept; absolute.
    pub data_dir: PathBuf,
    /// Where the dashboard and the API listen.
    pub listen: SocketAddr,
    /// The dashboard's address as people reach it, without a slash at its end.
    pub public_url: String,
    /// Sites answer at `{slug}.{sites_domain}`.
    pub sites_domain: String,
    /// The machine's addresses as visitors reach them.
    pub public_addresses: Vec<IpAddr>,
    /// Whom to ask about domains; `None`: the system's resolver.
    pub dns_server: Option<SocketAddr>,
    /// The proxy's port for HTTP.
    pub proxy_http_port: u16,
    /// The proxy's port for HTTPS.
    pub proxy_https_port: u16,
    /// The proxy's API, on the loopback.
    pub proxy_api_port: u16,
    /// `None`: a local PostgreSQL is managed.
    pub database_url: Option<SecretString>,
    /// The pool of subnets.
    pub subnets: Subnets,
    /// Deployments at once on this machine.
    pub build_concurrency: usize,
    /// `None`: kept in the data folder.
    pub master_key: Option<SecretString>,
    /// Further keys that open what was sealed with them.
    pub old_master_keys: Vec<SecretString>,
    /// Which messages are logged, in the words of `tracing`'s filter.
    pub log: String,
    /// How they look.
    pub log_format: LogFormat,
    /// Who may register.
    pub signup: Signup,
    /// How mail is sent.
    pub mail: mail::Settings,
    /// The folder with the dashboard's scripts and styles.
    pub site_root: PathBuf,
    /// The folder with the templates.
    pub templates_dir: PathBuf,
    /// Repositories over plain HTTP and on private addresses are fetched too.
    pub allow_private_repositories: bool,
    /// Providers of accounts that people may sign in with.
    pub providers: Vec<Provider>,
    /// Where GitHub is, or a GitHub Enterprise Server.
    pub github: GitHub,
    /// The folder with PostgreSQL's programs; `None`: looked for.
    pub postgres_bin: Option<PathBuf>,
    /// Labels added to everything made in Docker.
    pub extra_labels: Labels,
    /// How long an old release may finish its requests.
    pub drain: Duration,
    /// How long a new release is watched after its switch.
    pub watch: Duration,
    /// How long a webhook's secret goes on working after it was replaced.
    pub webhook_grace: Duration,
    /// Releases of each environment that can be gone back to.
    pub kept_releases: i64,
    /// How long each step of a deployment may take.
    pub deadlines: Deadlines,
    /// How much of the machine logs, images and builds may use.
    pub limits: Limits,
    /// What a team may use where nobody set another amount for it.
    pub quotas: Quotas,
    /// Whose layers of builds are shared.
    pub layer_scope: String,
    /// Whose word on where a request came from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may call the API with a token.
    pub cors_origins: Vec<String>,
    /// The limits on how often somebody may ask are so many times as high.
    pub limit_factor: u32,
    shown: Vec<Shown>,
}

/// A setting as it is printed.
#[derive(Debug, Clone)]
struct Shown {
    name: String,
    value: String,
    origin: Origin,
}

/// Everything that is wrong with the settings, each with its remedy.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl Config {
    /// Reads the settings of this process. `file` must exist if it is given; else `webmeteor.toml` in the working
    /// directory is read where there is one.
    ///
    /// # Errors
    /// All that is wrong, one line each, naming the setting and the remedy.
    pub fn from_process(file: Option<&Path>) -> Result<Self, ConfigError> {
        let vars = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self::load(file, vars)
    }

    /// Reads the settings from a file and from these environment variables.
    ///
    /// # Errors
    /// As [`Config::from_process`].
    pub fn load(file: Option<&Path>, vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut values = Values::default();
        let default_file = Path::new("webmeteor.toml");
        match file {
            Some(path) => values.read_file(path),
            None if default_file.exists() => values.read_file(default_file),
            None => {}
        }
        values.read_vars(vars);
        let parsed = Self::parse(&mut values);
        let mut config = match (parsed, values.wrong()) {
            (Some(config), []) => config,
            (_, wrong) => return Err(ConfigError(wrong.to_vec())),
        };
        config.check_together()?;
        config.shown = config.effective(&values);
        Ok(config)
    }

    /// Parses every setting before giving up, so that all mistakes are told at once.
    #[expect(clippy::similar_names, reason = "http and https are what they are called")]
    fn parse(values: &mut Values) -> Option<Self> {
        let data_dir = values.take("DATA_DIR", parse::absolute);
        let listen = values.take("LISTEN", parse::address);
        let public_url = values.take("PUBLIC_URL", parse::public_url);
        let sites_domain = values.take("SITES_DOMAIN", parse::domain);
        let public_addresses = values.take("PUBLIC_ADDRESSES", parse::addresses);
        let dns_server = values.take("DNS_SERVER", parse::optional_address);
        let proxy_http_port = values.take("PROXY_HTTP_PORT", parse::port);
        let proxy_https_port = values.take("PROXY_HTTPS_PORT", parse::port);
        let proxy_api_port = values.take("PROXY_API_PORT", parse::port);
        let database_url = values.take("DATABASE_URL", parse::database_url);
        let subnets = values.take("SUBNET_POOL", parse::subnets);
        let build_concurrency = values.take("BUILD_CONCURRENCY", parse::concurrency);
        let master_key = values.take("MASTER_KEY", parse::master_key);
        let old_master_keys = values.take("OLD_MASTER_KEYS", parse::master_keys);
        let log = values.take("LOG", parse::log_filter);
        let log_format = values.take("LOG_FORMAT", parse::log_format);
        let signup = values.take("SIGNUP", parse::signup);
        let providers = providers::take(values);
        let mail = values.take("MAIL", mail::Transport::parse);
        let mail_from = values.take("MAIL_FROM", parse::mail_from);
        let site_root = values.take("SITE_ROOT", parse::site_root);
        let templates_dir = values.take("TEMPLATES_DIR", parse::templates_dir);
        let allow_private_repositories = values.take("ALLOW_PRIVATE_REPOSITORIES", parse::yes_or_no);
        let github_url = values.take("GITHUB_URL", parse::forge_url);
        let github_api = values.take("GITHUB_API_URL", parse::forge_url);
        let postgres_bin = values.take("POSTGRES_BIN", parse::optional_path);
        let extra_labels = values.take("EXTRA_LABELS", parse::labels);
        let drain = values.take("DRAIN_SECONDS", parse::seconds);
        let watch = values.take("WATCH_SECONDS", parse::seconds);
        let webhook_grace = values.take("WEBHOOK_GRACE_HOURS", parse::hours);
        let kept_releases = values.take("KEPT_RELEASES", parse::kept_releases);
        let fetch = values.take("FETCH_SECONDS", parse::some_seconds);
        let build = values.take("BUILD_SECONDS", parse::some_seconds);
        let start = values.take("START_SECONDS", parse::some_seconds);
        let verify = values.take("VERIFY_SECONDS", parse::some_seconds);
        let switch = values.take("SWITCH_SECONDS", parse::some_seconds);
        let limits = limits::take(values);
        let quotas = quotas::take(values);
        let layer_scope = values.take("LAYER_SCOPE", parse::word);
        let trusted_proxies = values.take("TRUSTED_PROXIES", parse::networks);
        let cors_origins = values.take("CORS_ORIGINS", parse::origins);
        let limit_factor = values.take("LIMIT_FACTOR", parse::factor);
        Some(Self {
            data_dir: data_dir?,
            listen: listen?,
            public_url: public_url?,
            sites_domain: sites_domain?,
            public_addresses: public_addresses?,
            dns_server: dns_server?,
            proxy_http_port: proxy_http_port?,
            proxy_https_port: proxy_https_port?,
            proxy_api_port: proxy_api_port?,
            database_url: database_url?,
            subnets: subnets?,
            build_concurrency: build_concurrency?,
            master_key: master_key?,
            old_master_keys: old_master_keys?,
            log: log?,
            log_format: log_format?,
            signup: signup?,
            providers: providers?,
            mail: mail::Settings { transport: mail?, from: mail_from? },
            site_root: site_root?,
            templates_dir: templates_dir?,
            allow_private_repositories: allow_private_repositories?,
            github: GitHub { url: github_url?, api: github_api? },
            postgres_bin: postgres_bin?,
            extra_labels: extra_labels?,
            drain: drain?,
            watch: watch?,
            webhook_grace: webhook_grace?,
            kept_releases: kept_releases?,
            deadlines: Deadlines { fetch: fetch?, build: build?, start: start?, verify: verify?, switch: switch? },
            limits: limits?,
            quotas: quotas?,
            layer_scope: layer_scope?,
            trusted_proxies: trusted_proxies?,
            cors_origins: cors_origins?,
            limit_factor: limit_factor?,
            shown: Vec::new(),
        })
    }

    fn check_together(&self) -> Result<(), ConfigError> {
        let ports = [
            ("WEBMETEOR_LISTEN", self.listen.port()),
            ("WEBMETEOR_PROXY_HTTP_PORT", self.proxy_http_port),
            ("WEBMETEOR_PROXY_HTTPS_PORT", self.proxy_https_port),
            ("WEBMETEOR_PROXY_API_PORT", self.proxy_api_port),
        ];
        let mut wrong = Vec::new();
        for (at, (name, port)) in ports.iter().enumerate() {
            if let Some((other, _)) = ports[..at].iter().find(|(_, p)| p == port && *port != 0) {
                wrong.push(format!("{name} and {other} both say port {port}; give each a port of its own."));
            }
        }
        if self.mail.transport.reaches_people() && self.mail.from.is_empty() {
            wrong.push(
                "WEBMETEOR_MAIL sends mail, so WEBMETEOR_MAIL_FROM has to say from whom: \
                        WebMeteor <no-reply@example.org>."
                    .to_owned(),
            );
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }

    /// What is printed: the value in effect, which for paths and the like is not the raw one.
    fn effective(&self, values: &Values) -> Vec<Shown> {
        TABLE
            .iter()
            .map(|setting| {
                let raw = values.raw(setting.name);
                let value = match setting.name {
                    "DATA_DIR" => self.data_dir.display().to_string(),
                    "SITE_ROOT" => self.site_root.display().to_string(),
                    "TEMPLATES_DIR" => self.templates_dir.display().to_string(),
                    "BUILD_CONCURRENCY" => self.build_concurrency.to_string(),
                    "LOG_FORMAT" => self.log_format.as_str().to_owned(),
                    _ if setting.secret && !raw.value.is_empty() => "(hidden)".to_owned(),
                    _ => raw.value.clone(),
                };
                Shown { name: setting.variable(), value, origin: raw.origin }
            })
            .collect()
    }

    /// As they are printed: name, value and where it came from; secrets are hidden.
    pub fn shown(&self) -> Vec<SettingView> {
        let one = |line: &Shown| SettingView {
            name: line.name.clone(),
            value: line.value.clone(),
            origin: line.origin.to_string(),
        };
        self.shown.iter().map(one).collect()
    }

    /// The platform reaches its own dashboard over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

impl fmt::Display for Config {
    /// One line per setting: name, value and where it came from; secrets are hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.shown {
            let value = if line.value.is_empty() { "(unset)" } else { &line.value };
            writeln!(f, "{:<38} {value}  # {}", line.name, line.origin)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn vars(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }
    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }
    fn errors(text: &str, pairs: &[(&str, &str)]) -> String {
        let file = file(text);
        Config::load(Some(file.path()), vars(pairs)).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let config = Config::load(None, []).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.public_url, "http://localhost:3000");
        assert_eq!((config.proxy_http_port, config.proxy_https_port, config.proxy_api_port), (8888, 8443, 8889));
        assert_eq!(config.data_dir, Path::new("/var/lib/webmeteor"));
        assert_eq!(config.signup, Signup::Invite);
        assert!(config.database_url.is_none());
        assert!(config.build_concurrency >= 1);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let file = file("listen = \"127.0.0.1:4000\"\nproxy_http_port = 9000\n");
        let config = Config::load(Some(file.path()), vars(&[("WEBMETEOR_LISTEN", "127.0.0.1:5000")])).unwrap();
        assert_eq!(config.listen.port(), 5000);
        assert_eq!(config.proxy_http_port, 9000);
        assert_eq!(config.proxy_https_port, 8443);
    }

    #[test]
    fn every_error_names_the_setting_and_all_are_told_at_once() {
        let told = errors("proxy_http_port = 99999\n", &[("WEBMETEOR_LISTEN", "here"), ("WEBMETEOR_SIGNUP", "maybe")]);
        for name in ["proxy_http_port", "WEBMETEOR_LISTEN", "WEBMETEOR_SIGNUP"] {
            assert!(told.contains(name), "{told}");
        }
        assert_eq!(told.lines().count(), 3, "{told}");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_known_one() {
        assert!(errors("", &[("WEBMETEOR_LISTN", "x")]).contains("WEBMETEOR_LISTEN"));
        assert!(errors("lisen = \"x\"\n", &[]).contains("listen"));
    }

    #[test]
    fn a_file_that_is_not_there_or_not_toml_is_named() {
        let told = Config::load(Some(Path::new("/nowhere/w.toml")), []).unwrap_err().to_string();
        assert!(told.contains("/nowhere/w.toml"), "{told}");
        assert!(errors("listen = \n", &[]).contains("line 1"));
    }

    #[test]
    fn two_listeners_never_share_a_port() {
        assert!(errors("", &[("WEBMETEOR_PROXY_HTTP_PORT", "3000")]).contains("3000"));
    }

    #[test]
    fn mail_that_is_sent_is_from_somebody() {
        let smtp = ("WEBMETEOR_MAIL", "smtp://me:hush@mail.example.org");
        assert!(errors("", &[smtp]).contains("WEBMETEOR_MAIL_FROM"));
        assert!(errors("", &[("WEBMETEOR_MAIL_FROM", "nobody")]).contains("WEBMETEOR_MAIL_FROM"));
        let told = errors("", &[("WEBMETEOR_MAIL", "smtp://me:hush@mail.example.org?tls=none")]);
        assert!(told.contains("WEBMETEOR_MAIL") && !told.contains("hush"), "{told}");
        let config = Config::load(None, vars(&[smtp, ("WEBMETEOR_MAIL_FROM", "Us <us@example.org>")])).unwrap();
        assert!(config.mail.transport.reaches_people());
        assert!(!Config::load(None, []).unwrap().mail.transport.reaches_people());
    }

    #[test]
    fn secrets_are_hidden_in_print() {
        let config = Config::load(
            None,
            vars(&[
                ("WEBMETEOR_DATABASE_URL", "postgres://me:hush@localhost/x"),
                ("WEBMETEOR_MASTER_KEY", &"ab".repeat(32)),
                ("WEBMETEOR_MAIL", "smtp://me:hush@mail.example.org"),
                ("WEBMETEOR_MAIL_FROM", "me@example.org"),
                ("WEBMETEOR_OLD_MASTER_KEYS", &format!("{}, {}", "cd".repeat(32), "ef".repeat(32))),
            ]),
        )
        .unwrap();
        let printed = format!("{config}\n{config:?}");
        assert!(!printed.contains("hush") && !printed.contains("abab"), "{printed}");
        assert!(config.old_master_keys.len() == 2 && !printed.contains("cdcd"), "{printed}");
        assert!(printed.contains("(hidden)"));
    }
}
