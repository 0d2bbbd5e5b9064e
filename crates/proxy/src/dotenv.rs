//! The `.env` file of a site, quoted by the rules of compose.
//! <https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax>

use std::{collections::BTreeMap, fmt::Write};

/// One variable a line, in order; every value reads back as it is, `$` and line ends too.
pub(crate) fn render(variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(String::new(), |mut text, (key, value)| {
        let _ = writeln!(text, "{key}={}", quoted(value));
        text
    })
}

fn quoted(value: &str) -> String {
    // Single quotes hold everything but themselves, and a backslash before one.
    if !value.contains(['\'', '\\', '\n', '\r']) {
        return format!("'{value}'");
    }
    let mut text = String::from('"');
    for c in value.chars() {
        match c {
            '"' | '\\' | '$' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            _ => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_as_compose_reads_them() {
        let values = [
            ("A_PLAIN", "abc"),
            ("B_EMPTY", ""),
            ("C_SPACES", " a # b "),
            ("D_DOLLAR", "pa$$word ${X} $Y"),
            ("E_DOUBLE", r#"say "hi""#),
            ("F_SINGLE", "it's $5"),
            ("G_BACKSLASH", r"C:\new\"),
            ("H_LINES", "-----BEGIN\nline\r\nEND-----\n"),
            ("I_ALL", r#"\'"$\"#),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_owned()));
        insta::assert_snapshot!(render(&BTreeMap::from(values)));
    }
}
