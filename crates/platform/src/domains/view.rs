//! A domain as the dashboard and the API show it.

use super::check;
use crate::{Platform, sites};
use model::{
    EnvironmentId, TeamId,
    names::Hostname,
    views::{CertificateState, CertificateView, DnsRecord, DomainView, VerificationState, VerificationView},
};
use sqlx::PgConnection;
use std::{collections::HashMap, net::IpAddr};
use store::domains::DomainRow;

pub(super) fn one(platform: &Platform, row: DomainRow) -> DomainView {
    let state = match (row.verified_at, row.finding.as_deref()) {
        (None, _) => VerificationState::Pending,
        (Some(_), Some(word)) if check::is_gone(word) => VerificationState::RecordMissing,
        (Some(_), _) => VerificationState::Verified,
    };
    let (name, value) = check::record(&row);
    let host = sites::host(platform, &row.site_slug, &row.environment);
    DomainView {
        id: row.id,
        url: platform.settings.site_url(&row.host),
        name: Hostname::parse(&row.host).map_or_else(|_| row.host.clone(), |host| host.unicode()),
        environment: row.environment,
        primary: row.is_primary,
        verification: VerificationView {
            state,
            record: DnsRecord { kind: "TXT".into(), name, value },
            checked_at: row.checked_at,
            next_check_at: row.next_check_at,
            problem: row.problem,
        },
        certificate: CertificateView { state: CertificateState::None },
        routing: routing(&row.host, host, &platform.settings.public_addresses),
        created_at: row.created_at,
        host: row.host,
    }
}

/// The records that lead visitors of a domain here, one of each kind being enough.
fn routing(host: &str, to: String, addresses: &[IpAddr]) -> Vec<DnsRecord> {
    let record = |kind: &str, value: String| DnsRecord { kind: kind.into(), name: host.into(), value };
    let addresses =
        addresses.iter().map(|address| record(if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string()));
    std::iter::once(record("CNAME", to)).chain(addresses).collect()
}

/// The addresses of those of these environments that have a primary domain.
pub(crate) async fn urls(
    platform: &Platform,
    conn: &mut PgConnection,
    team: TeamId,
    environments: &[EnvironmentId],
) -> sqlx::Result<HashMap<EnvironmentId, String>> {
    let primary = store::domains::primary(conn, team, environments).await?;
    Ok(primary.into_iter().map(|(id, host)| (id, platform.settings.site_url(&host))).collect())
}
