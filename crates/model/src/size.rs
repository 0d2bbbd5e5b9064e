//! Sizes as people read them.

/// `512 B`, `3.4 MB`, `120 GB`: powers of 1,000, two digits or more.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    // What would be shown as 1000 is one of the next unit.
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && size < 9.95);
    format!("{size:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn a_size_has_the_unit_in_which_it_is_short() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_960, "10 kB"),
            (3_400_000, "3.4 MB"),
            (999_600_000, "1.0 GB"),
            (120_000_000_000, "120 GB"),
            (5_000_000_000_000_000, "5000 TB"),
        ] {
            assert_eq!(human(bytes), shown);
        }
    }
}
