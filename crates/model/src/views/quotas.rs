//! What a team may use, and what it uses.

use crate::TeamId;
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// Something of which a team may have so much at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// Sites.
    Sites,
    /// Memory of all releases that run, in bytes.
    Memory,
    /// Processor time of all releases that run, in thousandths of a CPU.
    Cpu,
    /// Images, volumes, repositories and logs, in bytes.
    Disk,
    /// Builds at the same time.
    Builds,
    /// Deployments within 24 hours; going back to an earlier release is none.
    Deployments,
}

impl Quota {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Sites, Self::Memory, Self::Cpu, Self::Disk, Self::Builds, Self::Deployments];
    /// The word used in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sites => "sites",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Disk => "disk",
            Self::Builds => "builds",
            Self::Deployments => "deployments",
        }
    }
    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quota| quota.as_str() == word)
    }
    /// What it is called, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sites => "Sites",
            Self::Memory => "Memory",
            Self::Cpu => "CPU",
            Self::Disk => "Disk",
            Self::Builds => "Builds at the same time",
            Self::Deployments => "Deployments in 24 hours",
        }
    }
    /// An amount of it, for people: `512 MB`, `1.5 CPUs`, `3`.
    pub fn amount(self, amount: i64) -> String {
        match self {
            Self::Memory | Self::Disk => match amount / MEGABYTE {
                megabytes if megabytes >= 10_240 => format!("{} GB", megabytes / 1024),
                megabytes => format!("{megabytes} MB"),
            },
            Self::Cpu => match (amount / 1000, amount % 1000) {
                (1, 0) => "1 CPU".to_owned(),
                (whole, 0) => format!("{whole} CPUs"),
                (whole, part) => format!("{whole}.{} CPUs", format!("{part:03}").trim_end_matches('0')),
            },
            Self::Sites | Self::Builds | Self::Deployments => amount.to_string(),
        }
    }
    /// An amount as people type it: megabytes, CPUs with up to three decimals, or pieces.
    pub fn typed(self, amount: i64) -> String {
        match self {
            Self::Memory | Self::Disk => (amount / MEGABYTE).to_string(),
            Self::Cpu if amount % 1000 == 0 => (amount / 1000).to_string(),
            Self::Cpu => format!("{}.{:03}", amount / 1000, amount % 1000).trim_end_matches('0').to_owned(),
            Self::Sites | Self::Builds | Self::Deployments => amount.to_string(),
        }
    }
    /// Reads what people typed; `None` if it is no such amount.
    pub fn read_typed(self, text: &str) -> Option<i64> {
        let whole = |text: &str| text.parse::<i64>().ok().filter(|amount| *amount >= 0);
        match self {
            Self::Memory | Self::Disk => whole(text)?.checked_mul(MEGABYTE),
            Self::Cpu => {
                let (cpus, part) = text.split_once('.').unwrap_or((text, "0"));
                let is_part = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
                let part = whole(&format!("{part:0<3}")).filter(|_| is_part)?;
                whole(cpus)?.checked_mul(1000)?.checked_add(part)
            }
            Self::Sites | Self::Builds | Self::Deployments => whole(text),
        }
    }
    /// What people type it in.
    pub fn unit_name(self) -> &'static str {
        match self {
            Self::Memory | Self::Disk => "MB",
            Self::Cpu => "CPUs",
            Self::Sites => "sites",
            Self::Builds => "builds",
            Self::Deployments => "deployments",
        }
    }
}

const MEGABYTE: i64 = 1024 * 1024;

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One quota of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaView {
    /// Which.
    pub quota: Quota,
    /// What is used, in the quota's unit.
    pub used: i64,
    /// At most so much; `None`: as much as there is.
    pub limit: Option<i64>,
    /// An administrator set it for this team; else it is the installation's.
    pub is_own: bool,
    /// When what is used was measured, where that is not now.
    #[serde(with = "time::serde::rfc3339::option")]
    pub measured_at: Option<OffsetDateTime>,
}

/// The quotas of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamQuotasView {
    /// Whose.
    pub team_id: TeamId,
    /// The team's name.
    pub team_name: String,
    /// All of them.
    pub items: Vec<QuotaView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_as_people_count_them() {
        for (quota, amount, words) in [
            (Quota::Sites, 3, "3"),
            (Quota::Memory, 512 * MEGABYTE, "512 MB"),
            (Quota::Disk, 20_480 * MEGABYTE, "20 GB"),
            (Quota::Cpu, 1000, "1 CPU"),
            (Quota::Cpu, 1500, "1.5 CPUs"),
            (Quota::Cpu, 250, "0.25 CPUs"),
            (Quota::Cpu, 4000, "4 CPUs"),
        ] {
            assert_eq!(quota.amount(amount), words);
        }
        for (quota, text, amount) in [
            (Quota::Cpu, "1.5", Some(1500)),
            (Quota::Cpu, "2", Some(2000)),
            (Quota::Cpu, "1.", None),
            (Quota::Sites, "-1", None),
        ] {
            assert_eq!(quota.read_typed(text), amount, "{text}");
        }
        for quota in Quota::ALL {
            assert_eq!(quota.read_typed(&quota.typed(3 * MEGABYTE)), Some(3 * MEGABYTE), "{quota}");
            assert_eq!(Quota::from_word(quota.as_str()), Some(quota));
        }
    }
}
