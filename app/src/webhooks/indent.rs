//! JSON as people read it: a line for each field, in the order and the letters that it came in.

/// Deeper than any forge nests; text that does is shown as it is, for its indentation would outgrow it.
const DEEPEST: usize = 32;

/// The text indented, if it looks like JSON. It may end in the middle.
pub fn indent(text: &str) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if in_string {
            out.push(c);
            in_string = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                    continue;
                }
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
                new_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    Some(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gets_a_line_for_each_field_and_keeps_its_order() {
        let text = r#"{"z":"a, {b: \" }","a":[1,2,{}],"e":[ ]}"#;
        let lines =
            ["{", r#"  "z": "a, {b: \" }","#, r#"  "a": ["#, "    1,", "    2,", "    {}", "  ],", r#"  "e": []"#, "}"];
        assert_eq!(indent(text).unwrap(), lines.join("\n"));
        assert_eq!(indent(&lines.join("\n")).unwrap(), lines.join("\n"), "what is indented stays");
    }

    #[test]
    fn what_was_cut_and_what_is_deep_does_no_harm() {
        assert_eq!(indent(r#"{"a":"b"#).unwrap(), "{\n  \"a\": \"b");
        assert_eq!(indent("payload=%7B%7D"), None);
        assert_eq!(indent(&"[".repeat(60_000)), None);
    }
}
