//! The only SQL: plain functions on a connection, the team first.

pub mod account_links;
pub mod admin;
pub mod api_tokens;
pub mod audit;
pub mod deliveries;
pub mod deploy_keys;
pub mod deployments;
pub mod domains;
pub mod environments;
pub mod events;
pub mod github;
pub mod identities;
pub mod image_uses;
pub mod invitations;
pub mod logs;
pub mod mails;
pub mod members;
pub mod passkeys;
pub mod pull_requests;
pub mod pushes;
pub mod queue;
pub mod quotas;
pub mod reconcile;
pub mod refresh_tokens;
pub mod releases;
pub mod reports;
pub mod sealed;
pub mod second_factor;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
pub mod sites;
pub mod teams;
pub mod users;
pub mod variables;
pub mod watches;

/// Lets this transaction's commit not wait until the disk has it. A crash of the database may then forget it, as if it
/// had never been; nothing else is harmed: <https://www.postgresql.org/docs/current/wal-async-commit.html>
///
/// # Errors
/// The database's.
pub async fn without_waiting_for_the_disk(conn: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    sqlx::query("set local synchronous_commit = off").execute(conn).await.map(|_| ())
}

/// Lets this transaction be idle for longer than others: Git is asked in the middle of it, and may take its time.
///
/// # Errors
/// The database's.
pub async fn while_git_is_asked(conn: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    sqlx::query("set local idle_in_transaction_session_timeout = '1min'").execute(conn).await.map(|_| ())
}
