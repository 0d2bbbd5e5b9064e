//! A platform for tests: the real database, a runtime in memory, a folder that is never written to.

use crate::{Platform, Settings, Signup, accounts::Registration, vault::Vault};
use docker::fake::FakeRuntime;
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
            proxy_http_port: 8888,
            subnet_base: Ipv4Addr::new(10, 64, 0, 0),
            subnet_prefix: 12,
            build_concurrency: 1,
            signup,
            allow_private_repositories: false,
            drain: Duration::ZERO,
            extra_labels: Vec::new(),
            instance: "test".into(),
        },
        vault: Vault::new([7; 32]),
        engine: Arc::new(FakeRuntime::default()),
        proxy: proxy::Proxy::new(proxy).unwrap(),
        wake: Notify::new(),
        removals: Notify::new(),
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
