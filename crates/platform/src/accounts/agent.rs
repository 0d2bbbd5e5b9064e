//! What a browser or a program calls itself (`User-Agent`), for people.

/// Longer ones are cut.
const MOST: usize = 256;

/// What is in the words of a browser, and its name. The order tells: each one also appears in those above it.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
/// The same of systems.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// As much of it as is kept.
pub fn kept(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(MOST).collect()
}

/// `Firefox on Linux`, `curl`; the first word of what is not known.
pub fn name(agent: Option<&str>) -> String {
    let agent = agent.unwrap_or_default();
    let first = |words: [(&str, &'static str); 8]| {
        words.into_iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| name)
    };
    match (first(BROWSERS).filter(|_| agent.starts_with("Mozilla/")), first(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => match agent.split(['/', ' ', '(']).next().filter(|word| !word.is_empty()) {
            Some("Mozilla") => "A browser".to_owned(),
            Some(word) => word.to_owned(),
            None => "Unknown".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_programs_are_named_as_people_call_them() {
        for (agent, called) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("git/2.43.0", "git"),
            ("Mozilla/5.0", "A browser"),
            ("", "Unknown"),
        ] {
            assert_eq!(name(Some(agent)), called, "{agent}");
        }
        assert_eq!(name(None), "Unknown");
    }

    #[test]
    fn what_is_kept_is_short_and_one_line() {
        assert_eq!(kept("a\r\nb"), "ab");
        assert_eq!(kept(&"x".repeat(1000)).len(), MOST);
    }
}
