//! The rules of `.dockerignore`, as <https://docs.docker.com/build/concepts/context/#dockerignore-files> gives them:
//! anchored at the root, a rule for a folder holds for all below it, and the last rule that matches decides.

use globset::{GlobBuilder, GlobMatcher};
use std::path::Path;

/// What is left out of a build's files.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    glob: GlobMatcher,
    brings_back: bool,
}

impl Rules {
    /// Reads the file's text. A line that is no pattern is passed over, as the engine's own client cannot build with
    /// it either way.
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.trim_start_matches('\u{feff}').lines().filter_map(Rule::parse).collect())
    }

    /// The path, relative to the root, is left out.
    pub(crate) fn leave_out(&self, path: &Path) -> bool {
        self.0
            .iter()
            .rev()
            .find(|rule| path.ancestors().any(|part| rule.glob.is_match(part)))
            .is_some_and(|rule| !rule.brings_back)
    }

    /// Something below a folder that is left out may still be wanted.
    pub(crate) fn bring_back_any(&self) -> bool {
        self.0.iter().any(|rule| rule.brings_back)
    }
}

impl Rule {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let (brings_back, pattern) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() {
            return None;
        }
        // Braces are ordinary characters here, alternatives in globset.
        let pattern = parts.join("/").replace('{', "[{]").replace('}', "[}]");
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build().ok()?.compile_matcher();
        Some(Self { glob, brings_back })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(rules: &str, path: &str) -> bool {
        Rules::parse(rules).leave_out(Path::new(path))
    }

    #[test]
    fn a_pattern_is_anchored_at_the_root() {
        assert!(left_out("node_modules", "node_modules"));
        assert!(left_out("/node_modules/", "node_modules/a/b.js"));
        assert!(!left_out("node_modules", "web/node_modules"));
        assert!(left_out("**/node_modules", "web/node_modules/a"));
        assert!(left_out("**/node_modules", "node_modules/a"));
    }

    #[test]
    fn a_star_stays_within_one_folder() {
        assert!(left_out("*.log", "a.log"));
        assert!(!left_out("*.log", "logs/a.log"));
        assert!(left_out("*/*.log", "logs/a.log"));
        assert!(left_out("**/*.log", "a/b/c.log"));
    }

    #[test]
    fn the_last_rule_that_matches_decides() {
        let rules = "*.md\n!README.md\n";
        assert!(left_out(rules, "NOTES.md"));
        assert!(!left_out(rules, "README.md"));
        assert!(left_out("!README.md\n*.md", "README.md"));
        assert!(!left_out("docs\n!docs/keep", "docs/keep/a"));
        assert!(left_out("docs\n!docs/keep", "docs/other"));
    }

    #[test]
    fn comments_blank_lines_and_braces_are_plain() {
        assert!(!left_out("# a\n\n   \n/", "a"));
        assert!(left_out("{a,b}", "{a,b}"));
        assert!(!left_out("{a,b}", "a"));
    }
}
