//! Times and durations as people read them, and texts as they wrote them.

use time::{Duration, OffsetDateTime, macros::format_description};

/// `0.4 s`, `12.3 s`, `1 min 12 s`, `2 h 5 min`.
pub fn duration(value: Duration) -> String {
    let millis = value.whole_milliseconds().max(0);
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{seconds}.{} s", millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn counted(count: i64, unit: &str) -> String {
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// `just now`, `3 minutes ago`, and the date after a month.
pub fn ago(now: OffsetDateTime, then: OffsetDateTime) -> String {
    let seconds = (now - then).whole_seconds();
    match seconds {
        ..45 => "just now".to_owned(),
        45..3600 => counted((seconds / 60).max(1), "minute"),
        3600..86_400 => counted(seconds / 3600, "hour"),
        86_400..2_592_000 => counted(seconds / 86_400, "day"),
        _ => format!("on {}", date(then)),
    }
}

/// `23 Nov 2026`.
pub fn date(at: OffsetDateTime) -> String {
    at.format(format_description!("[day padding:none] [month repr:short] [year]")).unwrap_or_default()
}

/// `23 Nov 2026, 03:27:41 UTC`.
pub fn absolute(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.format(format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]:[second] UTC"))
        .unwrap_or_default()
}

/// RFC 3339, for machines.
pub fn machine(at: OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

/// `03:27:41.250`, for a line of a log.
pub fn clock_time(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.format(format_description!("[hour]:[minute]:[second].[subsecond digits:3]")).unwrap_or_default()
}

/// The first seven digits of a commit's id, as Git shows it.
pub fn short_commit(commit: &str) -> String {
    commit.chars().take(7).collect()
}

/// Text that people wrote, for the places where the page's writer on the server escapes nothing: a title (`leptos_meta`)
/// and what stands in a `textarea` (`tachys`). The browser's side sets both as text, and needs it as it is.
pub fn inert(text: String) -> String {
    #[cfg(feature = "ssr")]
    let text = html_escape::encode_text(&text).into_owned();
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn durations_are_as_exact_as_they_are_short() {
        for (millis, text) in
            [(0, "0.0 s"), (4_249, "4.2 s"), (59_999, "59.9 s"), (72_000, "1 min 12 s"), (7_500_000, "2 h 5 min")]
        {
            assert_eq!(duration(Duration::milliseconds(millis)), text);
        }
        assert_eq!(duration(Duration::seconds(-3)), "0.0 s", "clocks that disagree never give a negative time");
    }

    #[test]
    fn times_are_told_from_now() {
        let now = datetime!(2026-11-23 12:00 UTC);
        for (then, text) in [
            (datetime!(2026-11-23 12:00:05 UTC), "just now"),
            (datetime!(2026-11-23 11:59:50 UTC), "just now"),
            (datetime!(2026-11-23 11:59:10 UTC), "1 minute ago"),
            (datetime!(2026-11-23 11:57 UTC), "3 minutes ago"),
            (datetime!(2026-11-23 10:59 UTC), "1 hour ago"),
            (datetime!(2026-11-21 12:00 UTC), "2 days ago"),
            (datetime!(2026-03-02 12:00 UTC), "on 2 Mar 2026"),
        ] {
            assert_eq!(ago(now, then), text);
        }
    }

    #[test]
    fn absolute_times_name_their_zone() {
        assert_eq!(absolute(datetime!(2026-11-03 05:07:09 +02:00)), "3 Nov 2026, 03:07:09 UTC");
    }
}
