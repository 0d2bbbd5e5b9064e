//! The settings that say what a team may use.

use super::{
    limits::{MEGABYTE, cpus, optional},
    table::Values,
};
use platform::settings::Quotas;

/// Parses all of them, so that all mistakes are told.
pub fn take(values: &mut Values) -> Option<Quotas> {
    let count = |raw: &str, unit: &str| optional(raw, 0, 1_000_000, unit);
    let sites = values.take("QUOTA_SITES", |raw| count(raw, "sites"));
    let memory = values.take("QUOTA_MEMORY_MB", |raw| optional(raw, 0, 1_000_000_000, "megabytes"));
    let cpu = values.take("QUOTA_CPUS", cpus);
    let disk = values.take("QUOTA_DISK_MB", |raw| optional(raw, 0, 1_000_000_000, "megabytes"));
    let builds = values.take("QUOTA_BUILDS", |raw| optional(raw, 1, 10_000, "builds"));
    let deployments = values.take("QUOTA_DEPLOYMENTS", |raw| count(raw, "deployments"));
    let whole = |amount: Option<u64>| amount.and_then(|amount| i64::try_from(amount).ok());
    let bytes = |megabytes: Option<u64>| whole(megabytes.map(|n| n * MEGABYTE));
    Some(Quotas {
        sites: whole(sites?),
        memory: bytes(memory?),
        cpu: cpu?.map(i64::from),
        disk: bytes(disk?),
        builds: whole(builds?),
        deployments: whole(deployments?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unset_is_without_a_limit() {
        assert_eq!(take(&mut Values::default()), Some(Quotas::default()));
        let mut values = Values::default();
        let vars = [("SITES", "3"), ("MEMORY_MB", "1024"), ("CPUS", "1.5"), ("BUILDS", "1")];
        values.read_vars(vars.map(|(name, value)| (format!("WEBMETEOR_QUOTA_{name}"), value.to_owned())));
        let taken = take(&mut values).unwrap();
        assert_eq!((taken.sites, taken.memory, taken.cpu), (Some(3), Some(1 << 30), Some(1_500)));
        assert_eq!((taken.builds, taken.disk, taken.deployments), (Some(1), None, None));
    }

    #[test]
    fn no_build_at_all_is_no_quota() {
        let mut values = Values::default();
        values.read_vars([("WEBMETEOR_QUOTA_BUILDS".to_owned(), "0".to_owned())]);
        assert_eq!(take(&mut values), None);
    }
}
