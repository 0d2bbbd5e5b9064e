//! The list of settings, and where each one's raw value came from.

use std::{collections::BTreeMap, fmt, path::Path};

/// What every variable's name begins with.
pub const PREFIX: &str = "WEBMETEOR_";

/// Variables with our prefix that belong to the scripts around the program, not to the program.
const NOT_OURS: &[&str] = &["BINARY"];

/// A setting as it is documented.
pub struct Setting {
    /// The variable's name without its prefix.
    pub name: &'static str,
    /// Empty: unset.
    pub default: &'static str,
    /// Never printed.
    pub secret: bool,
}

const fn open(name: &'static str, default: &'static str) -> Setting {
    Setting { name, default, secret: false }
}
const fn secret(name: &'static str) -> Setting {
    Setting { name, default: "", secret: true }
}

/// All settings, in the order of the documentation.
pub const TABLE: &[Setting] = &[
    open("DATA_DIR", "/var/lib/webmeteor"),
    open("LISTEN", "127.0.0.1:3000"),
    open("PUBLIC_URL", "http://localhost:3000"),
    open("SITES_DOMAIN", "localhost"),
    open("PUBLIC_ADDRESSES", ""),
    open("DNS_SERVER", ""),
    open("PROXY_HTTP_PORT", "8888"),
    open("PROXY_HTTPS_PORT", "8443"),
    open("PROXY_API_PORT", "8889"),
    secret("DATABASE_URL"),
    open("SUBNET_POOL", "10.64.0.0/12"),
    open("BUILD_CONCURRENCY", ""),
    secret("MASTER_KEY"),
    secret("OLD_MASTER_KEYS"),
    open("LOG", "info"),
    open("LOG_FORMAT", ""),
    open("SIGNUP", "invite"),
    open("SIGNIN_GITHUB_CLIENT_ID", ""),
    secret("SIGNIN_GITHUB_CLIENT_SECRET"),
    open("SIGNIN_GOOGLE_CLIENT_ID", ""),
    secret("SIGNIN_GOOGLE_CLIENT_SECRET"),
    open("SIGNIN_OIDC_ISSUER", ""),
    open("SIGNIN_OIDC_CLIENT_ID", ""),
    secret("SIGNIN_OIDC_CLIENT_SECRET"),
    open("SIGNIN_OIDC_LABEL", "Single sign-on"),
    secret("MAIL"),
    open("MAIL_FROM", ""),
    open("SITE_ROOT", ""),
    open("TEMPLATES_DIR", ""),
    open("ALLOW_PRIVATE_REPOSITORIES", "false"),
    open("GITHUB_URL", "https://github.com"),
    open("GITHUB_API_URL", "https://api.github.com"),
    open("POSTGRES_BIN", ""),
    open("EXTRA_LABELS", ""),
    open("DRAIN_SECONDS", "10"),
    open("WATCH_SECONDS", "60"),
    open("WEBHOOK_GRACE_HOURS", "24"),
    open("KEPT_RELEASES", "5"),
    open("FETCH_SECONDS", "600"),
    open("BUILD_SECONDS", "1200"),
    open("START_SECONDS", "120"),
    open("VERIFY_SECONDS", "600"),
    open("SWITCH_SECONDS", "15"),
    open("LOG_RETENTION_DAYS", "30"),
    open("LOG_MAX_LINES", "100000"),
    open("LOG_MAX_MB", "32"),
    open("DELIVERY_RETENTION_DAYS", "30"),
    open("IMAGE_BUDGET_MB", ""),
    open("IMAGE_MAX_MB", "4096"),
    open("DISK_FLOOR_MB", "1024"),
    open("LAYER_SCOPE", "shared"),
    open("BUILD_MEMORY_MB", "2048"),
    open("BUILD_CPUS", ""),
    open("BUILD_PROCESSES", "2048"),
    open("QUOTA_SITES", ""),
    open("QUOTA_MEMORY_MB", ""),
    open("QUOTA_CPUS", ""),
    open("QUOTA_DISK_MB", ""),
    open("QUOTA_BUILDS", ""),
    open("QUOTA_DEPLOYMENTS", ""),
    open("TRUSTED_PROXIES", "127.0.0.0/8,::1/128"),
    open("CORS_ORIGINS", ""),
    open("LIMIT_FACTOR", "1"),
];

impl Setting {
    /// `WEBMETEOR_LISTEN`
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
    /// `listen`
    fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The list above.
    Default,
    /// The TOML file.
    File,
    /// The environment.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        })
    }
}

/// A value before it is parsed.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Empty: unset.
    pub value: String,
    /// Where from.
    pub origin: Origin,
}

/// The raw values, and what is wrong so far.
pub struct Values {
    raw: BTreeMap<&'static str, Raw>,
    wrong: Vec<String>,
}

impl Default for Values {
    fn default() -> Self {
        let raw = |s: &Setting| Raw { value: s.default.to_owned(), origin: Origin::Default };
        Self { raw: TABLE.iter().map(|s| (s.name, raw(s))).collect(), wrong: Vec::new() }
    }
}

impl Values {
    /// Lays the file's values over what is there.
    pub fn read_file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                self.wrong.push(format!("The settings file {} cannot be read ({e}); see --config.", path.display()));
                return;
            }
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(e) => {
                self.wrong.push(format!("The settings file {} is not TOML: {}", path.display(), e.to_string().trim()));
                return;
            }
        };
        for (key, value) in table {
            let Some(setting) = TABLE.iter().find(|s| s.key() == key) else {
                let nearest = nearest(&key, TABLE.iter().map(Setting::key));
                self.wrong.push(format!("{}: there is no setting {key}; did you mean {nearest}?", path.display()));
                continue;
            };
            match plain(&value) {
                Some(value) => self.set(setting.name, &value, Origin::File),
                None => self.wrong.push(format!("{}: {key} must be a single value, not a table.", path.display())),
            }
        }
    }

    /// Lays the environment's values over what is there; an empty variable counts as unset.
    pub fn read_vars(&mut self, vars: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in vars {
            let Some(short) = name.strip_prefix(PREFIX).filter(|short| !NOT_OURS.contains(short)) else { continue };
            match TABLE.iter().find(|s| s.name == short) {
                Some(setting) if !value.trim().is_empty() => self.set(setting.name, &value, Origin::Environment),
                Some(_) => {}
                None => {
                    let nearest = nearest(&name, TABLE.iter().map(Setting::variable));
                    self.wrong.push(format!("There is no setting {name}; did you mean {nearest}? Else unset it."));
                }
            }
        }
    }

    fn set(&mut self, name: &'static str, value: &str, origin: Origin) {
        self.raw.insert(name, Raw { value: value.trim().to_owned(), origin });
    }

    /// Parses one setting; what is wrong with it is kept for [`Values::wrong`].
    pub fn take<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let raw = self.raw(name);
        parse(&raw.value)
            .map_err(|problem| {
                let lower = name.to_ascii_lowercase();
                let told = if raw.origin == Origin::File { lower } else { format!("{PREFIX}{name}") };
                self.wrong.push(format!("{told}: {problem}"));
            })
            .ok()
    }

    /// The raw value of a setting in the list.
    pub fn raw(&self, name: &str) -> Raw {
        self.raw.get(name).cloned().unwrap_or(Raw { value: String::new(), origin: Origin::Default })
    }

    /// All that was wrong so far.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }
}

/// A single value as text; a list becomes `a,b`.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(s) => Some(s.clone()),
        toml::Value::Integer(i) => Some(i.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Option<Vec<_>>>().map(|v| v.join(",")),
        _ => None,
    }
}

fn nearest(name: &str, known: impl Iterator<Item = String>) -> String {
    known.min_by_key(|k| strsim::damerau_levenshtein(name, k)).unwrap_or_default()
}
