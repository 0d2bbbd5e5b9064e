//! Which pushes an environment deploys, decided on plain data: whatever announces a push, a forge or Git itself.

use globset::{GlobBuilder, GlobMatcher};
use model::names::NameError;
use store::environments::EnvironmentRow;

/// The most patterns of an environment.
const MAX_PATTERNS: usize = 50;
/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 200;

/// What a push did to a branch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Push<'a> {
    /// The words in its newest commit's message that ask for no deployment.
    pub(crate) skip: Option<&'a str>,
    /// The paths that it changed; `None` where that is not known, and then it is deployed.
    pub(crate) changed: Option<&'a [String]>,
}

/// Why this push to the environment's branch is not deployed, in plain words; `None` if it is.
pub(crate) fn ignored(environment: &EnvironmentRow, push: Push<'_>) -> Option<String> {
    let name = &environment.name;
    if environment.paused_at.is_some() {
        return Some(format!("{name} is paused; resume it, and deploy it by hand or push again."));
    }
    if let Some(mark) = push.skip {
        return Some(format!("The newest commit's message says “{mark}”, so it is not deployed to {name}."));
    }
    let changed = push.changed?;
    // What was stored was compiled before; a pattern that no longer compiles must not hold back a push.
    let watched = Watched::parse(&environment.watch).ok()?;
    (!watched.any(changed)).then(|| {
        let patterns = environment.watch.join(", ");
        format!("Nothing that {name} watches was changed; it watches {patterns}.")
    })
}

/// Patterns of paths from the root of the repository: `*` stands for anything within a folder, `**` for any folders,
/// and what names a folder means all that is in it. One that begins with `!` takes out again what those before it
/// name; of those that match a path, the last one counts.
pub(crate) struct Watched(Vec<(bool, [GlobMatcher; 2])>);

impl Watched {
    /// Compiles patterns.
    ///
    /// # Errors
    /// With the first one that is none.
    pub(crate) fn parse(patterns: &[String]) -> Result<Self, NameError> {
        let fail = |code, message| Err(NameError { code, message });
        if patterns.len() > MAX_PATTERNS {
            return fail("too_many", format!("At most {MAX_PATTERNS} paths are watched."));
        }
        let mut compiled = Vec::new();
        for pattern in patterns {
            let (is_watched, path) = match pattern.strip_prefix('!') {
                Some(path) => (false, path),
                None => (true, pattern.as_str()),
            };
            let path = path.trim_matches('/');
            if path.is_empty() || pattern.len() > MAX_PATTERN || pattern.chars().any(char::is_control) {
                return fail("pattern", "A watched path looks like apps/web, packages/** or !docs/**.".to_owned());
            }
            let glob = |text: &str| GlobBuilder::new(text).literal_separator(true).build();
            match (glob(path), glob(&format!("{path}/**"))) {
                (Ok(itself), Ok(inside)) => {
                    compiled.push((is_watched, [itself.compile_matcher(), inside.compile_matcher()]));
                }
                (Err(e), _) | (_, Err(e)) => {
                    return fail("pattern", format!("“{pattern}” is not a pattern of paths: {}.", e.kind()));
                }
            }
        }
        Ok(Self(compiled))
    }

    /// Whether one of these paths is watched; without patterns, all are.
    pub(crate) fn any(&self, paths: &[String]) -> bool {
        self.0.is_empty() || paths.iter().any(|path| self.has(path))
    }

    fn has(&self, path: &str) -> bool {
        // Where only is said what is not watched, the rest is.
        let at_first = self.0.first().is_some_and(|(is_watched, _)| !is_watched);
        self.0.iter().fold(
            at_first,
            |before, (is_watched, globs)| {
                if globs.iter().any(|glob| glob.is_match(path)) { *is_watched } else { before }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EnvironmentId, SiteId, TeamId};
    use time::OffsetDateTime;

    fn environment(watch: &[&str]) -> EnvironmentRow {
        EnvironmentRow {
            id: EnvironmentId::new(),
            team_id: TeamId::new(),
            site_id: SiteId::new(),
            name: "staging".into(),
            branch: "develop".into(),
            subnet_index: 0,
            secrets: vec![],
            current_release: None,
            paused_at: None,
            root: String::new(),
            watch: watch.iter().map(|text| (*text).to_owned()).collect(),
            variables_version: 0,
            created_at: OffsetDateTime::UNIX_EPOCH,
            deleting_at: None,
            is_preview: false,
            delete_data: None,
        }
    }

    fn is_deployed(watch: &[&str], changed: &[&str]) -> bool {
        let changed: Vec<String> = changed.iter().map(|path| (*path).to_owned()).collect();
        ignored(&environment(watch), Push { skip: None, changed: Some(&changed) }).is_none()
    }

    #[test]
    fn a_push_is_deployed_if_it_changes_something_that_is_watched() {
        for (watch, path, expected) in [
            (&[][..], "README.md", true),
            (&["apps/web"], "apps/web/src/a.rs", true),
            (&["/apps/web/"], "apps/web", true),
            (&["apps/web"], "apps/website/a.rs", false),
            (&["apps/*"], "apps/web/src/a.rs", true),
            (&["*.md"], "docs/a.md", false),
            (&["**/*.md"], "docs/a/b.md", true),
            (&["apps/**", "!apps/docs"], "apps/docs/a.md", false),
            (&["!docs/**"], "src/a.rs", true),
            (&["!docs/**"], "docs/a.md", false),
            (&["!docs/**", "docs/api"], "docs/api/a.md", true),
        ] {
            assert_eq!(is_deployed(watch, &[path]), expected, "{watch:?} {path}");
        }
        assert!(is_deployed(&["apps/web"], &["README.md", "apps/web/a"]));
        assert!(!is_deployed(&["apps/web"], &[]), "an empty commit changes nothing");
    }

    #[test]
    fn a_push_of_which_the_paths_are_not_known_is_deployed() {
        assert_eq!(ignored(&environment(&["apps/web"]), Push::default()), None);
    }

    #[test]
    fn a_pause_and_the_commits_message_hold_a_push_back_and_say_so() {
        let push = Push { skip: Some("[skip deploy]"), changed: None };
        assert!(ignored(&environment(&[]), push).unwrap().contains("“[skip deploy]”"));
        let paused = EnvironmentRow { paused_at: Some(OffsetDateTime::UNIX_EPOCH), ..environment(&[]) };
        assert!(ignored(&paused, Push::default()).unwrap().contains("staging is paused"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "!", "/", "a[b", "a\nb", &"x".repeat(201)] {
            assert!(Watched::parse(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
        assert!(Watched::parse(&vec!["a".to_owned(); 51]).is_err());
    }
}
