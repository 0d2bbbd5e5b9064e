//! A platform for tests: the real database, a runtime in memory, a folder that is never written to.

pub mod dns;
pub mod planted;

use crate::{Deadlines, Platform, Result, Settings, Signup, accounts, accounts::Registration, sites, vault::Vault};
use docker::fake::FakeRuntime;
use model::{Actor, EnvironmentId, Problem, SiteId, TeamId, site::Source};
use sqlx::PgPool;
use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// A password that is accepted.
pub const PASSWORD: &str = "tide lamp orbit 7";

/// A platform on this database.
pub fn platform(pool: PgPool, signup: Signup) -> Platform {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let nowhere = PathBuf::from("/nonexistent/webmeteor-test");
    let proxy = proxy::ProxySettings {
        routes_dir: nowhere.join("routes"),
        http_port: 1,
        https_port: 1,
        api_port: 1,
        image: String::new(),
    };
    Platform {
        pool,
        settings: Settings {
            templates_dir: nowhere.clone(),
            data_dir: nowhere,
            public_url: "http://localhost:3000".into(),
            sites_domain: "localhost".into(),
            public_addresses: Vec::new(),
            dns_server: None,
            proxy_http_port: 8888,
            subnet_base: Ipv4Addr::new(10, 64, 0, 0),
            subnet_prefix: 12,
            build_concurrency: 1,
            signup,
            mail: crate::mail::Settings {
                transport: crate::mail::Transport::Log,
                from: "WebMeteor <no-reply@example.org>".into(),
            },
            allow_private_repositories: false,
            github: forge::report::GitHub {
                url: "https://github.com".parse().unwrap(),
                api: "https://api.github.com".parse().unwrap(),
            },
            drain: Duration::ZERO,
            deadlines: Deadlines::default(),
            watch: Duration::ZERO,
            webhook_grace: Duration::from_hours(24),
            limits: crate::settings::Limits::default(),
            quotas: crate::settings::Quotas::default(),
            shown: Vec::new(),
            providers: Vec::new(),
            private: Vec::new(),
            layer_scope: "test".into(),
            kept_releases: 5,
            extra_labels: Vec::new(),
            instance: "test".into(),
        },
        vault: Vault::new([7; 32]),
        signing: crate::signing::SigningKeys::default(),
        engine: Arc::new(FakeRuntime::default()),
        proxy: proxy::Proxy::new(proxy).unwrap(),
        wake: Notify::new(),
        removals: Notify::new(),
        reports: Notify::new(),
        mails: Notify::new(),
        github: crate::github::Cache::default(),
        throttle: crate::throttle::Throttle::default(),
        pushes: crate::repositories::UnderWay::default(),
    }
}

/// What a person sends to register under this name; the address is made from it.
pub fn registration(name: &str) -> Registration {
    Registration {
        email: format!("{}@example.org", name.to_lowercase()),
        password: PASSWORD.into(),
        name: name.into(),
        setup_token: None,
    }
}

/// A hosted site `shop` with its production, of an account of its own.
pub struct World {
    pub platform: Platform,
    pub actor: Actor,
    pub team: TeamId,
    pub site: SiteId,
    pub environment: EnvironmentId,
}

impl World {
    /// Makes it.
    pub async fn new(pool: PgPool) -> Self {
        let platform = platform(pool, Signup::Open);
        let ada = accounts::register(&platform, registration("Ada")).await.unwrap();
        let actor = accounts::actor(&platform, ada.user.id).await.unwrap().unwrap();
        let (site, environment) = site(&platform, ada.team.id, "shop").await;
        Self { platform, actor, team: ada.team.id, site, environment }
    }
}

/// A hosted site and its production, of this team.
pub async fn site(platform: &Platform, team: TeamId, slug: &str) -> (SiteId, EnvironmentId) {
    insert(platform, team, slug, &Source::Hosted {}, None).await
}

/// A site of this source and its production, with the token of its repository.
pub async fn site_of(platform: &Platform, team: TeamId, slug: &str, source: &Source, token: Option<&str>) -> SiteId {
    insert(platform, team, slug, source, token).await.0
}

async fn insert(
    platform: &Platform,
    team: TeamId,
    slug: &str,
    source: &Source,
    token: Option<&str>,
) -> (SiteId, EnvironmentId) {
    let (site, environment) = (SiteId::new(), EnvironmentId::new());
    let row = format!("sites/{site}/repository_token");
    let token = token.map(|token| platform.vault.seal(&row, token.as_bytes()).unwrap());
    let mut tx = platform.pool.begin().await.unwrap();
    let new = store::sites::NewSite {
        id: site,
        team,
        slug,
        name: "Shop",
        source,
        webhook_secret: &platform.vault.seal(&format!("sites/{site}/webhook"), b"of the webhook").unwrap(),
        repository_token: token.as_deref(),
    };
    store::sites::insert(&mut tx, &new).await.unwrap();
    let own = serde_json::to_vec(&sites::new_environment_secrets()).unwrap();
    let new = store::environments::NewEnvironment {
        id: environment,
        team,
        site,
        name: "production",
        host: slug,
        branch: "main",
        root: "",
        watch: &[],
        secrets: &platform.vault.seal(&sites::environment_row(environment), &own).unwrap(),
    };
    assert!(store::environments::insert(&mut tx, &new, 1_000).await.unwrap());
    tx.commit().await.unwrap();
    (site, environment)
}

/// What the caller was told.
pub fn problem<T: std::fmt::Debug>(result: Result<T>) -> Problem {
    match result {
        Err(crate::Error::Problem(problem)) => problem,
        other => panic!("{other:?}"),
    }
}
