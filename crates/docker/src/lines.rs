//! Cuts a stream of output into lines.

/// Longer lines are cut, so that a program without line ends fills no memory.
const LONGEST: usize = 16 * 1024;

/// Collects pieces of output until a line is whole.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: String,
}

impl Lines {
    /// Takes the next piece and returns the lines that it completes. A carriage return inside a line (a progress
    /// bar) leaves only what a terminal would show last.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<String> {
        let mut lines = vec![];
        for part in piece.split_inclusive('\n') {
            self.rest.push_str(part);
            if part.ends_with('\n') || self.rest.len() > LONGEST {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// What is left once the output has ended.
    pub(crate) fn finish(&mut self) -> Option<String> {
        let raw = std::mem::take(&mut self.rest);
        if raw.is_empty() {
            return None;
        }
        Some(clean(&raw))
    }
}

/// A line as a terminal would show it last, without its end.
pub(crate) fn clean(raw: &str) -> String {
    let line = raw.trim_end_matches(['\n', '\r']);
    let shown = line.rsplit('\r').next().unwrap_or(line);
    shown.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_once_it_is_whole() {
        let mut lines = Lines::default();
        assert!(lines.push("Step 1/2 ").is_empty());
        assert_eq!(lines.push(": FROM x\n---> y\nha"), ["Step 1/2 : FROM x", "---> y"]);
        assert_eq!(lines.finish().as_deref(), Some("ha"));
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn an_empty_line_is_a_line() {
        assert_eq!(Lines::default().push("a\n\nb\n"), ["a", "", "b"]);
    }

    #[test]
    fn a_progress_bar_leaves_its_last_state() {
        assert_eq!(Lines::default().push("10%\r50%\r100%\r\n"), ["100%"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut lines = Lines::default();
        let out = lines.push(&"x".repeat(LONGEST + 1));
        assert_eq!(out.len(), 1);
        assert_eq!(lines.finish(), None);
    }
}
