//! Reads the text of a `.env` file as people paste it: `NAME=value` lines, `export`, comments, quotes, values of several
//! lines. Nothing is put in place of `$NAME`: a value is what stands there.

use crate::names::EnvKey;
use std::collections::BTreeMap;

/// Why a text is no `.env` file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}: {message}")]
pub struct DotenvError {
    /// 1 is the first.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The variables of a text; of two with one name the later counts.
///
/// # Errors
/// [`DotenvError`] with the first line that cannot be read.
pub fn parse(text: &str) -> Result<BTreeMap<EnvKey, String>, DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut variables = BTreeMap::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let fail = |message: String| DotenvError { line, message };
        let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let entry = first.trim_start();
        if entry.trim_end().is_empty() || entry.starts_with('#') {
            rest = after;
            continue;
        }
        let entry = entry.strip_prefix("export ").unwrap_or(entry);
        let Some((name, value)) = entry.split_once('=') else {
            return Err(fail("It is not of the form NAME=value.".into()));
        };
        let name = EnvKey::parse(name).map_err(|e| fail(e.message))?;
        // A quoted value may go on over the end of its line.
        let from_value = &rest[first.len() - value.len()..];
        let (value, end) = match from_value.trim_start_matches([' ', '\t']).chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let begin = from_value.len() - from_value.trim_start_matches([' ', '\t']).len() + 1;
                let (value, length) = quoted(&from_value[begin..], quote)
                    .ok_or_else(|| fail(format!("The value of {name} has no closing {quote}.")))?;
                (value, begin + length)
            }
            _ => (plain(value), value.len()),
        };
        let (left, after) = from_value[end..].split_once('\n').unwrap_or((&from_value[end..], ""));
        if !left.trim().is_empty() && !left.trim_start().starts_with('#') {
            return Err(fail(format!("Something stands behind the value of {name}; put the whole value in quotes.")));
        }
        variables.insert(name, value);
        rest = after;
    }
    Ok(variables)
}

/// Without quotes a value ends before a comment or with its line.
fn plain(value: &str) -> String {
    let end = if value.starts_with('#') { Some(0) } else { value.find(" #").or_else(|| value.find("\t#")) };
    value[..end.unwrap_or(value.len())].trim().to_owned()
}

/// The value before the closing quote, and how many bytes it takes with the quote. In single quotes everything stands
/// for itself; in double quotes a backslash takes `n`, `r`, `t` for line ends and tabs, and any sign of punctuation.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((value, at + 1)),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c if c.is_ascii_punctuation() => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    #[test]
    fn lines_are_read_as_people_write_them() {
        let text = "\u{feff}# ours\r\nexport A=1\r\n  B = two words # told\nC=\nD='it is $5 # \\n'\n\
            E=\"x\\ny \\\"z\\\" \\$F\" # after\nG=a#b\nH=#c\nA=3";
        let expected = [
            ("A", "3"),
            ("B", "two words"),
            ("C", ""),
            ("D", "it is $5 # \\n"),
            ("E", "x\ny \"z\" $F"),
            ("G", "a#b"),
            ("H", ""),
        ];
        assert_eq!(read(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_quoted_value_goes_over_lines() {
        let text = "KEY=\"-----BEGIN\nabc=\n-----END\"\nNEXT=1\n";
        assert_eq!(read(text)[0].1, "-----BEGIN\nabc=\n-----END");
        assert_eq!(read(text)[1], ("NEXT".to_owned(), "1".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, line) in [("A=1\nB", 2), ("\n\n1A=x", 3), ("A='x\ny", 1), ("A=\"x\ny\"\nB=\"x\" y", 3)] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[A-Z=\"'#$ \\\\\\n\\r\\PC]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_in_double_quotes_reads_back(value in "\\PC{0,40}") {
            let text = format!("A=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(read(&text), vec![("A".to_owned(), value)]);
        }
    }
}
