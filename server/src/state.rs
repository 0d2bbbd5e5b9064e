//! What every handler works with.

use crate::{config::Config, live::Live};
use axum::extract::FromRef;
use docker::Engine;
use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::PrometheusHandle;
use percent_encoding::percent_decode_str;
use platform::{
    Platform, Settings, github, mail, repositories::UnderWay, signing::SigningKeys, throttle::Throttle, vault::Vault,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Shared by all handlers; cheap to clone.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The use cases' own.
    pub platform: Arc<Platform>,
    /// The settings of this process.
    pub config: Arc<Config>,
    /// For pages.
    pub leptos: LeptosOptions,
    /// What happens.
    pub live: Live,
    /// What is measured.
    pub metrics: PrometheusHandle,
    /// Fires when the process begins to stop.
    pub stopping: CancellationToken,
    /// Pushes with Git that are under way; the process ends after them.
    pub pushes: TaskTracker,
}

impl AppState {
    /// Puts everything together; touches neither Docker nor the database yet.
    pub fn new(config: Config, platform: Platform, metrics: PrometheusHandle, stopping: CancellationToken) -> Self {
        if !has_hashes() && !config.site_root.join("pkg/webmeteor.css").is_file() {
            tracing::warn!(
                site_root = %config.site_root.display(),
                "pages will have no style: keep the build's hash.txt beside the program, and its site folder in WEBMETEOR_SITE_ROOT"
            );
        }
        let leptos = LeptosOptions::builder()
            .output_name(option_env!("LEPTOS_OUTPUT_NAME").unwrap_or("webmeteor"))
            .site_root(config.site_root.to_string_lossy().as_ref())
            .site_addr(config.listen)
            .env(leptos_env())
            .hash_files(has_hashes())
            .build();
        Self {
            platform: Arc::new(platform),
            config: Arc::new(config),
            leptos,
            live: Live::default(),
            metrics,
            stopping,
            pushes: TaskTracker::new(),
        }
    }
}

/// The build leaves the hashes of the file names beside the program.
fn has_hashes() -> bool {
    std::env::current_exe().is_ok_and(|program| program.with_file_name("hash.txt").is_file())
}

/// Live reload is part of a development build alone.
fn leptos_env() -> leptos::config::Env {
    if std::env::var_os("LEPTOS_WATCH").is_some() { leptos::config::Env::DEV } else { leptos::config::Env::PROD }
}

/// The use cases' platform, from the settings.
///
/// # Errors
/// If no HTTP client can be made for the proxy's API.
pub fn platform(config: &Config, instance: &str, pool: PgPool, vault: Vault) -> anyhow::Result<Platform> {
    let settings = Settings {
        data_dir: config.data_dir.clone(),
        public_url: config.public_url.clone(),
        sites_domain: config.sites_domain.clone(),
        public_addresses: config.public_addresses.clone(),
        dns_server: config.dns_server,
        proxy_http_port: config.proxy_http_port,
        subnet_base: config.subnets.base,
        subnet_prefix: config.subnets.prefix,
        build_concurrency: config.build_concurrency,
        signup: config.signup,
        mail: config.mail.clone(),
        allow_private_repositories: config.allow_private_repositories,
        github: config.github.clone(),
        templates_dir: config.templates_dir.clone(),
        drain: config.drain,
        deadlines: config.deadlines,
        watch: config.watch,
        webhook_grace: config.webhook_grace,
        limits: config.limits,
        quotas: config.quotas,
        shown: config.shown(),
        layer_scope: config.layer_scope.clone(),
        providers: config.providers.clone(),
        private: private(config),
        kept_releases: config.kept_releases,
        extra_labels: config.extra_labels.clone(),
        instance: instance.to_owned(),
    };
    Ok(Platform {
        pool,
        settings,
        vault,
        signing: SigningKeys::default(),
        engine: Arc::new(Engine::from_env()),
        proxy: proxy(config)?,
        wake: Notify::new(),
        removals: Notify::new(),
        reports: Notify::new(),
        mails: Notify::new(),
        github: github::Cache::default(),
        throttle: Throttle::new(config.limit_factor),
        pushes: UnderWay::default(),
    })
}

/// What this process knows and nobody else may.
fn private(config: &Config) -> Vec<SecretString> {
    let of_providers = config.providers.iter().map(|provider| provider.client_secret.clone());
    let of_mail = mail_secret(&config.mail);
    config.database_url.iter().flat_map(database_secrets).chain(of_providers).chain(of_mail).collect()
}

/// What of the database's address nobody else may know: its password, and the whole with it.
fn database_secrets(url: &SecretString) -> Vec<SecretString> {
    let password = url::Url::parse(url.expose_secret()).ok().and_then(|url| url.password().map(str::to_owned));
    let decoded = password.as_deref().map(|it| percent_decode_str(it).decode_utf8_lossy().into_owned());
    password.into_iter().chain(decoded).map(SecretString::from).collect()
}

/// The password of the mail server.
fn mail_secret(mail: &mail::Settings) -> Option<SecretString> {
    let mail::Transport::Smtp(smtp) = &mail.transport else { return None };
    smtp.credentials.as_ref().map(|(_, password)| password.clone())
}

/// The proxy of the settings; nothing is touched.
///
/// # Errors
/// If no HTTP client can be made for its API.
pub fn proxy(config: &Config) -> proxy::Result<proxy::Proxy> {
    proxy::Proxy::new(proxy_settings(config))
}

/// How the proxy is set up.
pub fn proxy_settings(config: &Config) -> proxy::ProxySettings {
    proxy::ProxySettings {
        routes_dir: config.data_dir.join("proxy"),
        image: proxy::ProxySettings::IMAGE.to_owned(),
        http_port: config.proxy_http_port,
        https_port: config.proxy_https_port,
        api_port: config.proxy_api_port,
    }
}
