//! What an environment's services are told through their variables, secrets among them.

use crate::{Platform, Result, plan, sites, variables};
use anyhow::Context;
use model::plan::{ContainerPlan, ReleasePlan};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use store::environments::EnvironmentRow;

/// An environment's own secrets and one version of the variables that people gave it, opened.
pub(crate) struct EnvironmentSecrets {
    own: BTreeMap<String, String>,
    variables: variables::Set,
    /// The version of the variables.
    pub(crate) version: i64,
}

impl EnvironmentSecrets {
    /// Opens them with this version of the variables.
    pub(crate) async fn open(
        platform: &Platform,
        conn: &mut PgConnection,
        environment: &EnvironmentRow,
        version: i64,
    ) -> Result<Self> {
        let opened = platform.vault.open(&sites::environment_row(environment.id), &environment.secrets)?;
        let own = serde_json::from_slice(&opened).context("reading an environment's secrets")?;
        let variables = variables::open(platform, conn, environment, version).await?;
        Ok(Self { own, variables, version })
    }

    /// The secret values, to keep them out of logs. A log has lines: each of a value's lines is hidden by itself.
    pub(crate) fn values(&self) -> Vec<String> {
        let given = self.variables.values().filter(|variable| variable.secret).map(|variable| &variable.value);
        let lines = given.clone().filter(|value| value.contains('\n')).flat_map(|value| value.lines());
        let lines = lines.map(|line| line.trim().to_owned());
        self.own.values().chain(given).cloned().chain(lines).collect()
    }

    fn get(&self, key: &str) -> String {
        self.own.get(key).cloned().unwrap_or_default()
    }

    /// The variables that all services of a release share: what lies in the site's `.env`. What people set wins.
    pub(crate) fn shared(
        &self,
        platform: &Platform,
        environment: &EnvironmentRow,
        release: &ReleasePlan,
    ) -> BTreeMap<String, String> {
        let host = release.told_host().to_owned();
        let mut vars = BTreeMap::from([
            ("APP_ENV".to_owned(), environment.name.clone()),
            ("APP_URL".to_owned(), platform.settings.site_url(&host)),
            ("APP_DOMAIN".to_owned(), host),
            ("JWT_SECRET".to_owned(), self.get("JWT_SECRET")),
            ("SESSION_SECRET".to_owned(), self.get("SESSION_SECRET")),
        ]);
        if release.containers.iter().any(|c| c.stateful) {
            let (user, password) = (database_name(release), self.get("DB_PASSWORD"));
            let (host, port) = (plan::DATABASE, plan::DATABASE_PORT);
            vars.extend([
                ("DATABASE_URL".to_owned(), format!("postgres://{user}:{password}@{host}:{port}/{user}")),
                ("DB_HOST".to_owned(), host.to_owned()),
                ("DB_PORT".to_owned(), port.to_string()),
                ("DB_NAME".to_owned(), user.clone()),
                ("DB_USER".to_owned(), user),
                ("DB_PASSWORD".to_owned(), password),
            ]);
        }
        vars.extend(self.variables.iter().map(|(name, variable)| (name.to_string(), variable.value.clone())));
        vars
    }

    /// The variables of one service beside the shared ones.
    pub(crate) fn own(&self, release: &ReleasePlan, container: &ContainerPlan) -> BTreeMap<String, String> {
        if container.stateful {
            let name = database_name(release);
            return BTreeMap::from([
                ("POSTGRES_USER".to_owned(), name.clone()),
                ("POSTGRES_DB".to_owned(), name),
                ("POSTGRES_PASSWORD".to_owned(), self.get("DB_PASSWORD")),
                ("PGDATA".to_owned(), "/var/lib/postgresql/data/pgdata".to_owned()),
            ]);
        }
        BTreeMap::from([("PORT".to_owned(), container.spec.port.to_string())])
    }
}

/// The database and its user, named after the site: a name that PostgreSQL takes without quotes.
fn database_name(release: &ReleasePlan) -> String {
    let (_, site) = release.project.split_once('-').unwrap_or(("", &release.project));
    let name: String = site.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("s{name}") } else { name }
}
