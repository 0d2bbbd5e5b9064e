//! One clock for the whole page: the server's time while it renders and hydrates, then ticking each second.

use leptos::prelude::*;
use time::OffsetDateTime;

/// The time now, as the server has it; texts made of it change by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Clock(RwSignal<OffsetDateTime>);

fn from_millis(millis: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

impl Clock {
    /// Starts it at the server's time; to be called once, in the root component.
    pub fn provide(server_millis: i64) {
        let clock = Self(RwSignal::new(from_millis(server_millis)));
        provide_context(clock);
        #[cfg(feature = "hydrate")]
        {
            // The browser's clock may be wrong: only its progress counts.
            let ahead = browser_millis() - server_millis;
            Effect::new(move |_| {
                set_interval(
                    move || clock.0.set(from_millis(browser_millis() - ahead)),
                    std::time::Duration::from_secs(1),
                );
            });
        }
    }
    /// The time now, followed.
    pub fn now(self) -> OffsetDateTime {
        self.0.get()
    }
}

/// The page's clock.
pub fn use_clock() -> Clock {
    use_context::<Clock>().unwrap_or_else(|| Clock(RwSignal::new(OffsetDateTime::UNIX_EPOCH)))
}

/// The browser's clock, milliseconds since 1970.
#[cfg(feature = "hydrate")]
#[allow(clippy::cast_possible_truncation)]
pub fn browser_millis() -> i64 {
    js_sys::Date::now() as i64
}

/// Never read: the server has its own clock.
#[cfg(not(feature = "hydrate"))]
pub fn browser_millis() -> i64 {
    0
}
