//! Domains of environments: who claims which, who holds it, and when it is looked at next.

use model::{DomainId, EnvironmentId, SiteId, TeamId};
use sqlx::{FromRow, PgConnection, Result};
use time::OffsetDateTime;

/// A domain that an environment claims.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DomainRow {
    /// Id.
    pub id: DomainId,
    /// Owner.
    pub team_id: TeamId,
    /// Its site.
    pub site_id: SiteId,
    /// That site's slug.
    pub site_slug: String,
    /// Where it is to lead.
    pub environment_id: EnvironmentId,
    /// That environment's name.
    pub environment: String,
    /// In ASCII, lower case.
    pub host: String,
    /// What the TXT record has to say.
    pub token: String,
    /// The one that services are told, and that is shown.
    pub is_primary: bool,
    /// Since when it is held and leads there.
    pub verified_at: Option<OffsetDateTime>,
    /// The last look.
    pub checked_at: Option<OffsetDateTime>,
    /// What that found, in one word.
    pub finding: Option<String>,
    /// What is wrong and what to do.
    pub problem: Option<String>,
    /// Looks in a row that did not find the record.
    pub failures: i32,
    /// The next look.
    pub next_check_at: OffsetDateTime,
    /// Since.
    pub created_at: OffsetDateTime,
}

const SELECT: &str = "select n.id, n.team_id, n.site_id, s.slug as site_slug, n.environment_id, e.name as environment, \
     n.host, n.token, n.is_primary, n.verified_at, n.checked_at, n.finding, n.problem, n.failures, n.next_check_at, \
     n.created_at from domains n join sites s on s.id = n.site_id join environments e on e.id = n.environment_id";

/// What a new domain needs.
pub struct NewDomain<'a> {
    /// Id.
    pub id: DomainId,
    /// Owner.
    pub team: TeamId,
    /// Its site.
    pub site: SiteId,
    /// Where it is to lead.
    pub environment: EnvironmentId,
    /// In ASCII, lower case.
    pub host: &'a str,
    /// What the TXT record has to say.
    pub token: &'a str,
    /// The first look.
    pub next_check_at: OffsetDateTime,
}

/// Adds a claim. Violates `domains_host_key` where the site claims the host already.
pub async fn insert(conn: &mut PgConnection, new: &NewDomain<'_>) -> Result<()> {
    sqlx::query(
        "insert into domains (id, team_id, site_id, environment_id, host, token, next_check_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.id)
    .bind(new.team)
    .bind(new.site)
    .bind(new.environment)
    .bind(new.host)
    .bind(new.token)
    .bind(new.next_check_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The domains of a site, production's first.
pub async fn of_site(conn: &mut PgConnection, team: TeamId, site: SiteId) -> Result<Vec<DomainRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} where n.team_id = $1 and n.site_id = $2 \
         order by e.name <> 'production', e.created_at, n.is_primary desc, n.host"
    )))
    .bind(team)
    .bind(site)
    .fetch_all(conn)
    .await
}

/// One domain of a site.
pub async fn by_id(conn: &mut PgConnection, team: TeamId, site: SiteId, id: DomainId) -> Result<Option<DomainRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} where n.team_id = $1 and n.site_id = $2 and n.id = $3")))
        .bind(team)
        .bind(site)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// The site claims this host already.
pub async fn is_claimed(conn: &mut PgConnection, team: TeamId, site: SiteId, host: &str) -> Result<bool> {
    sqlx::query_scalar("select exists (select 1 from domains where team_id = $1 and site_id = $2 and host = $3)")
        .bind(team)
        .bind(site)
        .bind(host)
        .fetch_one(conn)
        .await
}

/// How many an environment claims.
pub async fn count(conn: &mut PgConnection, team: TeamId, environment: EnvironmentId) -> Result<i64> {
    sqlx::query_scalar("select count(*) from domains where team_id = $1 and environment_id = $2")
        .bind(team)
        .bind(environment)
        .fetch_one(conn)
        .await
}

/// The hosts that lead to an environment: those that it holds, in the order of their names.
pub async fn leading(conn: &mut PgConnection, team: TeamId, environment: EnvironmentId) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "select host from domains where team_id = $1 and environment_id = $2 and verified_at is not null order by host",
    )
    .bind(team)
    .bind(environment)
    .fetch_all(conn)
    .await
}

/// The primary domain of those of these environments that have one.
pub async fn primary(
    conn: &mut PgConnection,
    team: TeamId,
    environments: &[EnvironmentId],
) -> Result<Vec<(EnvironmentId, String)>> {
    sqlx::query_as(
        "select environment_id, host from domains where team_id = $1 and environment_id = any($2) and is_primary \
         and verified_at is not null",
    )
    .bind(team)
    .bind(environments)
    .fetch_all(conn)
    .await
}

/// The primary domain of the production of those of these sites that have one.
pub async fn primary_of_production(
    conn: &mut PgConnection,
    teams: &[TeamId],
    sites: &[SiteId],
) -> Result<Vec<(SiteId, String)>> {
    sqlx::query_as(
        "select n.site_id, n.host from domains n join environments e on e.id = n.environment_id \
         where n.team_id = any($1) and n.site_id = any($2) and e.name = 'production' and n.is_primary \
           and n.verified_at is not null",
    )
    .bind(teams)
    .bind(sites)
    .fetch_all(conn)
    .await
}

/// Holds what is decided about a host until the transaction ends: of two that prove it at once, one is first.
pub async fn lock_host(conn: &mut PgConnection, host: &str) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtext('webmeteor.domains'), hashtext($1))")
        .bind(host)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether any other claim than this one, of whichever team, holds the host.
pub async fn is_held_by_another(conn: &mut PgConnection, id: DomainId, host: &str) -> Result<bool> {
    sqlx::query_scalar("select exists (select 1 from domains where host = $2 and id <> $1 and verified_at is not null)")
        .bind(id)
        .bind(host)
        .fetch_one(conn)
        .await
}

/// What a look at a domain's record came to.
pub struct Look<'a> {
    /// When.
    pub at: OffsetDateTime,
    /// The record is there and nobody else holds the host: it leads here from now on, if it did not yet.
    pub verified: bool,
    /// What was found, in one word.
    pub finding: &'a str,
    /// What is wrong and what to do.
    pub problem: Option<&'a str>,
    /// Looks in a row that did not find the record.
    pub failures: i32,
    /// The next look.
    pub next: OffsetDateTime,
}

/// Notes it. Violates `domains_verified_key` where another holds the host.
pub async fn set_look(conn: &mut PgConnection, team: TeamId, id: DomainId, look: &Look<'_>) -> Result<()> {
    sqlx::query(
        "update domains set checked_at = $3, verified_at = coalesce(verified_at, case when $4 then $3 end), \
             finding = $5, problem = $6, failures = $7, next_check_at = $8 where team_id = $1 and id = $2",
    )
    .bind(team)
    .bind(id)
    .bind(look.at)
    .bind(look.verified)
    .bind(look.finding)
    .bind(look.problem)
    .bind(look.failures)
    .bind(look.next)
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes a domain the environment's primary one, or with `None` lets it have none.
pub async fn set_primary(
    conn: &mut PgConnection,
    team: TeamId,
    environment: EnvironmentId,
    id: Option<DomainId>,
) -> Result<()> {
    // First the one that was: two are never primary, not even for a moment.
    sqlx::query("update domains set is_primary = false where team_id = $1 and environment_id = $2 and is_primary")
        .bind(team)
        .bind(environment)
        .execute(&mut *conn)
        .await?;
    sqlx::query("update domains set is_primary = true where team_id = $1 and environment_id = $2 and id = $3")
        .bind(team)
        .bind(environment)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a claim back.
pub async fn remove(conn: &mut PgConnection, team: TeamId, id: DomainId) -> Result<()> {
    sqlx::query("delete from domains where team_id = $1 and id = $2").bind(team).bind(id).execute(conn).await?;
    Ok(())
}

/// For the background: the domain of any team that has waited longest for its look, which nobody else is given until
/// `until`.
pub async fn take_due(
    conn: &mut PgConnection,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<Option<DomainRow>> {
    let taken: Option<(TeamId, SiteId, DomainId)> = sqlx::query_as(
        "update domains set next_check_at = $2 where id = ( \
             select n.id from domains n join sites s on s.id = n.site_id join environments e on e.id = n.environment_id \
             where n.next_check_at <= $1 and s.deleting_at is null and e.deleting_at is null \
             order by n.next_check_at limit 1 for update of n skip locked) \
         returning team_id, site_id, id",
    )
    .bind(now)
    .bind(until)
    .fetch_optional(&mut *conn)
    .await?;
    match taken {
        Some((team, site, id)) => by_id(conn, team, site, id).await,
        None => Ok(None),
    }
}
