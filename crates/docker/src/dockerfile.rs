//! A Dockerfile with labels: on every layer, so that it can be told whose it is, and on the image.

use crate::{Labels, STAGE_LABEL};
use std::fmt::Write;

/// A Dockerfile as it is sent.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) text: String,
    /// The lines that were added, by their numbers in `text`, from 1.
    added: Vec<usize>,
}

impl Labelled {
    /// [`STAGE_LABEL`] with `scope` goes behind every `FROM`: what follows it inherits it, failed builds and stages of
    /// which nothing is left included. `image` goes before the last `COPY` or `ADD` of the last stage, or to its end:
    /// what comes before that is shared with other images, and what comes after it is other with every change anyway,
    /// so that the labels' layer is in the cache from the second build on. Labels given to the engine beside the
    /// Dockerfile would each be a layer of its own, after every change a new one.
    pub(crate) fn new(written: &str, scope: &str, image: &Labels) -> Self {
        let stage = Labels::from([(STAGE_LABEL.to_owned(), scope.to_owned())]);
        let escape = escape(written);
        // A last line that goes on would swallow the labels.
        let written = written.trim_end().trim_end_matches(escape);
        let place = (!image.is_empty()).then(|| place_for_labels(written, escape));
        let mut sent = Self { text: String::with_capacity(written.len() + 512), added: vec![] };
        let mut count = 0;
        for (number, Line { text, part }) in lines(written, escape).enumerate() {
            if place == Some(number) {
                count += 1;
                sent.add(count, image);
            }
            count += 1;
            sent.text.push_str(text);
            sent.text.push('\n');
            if part.is_some_and(|part| part.is_last && part.is("FROM")) {
                count += 1;
                sent.add(count, &stage);
            }
        }
        if place == Some(written.lines().count()) {
            sent.add(count + 1, image);
        }
        sent
    }

    fn add(&mut self, number: usize, labels: &Labels) {
        self.text.push_str("LABEL");
        for (key, value) in labels {
            let _ = write!(self.text, " {}={}", quoted(key), quoted(value));
        }
        self.text.push('\n');
        self.added.push(number);
    }

    /// The engine's words, with the numbers of lines as they were written.
    pub(crate) fn translate(&self, message: &str) -> String {
        const BEFORE: &str = "parse error line ";
        let Some((head, tail)) = message.split_once(BEFORE) else { return message.to_owned() };
        let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (number, rest) = tail.split_at(digits);
        let Ok(number) = number.parse::<usize>() else { return message.to_owned() };
        let written = number - self.added.iter().filter(|added| **added < number).count();
        format!("{head}{BEFORE}{written}{rest}")
    }
}

/// A line of a Dockerfile.
struct Line<'a> {
    text: &'a str,
    /// Of an instruction; `None` for comments and empty lines.
    part: Option<Part<'a>>,
}

/// A line's part of an instruction.
#[derive(Clone, Copy)]
struct Part<'a> {
    instruction: &'a str,
    is_first: bool,
    is_last: bool,
}

impl Part<'_> {
    fn is(&self, word: &str) -> bool {
        self.instruction.eq_ignore_ascii_case(word)
    }
}

fn lines(text: &str, escape: char) -> impl Iterator<Item = Line<'_>> {
    let mut goes_on = None;
    text.lines().map(move |text| {
        let trimmed = text.trim();
        // Inside an instruction, comments and empty lines are skipped; outside they are nothing.
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return Line { text, part: None };
        }
        let instruction = goes_on.unwrap_or_else(|| trimmed.split_whitespace().next().unwrap_or_default());
        let (is_first, is_last) = (goes_on.is_none(), !trimmed.ends_with(escape));
        goes_on = (!is_last).then_some(instruction);
        Line { text, part: Some(Part { instruction, is_first, is_last }) }
    })
}

/// The number of the line, from 0, before which the image's labels go.
fn place_for_labels(text: &str, escape: char) -> usize {
    let mut place = None;
    for (number, line) in lines(text, escape).enumerate() {
        match line.part.filter(|part| part.is_first) {
            Some(part) if part.is("FROM") => place = None,
            Some(part) if part.is("COPY") || part.is("ADD") => place = Some(number),
            _ => {}
        }
    }
    place.unwrap_or_else(|| text.lines().count())
}

/// What ends a line that goes on: a backslash, unless a directive at the top says otherwise.
/// <https://docs.docker.com/reference/dockerfile/#escape>
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#')?.split_once('='));
    let is_backtick = |(key, value): (&str, &str)| key.trim().eq_ignore_ascii_case("escape") && value.trim() == "`";
    if directives.into_iter().any(is_backtick) { '`' } else { '\\' }
}

fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| matches!(c, '"' | '\\' | '$').then_some('\\').into_iter().chain([c]))
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: &str = "LABEL \"webmeteor.build\"=\"all\"\n";

    fn sent(written: &str) -> String {
        Labelled::new(written, "all", &Labels::new()).text
    }

    #[test]
    fn every_stage_is_labelled_and_nothing_else_is_changed() {
        assert_eq!(
            sent("ARG V=12\n# FROM a comment\nFROM debian:$V AS one\nRUN a\nfrom one\nRUN b"),
            format!("ARG V=12\n# FROM a comment\nFROM debian:$V AS one\n{STAGE}RUN a\nfrom one\n{STAGE}RUN b\n")
        );
    }

    #[test]
    fn a_line_that_goes_on_is_not_torn() {
        assert_eq!(
            sent("FROM \\\n  # why\n\n  debian\nRUN echo \\\n FROM here \\\n  && true"),
            format!("FROM \\\n  # why\n\n  debian\n{STAGE}RUN echo \\\n FROM here \\\n  && true\n")
        );
        assert_eq!(
            sent("# escape=`\nFROM `\n debian\nRUN dir C:\\\nRUN x `\n FROM"),
            format!("# escape=`\nFROM `\n debian\n{STAGE}RUN dir C:\\\nRUN x `\n FROM\n")
        );
    }

    #[test]
    fn labels_are_one_line_and_cannot_leave_it() {
        let image = Labels::from([("a".into(), "1".into()), ("b".into(), "x\" $HOME\\\nRUN false".into())]);
        let text = Labelled::new("FROM x\nRUN y \\\n", "all", &image).text;
        assert_eq!(text, format!("FROM x\n{STAGE}RUN y \nLABEL \"a\"=\"1\" \"b\"=\"x\\\" \\$HOME\\\\RUN false\"\n"));
    }

    #[test]
    fn the_labels_of_an_image_go_before_the_last_copy_of_its_last_stage() {
        let image = Labels::from([("a".into(), "1".into())]);
        for (before, after) in [
            ("FROM x AS one\nCOPY . .\nFROM y\nRUN z", ""),
            ("FROM x\nCOPY a .\nRUN z", "# all\ncopy --from=one \\\n COPY . \\\n .\nCMD x"),
            ("FROM x\nRUN z \\\n COPY . .", "ADD . .\nRUN y"),
        ] {
            let text = Labelled::new(&format!("{before}\n{after}"), "all", &image).text.replace(STAGE, "");
            let (head, tail) = text.split_once("LABEL \"a\"=\"1\"\n").unwrap();
            let comment = after.lines().next().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n"));
            assert_eq!(head, format!("{before}\n{}", comment.as_deref().unwrap_or_default()));
            assert!(format!("{after}\n").ends_with(tail), "{tail}");
        }
    }

    #[test]
    fn the_engines_words_name_the_line_as_it_was_written() {
        let sent = Labelled::new("FROM a\nRUN a\nFROM b\nRUNN x\n", "all", &Labels::new());
        assert_eq!(sent.text.lines().nth(5), Some("RUNN x"));
        let told = sent.translate("dockerfile parse error line 6: unknown instruction: RUNN");
        assert_eq!(told, "dockerfile parse error line 4: unknown instruction: RUNN");
        assert_eq!(sent.translate("other words"), "other words");
    }
}
