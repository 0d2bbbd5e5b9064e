//! The settings that say how much of the machine logs, images and builds may use.

use super::table::Values;
use platform::settings::Limits;
use std::time::Duration;

pub(super) const MEGABYTE: u64 = 1024 * 1024;

/// Parses all of them, so that all mistakes are told.
pub fn take(values: &mut Values) -> Option<Limits> {
    let log_lines = values.take("LOG_MAX_LINES", |raw| number(raw, 100, 10_000_000, "lines"));
    let log_megabytes = values.take("LOG_MAX_MB", |raw| number(raw, 1, 10_000, "megabytes"));
    let log_days = values.take("LOG_RETENTION_DAYS", |raw| number(raw, 1, 3_650, "days"));
    let delivery_days = values.take("DELIVERY_RETENTION_DAYS", |raw| number(raw, 1, 3_650, "days"));
    let image_budget = values.take("IMAGE_BUDGET_MB", |raw| optional(raw, 1, 100_000_000, "megabytes"));
    let image = values.take("IMAGE_MAX_MB", |raw| number(raw, 1, 1_000_000, "megabytes"));
    let floor = values.take("DISK_FLOOR_MB", |raw| number(raw, 0, 100_000_000, "megabytes"));
    let memory = values.take("BUILD_MEMORY_MB", |raw| number(raw, 64, 10_000_000, "megabytes"));
    let cpus = values.take("BUILD_CPUS", cpus);
    let processes = values.take("BUILD_PROCESSES", |raw| number(raw, 16, 1_000_000, "processes"));
    Some(Limits {
        log_lines: usize::try_from(log_lines?).ok()?,
        log_bytes: usize::try_from(log_megabytes? * MEGABYTE).ok()?,
        log_kept: days(log_days?),
        deliveries_kept: days(delivery_days?),
        image_budget: image_budget?.map(|n| n * MEGABYTE),
        image_bytes: image? * MEGABYTE,
        disk_floor: floor? * MEGABYTE,
        build_memory: memory? * MEGABYTE,
        build_cpu_millis: cpus?,
        build_processes: u32::try_from(processes?).ok()?,
    })
}

fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

fn number(raw: &str, least: u64, most: u64, unit: &str) -> Result<u64, String> {
    raw.parse()
        .ok()
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| format!("“{raw}” is not a number of {unit} from {least} to {most}."))
}

pub(super) fn optional(raw: &str, least: u64, most: u64, unit: &str) -> Result<Option<u64>, String> {
    if raw.is_empty() { Ok(None) } else { number(raw, least, most, unit).map(Some) }
}

/// `1.5` becomes 1,500 thousandths; unset: all there are.
pub(super) fn cpus(raw: &str) -> Result<Option<u32>, String> {
    if raw.is_empty() {
        return Ok(None);
    }
    let parts = raw.split_once('.').unwrap_or((raw, ""));
    let wrong = || format!("“{raw}” is not a number of CPUs such as 2 or 1.5, from 0.1 to 1024.");
    if parts.1.len() > 3 || !parts.1.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole: u32 = parts.0.parse().map_err(|_| wrong())?;
    let thousandths: u32 = format!("{:0<3}", parts.1).parse().map_err(|_| wrong())?;
    let millis = whole.checked_mul(1000).and_then(|n| n.checked_add(thousandths)).ok_or_else(wrong)?;
    if (100..=1_024_000).contains(&millis) { Ok(Some(millis)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_use_cases() {
        assert_eq!(take(&mut Values::default()), Some(Limits::default()));
    }

    #[test]
    fn cpus_may_have_a_part() {
        assert_eq!(cpus("1.5"), Ok(Some(1_500)));
        assert_eq!(cpus("2"), Ok(Some(2_000)));
        assert_eq!(cpus("0.25"), Ok(Some(250)));
        assert_eq!(cpus(""), Ok(None));
        for bad in ["0", "0.05", "-1", "1.2345", "1,5", "x", "1.x", "99999999999"] {
            assert!(cpus(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_the_range() {
        let mut values = Values::default();
        values.read_vars([("WEBMETEOR_LOG_RETENTION_DAYS".to_owned(), "0".to_owned())]);
        assert_eq!(take(&mut values), None);
        assert_eq!(values.wrong(), ["WEBMETEOR_LOG_RETENTION_DAYS: “0” is not a number of days from 1 to 3650."]);
    }
}
