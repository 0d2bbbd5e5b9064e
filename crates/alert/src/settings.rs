//! The service's settings, read from the environment.

use std::str::FromStr;

use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;

const DEFAULT_PORT: u16 = 3001;
const DEFAULT_CHANNEL: &str = "alert";
/// PostgreSQL cuts longer names off (NAMEDATALEN - 1).
const MAX_CHANNEL: usize = 63;

/// How the service runs.
pub struct Settings {
    /// `PORT`: where it listens, on every address. 3001.
    pub port: u16,
    /// `DATABASE_URL` and `ALERT_CHANNEL`: where messages come from; HTTP alone when unset.
    pub database: Option<DatabaseSettings>,
    /// `JWT_SECRET`, if `ALERT_REQUIRE_TOKEN` is on: only clients with a token connect.
    pub token_secret: Option<SecretString>,
}

/// The database whose notifications are passed on.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// Where it is.
    pub options: PgConnectOptions,
    /// The channel of `LISTEN` and `pg_notify`. `alert`.
    pub channel: String,
}

/// Which setting cannot be used, and what it should be.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not a port.
    #[error("PORT is {0:?}; give a number from 1 to 65535")]
    Port(String),
    /// Not a connection URL. The value is left out: it has a password in it.
    #[error("DATABASE_URL cannot be read ({0}); give postgres://user:password@host:5432/name")]
    DatabaseUrl(#[source] sqlx::Error),
    /// Not a channel name.
    #[error("ALERT_CHANNEL is {0:?}; give a name of 1 to {MAX_CHANNEL} bytes")]
    Channel(String),
    /// Neither on nor off.
    #[error("ALERT_REQUIRE_TOKEN is {0:?}; give 1 or 0")]
    RequireToken(String),
    /// Tokens cannot be checked without the secret.
    #[error("ALERT_REQUIRE_TOKEN is on but JWT_SECRET is not set; set it or turn tokens off")]
    NoSecret,
}

impl Settings {
    /// Reads the settings from the process's environment.
    ///
    /// # Errors
    /// A [`SettingsError`] that names the variable and the remedy.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads the settings through `lookup`; an empty value counts as none.
    ///
    /// # Errors
    /// A [`SettingsError`] that names the variable and the remedy.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name| lookup(name).filter(|value| !value.is_empty());

        let port = match get("PORT") {
            None => DEFAULT_PORT,
            Some(text) => match text.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(SettingsError::Port(text)),
            },
        };

        let channel = get("ALERT_CHANNEL").unwrap_or_else(|| DEFAULT_CHANNEL.to_owned());
        if channel.len() > MAX_CHANNEL {
            return Err(SettingsError::Channel(channel));
        }
        let database = get("DATABASE_URL")
            .map(|url| PgConnectOptions::from_str(&url))
            .transpose()
            .map_err(SettingsError::DatabaseUrl)?
            .map(|options| DatabaseSettings { options, channel });

        let require_token = match get("ALERT_REQUIRE_TOKEN").as_deref() {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => return Err(SettingsError::RequireToken(other.to_owned())),
        };
        let token_secret =
            if require_token { Some(get("JWT_SECRET").ok_or(SettingsError::NoSecret)?.into()) } else { None };

        Ok(Self { port, database, token_secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_lookup(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_need_be_set() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.port, 3001);
        assert!(settings.database.is_none());
        assert!(settings.token_secret.is_none());
    }

    #[test]
    fn the_environment_of_a_site_is_understood() {
        let settings = read(&[
            ("PORT", "8080"),
            ("DATABASE_URL", "postgres://site:secret@10.64.0.2:5432/site"),
            ("JWT_SECRET", "s"),
            ("ALERT_REQUIRE_TOKEN", "1"),
        ])
        .unwrap();
        assert_eq!(settings.port, 8080);
        let database = settings.database.unwrap();
        assert_eq!(database.options.get_host(), "10.64.0.2");
        assert_eq!(database.channel, "alert");
        assert!(settings.token_secret.is_some());
    }

    #[test]
    fn a_mistake_is_named_and_no_password_shown() {
        for (variables, expected) in [
            (&[("PORT", "http")][..], "PORT"),
            (&[("PORT", "0")][..], "PORT"),
            (&[("DATABASE_URL", "postgres//u:hunter2@h")][..], "DATABASE_URL"),
            (&[("ALERT_CHANNEL", "x".repeat(64).as_str())][..], "ALERT_CHANNEL"),
            (&[("ALERT_REQUIRE_TOKEN", "yes")][..], "ALERT_REQUIRE_TOKEN"),
            (&[("ALERT_REQUIRE_TOKEN", "1")][..], "JWT_SECRET"),
        ] {
            let error = read(variables).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
