//! What the proxy counted: answers of an environment's services, by their status. Pure.

use serde::{Deserialize, Serialize};
use std::ops::Sub;

/// The counter of Traefik that is read.
/// <https://doc.traefik.io/traefik/reference/install-configuration/observability/metrics/>
const METRIC: &str = "traefik_service_requests_total";

/// Answers since the proxy's start, or between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// With a status of 500 or above.
    pub server_errors: u64,
    /// With 502, 503 or 504: the proxy got no answer of the service.
    pub unanswered: u64,
}

impl Counts {
    /// Reads the counters of all services whose name begins with `key` from Prometheus' text format.
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
    pub fn read(text: &str, key: &str) -> Self {
        let mut counts = Self::default();
        for line in text.lines() {
            let Some((labels, value)) = line.strip_prefix(METRIC).and_then(|rest| rest.rsplit_once(' ')) else {
                continue;
            };
            let of_ours = label(labels, "service")
                .and_then(|service| service.strip_prefix(key))
                .is_some_and(|rest| rest.starts_with('-'));
            let Some(code) = label(labels, "code").filter(|_| of_ours).and_then(|code| code.parse::<u16>().ok()) else {
                continue;
            };
            let count = whole(value);
            counts.total += count;
            counts.server_errors += if code >= 500 { count } else { 0 };
            counts.unanswered += if (502..=504).contains(&code) { count } else { 0 };
        }
        counts
    }

    /// Share of server errors, 0 to 1; 0 where nothing was counted.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn error_share(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.server_errors as f64 / self.total as f64 }
    }
}

/// What was counted since `earlier`. A proxy that was started anew counts from 0: then all of it is since.
impl Sub for Counts {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        if self.total < earlier.total {
            return self;
        }
        Self {
            total: self.total - earlier.total,
            server_errors: self.server_errors.saturating_sub(earlier.server_errors),
            unanswered: self.unanswered.saturating_sub(earlier.unanswered),
        }
    }
}

/// The value of a label; Traefik's names and codes hold nothing that is escaped.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Counters are floating-point numbers in the text, `1.234567e+06` from a million on.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter is whole and not negative")]
fn whole(value: &str) -> u64 {
    value.parse::<f64>().map_or(0, |value| value.max(0.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP traefik_service_requests_total How many HTTP requests processed
# TYPE traefik_service_requests_total counter
traefik_service_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",service=\"e1-www@file\"} 1.5e+06
traefik_service_requests_total{code=\"502\",method=\"GET\",protocol=\"http\",service=\"e1-api@file\"} 3
traefik_service_requests_total{code=\"500\",method=\"POST\",protocol=\"http\",service=\"e1-api@file\"} 4
traefik_service_requests_total{code=\"502\",method=\"GET\",protocol=\"http\",service=\"e10-www@file\"} 9
traefik_service_requests_bytes_total{code=\"502\",method=\"GET\",protocol=\"http\",service=\"e1-www@file\"} 9
";

    #[test]
    fn an_environments_services_are_summed_and_no_others() {
        let counts = Counts::read(TEXT, "e1");
        assert_eq!(counts, Counts { total: 1_500_007, server_errors: 7, unanswered: 3 });
        assert_eq!(Counts::read(TEXT, "e"), Counts::default());
    }

    #[test]
    fn a_proxy_that_was_started_anew_counts_from_nothing() {
        let (before, after) = (Counts { total: 90, server_errors: 5, unanswered: 5 }, Counts::read(TEXT, "e1"));
        assert_eq!((after - before).unanswered, 0);
        let anew = Counts { total: 3, server_errors: 1, unanswered: 1 };
        assert_eq!(anew - before, anew);
    }
}
