//! Domains of an environment.

use crate::DomainId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A record to be set where the domain's DNS is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DnsRecord {
    /// `TXT`, `CNAME`, `A` or `AAAA`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its whole name.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// Whether it is proven who holds a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerificationState {
    /// Not yet; it leads nowhere.
    Pending,
    /// It is; it leads to its environment.
    Verified,
    /// It was, and the record has gone since. It still leads to its environment.
    RecordMissing,
}

/// The proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerificationView {
    /// How it stands.
    pub state: VerificationState,
    /// The record that proves it.
    pub record: DnsRecord,
    /// The last look at that record.
    #[serde(with = "time::serde::rfc3339::option")]
    pub checked_at: Option<OffsetDateTime>,
    /// The next one; nobody need wait for it.
    #[serde(with = "time::serde::rfc3339")]
    pub next_check_at: OffsetDateTime,
    /// What is wrong, and what to do.
    pub problem: Option<String>,
}

/// Whether a domain has a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// The platform manages none for it.
    None,
}

/// The certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateView {
    /// How it stands.
    pub state: CertificateState,
}

/// A domain of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DomainView {
    /// Id.
    pub id: DomainId,
    /// In ASCII: `xn--bcher-kva.example`.
    pub host: String,
    /// As people write it: `bücher.example`.
    pub name: String,
    /// Where it leads, or is to lead.
    pub environment: String,
    /// The address that visitors open.
    pub url: String,
    /// The one that services are told (`APP_DOMAIN`, from the next release on) and that is shown.
    pub primary: bool,
    /// Whether it is proven who holds it.
    pub verification: VerificationView,
    /// Its certificate.
    pub certificate: CertificateView,
    /// The records that lead visitors here: one of them is enough. Where the name has other records beside it, as a
    /// domain's own name has, there can be no `CNAME` (RFC 1034, section 3.6.2).
    pub routing: Vec<DnsRecord>,
    /// Since.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}
