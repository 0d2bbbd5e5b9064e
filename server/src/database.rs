//! The database: one that is managed here, or the one of the setting; its pool and its schema.

use crate::{config::Config, postgres};
use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

/// The oldest PostgreSQL that will do, as `server_version_num` counts.
const OLDEST: i32 = 150_000;

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The managed one.
    #[error(transparent)]
    Managed(#[from] postgres::Error),
    /// The address of the setting is no address.
    #[error("WEBMETEOR_DATABASE_URL is not an address of PostgreSQL: {0}")]
    Address(sqlx::Error),
    /// It does not answer.
    #[error("PostgreSQL does not answer ({0}); check WEBMETEOR_DATABASE_URL and that the server runs")]
    Unreachable(sqlx::Error),
    /// It is too old.
    #[error("PostgreSQL {0} is too old; WebMeteor needs 15 or newer")]
    TooOld(String),
    /// The schema could not be brought up to date.
    #[error("the database's schema: {0}")]
    Schema(#[from] MigrateError),
}

/// A database that is there.
pub struct Database {
    options: PgConnectOptions,
    managed: Option<postgres::Server>,
}

impl Database {
    /// Finds the database: starts or adopts the managed one, or takes the one of the setting.
    ///
    /// # Errors
    /// [`DatabaseError`], each with its remedy.
    pub async fn open(config: &Config, instance: &str) -> Result<Self, DatabaseError> {
        if config.database_url.is_some() {
            return Self::join(config, instance).await;
        }
        let server = postgres::Server::start(config, instance).await?;
        Self { options: server.options(), managed: Some(server) }.checked().await
    }

    /// Finds the database while another process of ours keeps it.
    ///
    /// # Errors
    /// [`DatabaseError`], each with its remedy.
    pub async fn join(config: &Config, instance: &str) -> Result<Self, DatabaseError> {
        let options = match &config.database_url {
            Some(url) => url.expose_secret().parse().map_err(DatabaseError::Address)?,
            None => postgres::options(config, instance)?,
        };
        Self { options, managed: None }.checked().await
    }

    async fn checked(self) -> Result<Self, DatabaseError> {
        let mut conn = self.connect().await?;
        let version: (String, String) =
            sqlx::query_as("select current_setting('server_version_num'), current_setting('server_version')")
                .fetch_one(&mut conn)
                .await
                .map_err(DatabaseError::Unreachable)?;
        let _ = conn.close().await;
        new_enough(&version.0, version.1)?;
        Ok(self)
    }

    async fn connect(&self) -> Result<PgConnection, DatabaseError> {
        tokio::time::timeout(Duration::from_secs(10), self.options.connect())
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
            .map_err(DatabaseError::Unreachable)
    }

    /// Brings the schema up to date. Several processes may do so at once: an advisory lock lets one after the other.
    ///
    /// # Errors
    /// [`DatabaseError::Schema`], also where the database was made by a newer version.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        let mut conn = self.connect().await?;
        sqlx::migrate!("../migrations").run(&mut conn).await?;
        let _ = conn.close().await;
        Ok(())
    }

    /// A pool of up to 20 connections, opened as they are needed. A process that hangs in the middle of a transaction
    /// soon loses what it holds: another one has to take up its work.
    pub fn pool(&self) -> PgPool {
        let options = self
            .options
            .clone()
            .application_name("webmeteor")
            .options([("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "5s")]);
        PgPoolOptions::new()
            .max_connections(20)
            .acquire_timeout(Duration::from_secs(5))
            .idle_timeout(Duration::from_mins(10))
            .max_lifetime(Duration::from_mins(30))
            .connect_lazy_with(options)
    }

    /// Stops the managed one, if it is managed here.
    pub async fn close(self) {
        if let Some(server) = self.managed {
            server.stop().await;
        }
    }
}

/// Judges a server by its `server_version_num`; its `server_version` is for people.
fn new_enough(number: &str, version: String) -> Result<(), DatabaseError> {
    if number.parse::<i32>().is_ok_and(|number| number < OLDEST) {
        return Err(DatabaseError::TooOld(version));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_older_than_15_is_refused_and_named() {
        for (number, version) in [("90624", "9.6.24"), ("140013", "14.13 (Debian 14.13-1)"), ("149999", "14.99")] {
            let told = new_enough(number, version.to_owned()).unwrap_err().to_string();
            assert!(told.contains(version) && told.contains("15 or newer"), "{told}");
        }
        for number in ["150000", "150014", "170005"] {
            assert!(new_enough(number, String::new()).is_ok(), "{number}");
        }
    }
}
