//! Cuts a stream of output into lines.

/// Of a longer line the rest is left out, so that a program without line ends fills no memory.
const LONGEST: usize = 64 * 1024;

/// Collects pieces of output until a line is whole.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: String,
    left_out: bool,
}

impl Lines {
    /// Takes the next piece and returns the lines that it completes. A carriage return inside a line (a progress
    /// bar) leaves only what a terminal would show last.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<String> {
        let mut lines = vec![];
        for part in piece.split_inclusive('\n') {
            if !self.left_out {
                self.rest.push_str(part);
                if self.rest.len() > LONGEST {
                    self.shorten();
                }
            }
            if part.ends_with('\n') {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// Lets go of what a terminal would have overwritten, and then of what is too much.
    fn shorten(&mut self) {
        if let Some(shown) = self.rest.trim_end_matches(['\n', '\r']).rfind('\r') {
            self.rest.drain(..=shown);
        }
        self.left_out = self.rest.len() > LONGEST;
        self.rest.truncate(self.rest.floor_char_boundary(LONGEST));
    }

    /// What is left once the output has ended.
    pub(crate) fn finish(&mut self) -> Option<String> {
        self.left_out = false;
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
    fn a_progress_bar_of_any_length_leaves_its_last_state() {
        let mut lines = Lines::default();
        for percent in 0..LONGEST {
            assert!(lines.push(&format!("{percent}%\r")).is_empty());
        }
        assert_eq!(lines.push("done\n"), ["done"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_its_rest_left_out() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            assert!(lines.push(&"é".repeat(LONGEST)).is_empty());
        }
        let out = lines.push("the rest\nthe next\n");
        assert_eq!((out.len(), out[0].len(), out[1].as_str()), (2, LONGEST, "the next"));
        assert_eq!(lines.finish(), None);
    }
}
