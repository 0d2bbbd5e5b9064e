//! Which Git is installed, and whether it keeps to the addresses that were checked.

use super::{FetchError, Git};
use model::deployment::FailureCode;
use std::fmt;

/// Git knows `http.curloptResolve` since then. An older one passes over it in silence, and looks a host up a second time.
const PINS_SINCE: (u32, u32) = (2, 37);

/// The version of a Git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    text: String,
    number: Option<(u32, u32)>,
}

/// The version of the Git that this program runs.
///
/// # Errors
/// `internal` if there is none.
pub async fn version() -> Result<Version, FetchError> {
    Ok(Version::parse(&Git::new(["version"]).text().await?))
}

impl Version {
    /// Reads what `git version` says.
    pub fn parse(told: &str) -> Self {
        let text = told.trim().strip_prefix("git version ").unwrap_or(told.trim()).to_owned();
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let number = parts.next().flatten().zip(parts.next().flatten());
        Self { text, number }
    }

    /// It connects to the addresses that it is given, and to no others.
    pub fn pins(&self) -> bool {
        self.number.is_some_and(|number| number >= PINS_SINCE)
    }

    /// What to do where it does not pin.
    pub fn remedy(&self) -> Option<String> {
        let (major, minor) = PINS_SINCE;
        (!self.pins()).then(|| {
            format!(
                "Git {self} is older than {major}.{minor} and could be led into the private network by a host's second \
                 look-up, so that no remote repository is fetched by its host's name; the operator of this platform \
                 updates Git, or allows private addresses (WEBMETEOR_ALLOW_PRIVATE_REPOSITORIES=true)."
            )
        })
    }

    /// Refuses to fetch by a name with a Git that does not pin.
    pub(super) fn may_fetch_by_name(&self) -> Result<(), FetchError> {
        self.remedy().map_or(Ok(()), |remedy| Err(FetchError::new(FailureCode::FetchFailed, remedy)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_that_does_not_pin_is_told_with_the_remedy() {
        for old in ["git version 2.36.6", "git version 2.30.2", "git version 1.99.0", "git version", "nonsense", ""] {
            let version = Version::parse(old);
            let remedy = version.remedy().unwrap();
            assert!(remedy.contains("2.37") && remedy.contains("WEBMETEOR_ALLOW_PRIVATE_REPOSITORIES"), "{remedy}");
            assert_eq!(version.may_fetch_by_name().unwrap_err().message, remedy, "{old}");
        }
    }

    #[test]
    fn a_git_that_pins_is_used() {
        for new in
            ["git version 2.37.0", "git version 2.39.5 (Apple Git-154)", "git version 2.100.1", "git version 3.0.rc1"]
        {
            assert!(Version::parse(new).may_fetch_by_name().is_ok(), "{new}");
        }
        assert_eq!(Version::parse("git version 2.47.3\n").to_string(), "2.47.3");
    }

    #[tokio::test]
    async fn the_version_of_the_git_that_is_installed_is_found() {
        assert!(version().await.unwrap().number.is_some());
    }
}
