//! Lines of a log as HTML, the same on the server and in the browser. Text made here is set as markup, so everything
//! that comes from outside passes through [`escape`].

use super::ansi;
use crate::format;
use model::{deployment::Stream, views::LogItem};
use std::{fmt::Write, ops::Range};

/// Lines per block. Blocks outside the window are not laid out, so that a long log scrolls like a short one.
pub const BLOCK: i64 = 200;

/// The number of the block a line is in.
pub fn block_of(seq: i64) -> i64 {
    (seq - 1).div_euclid(BLOCK)
}

/// Text, safe between tags and in quoted attributes.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// Where `query` stands in `text`, upper and lower case alike; an empty query stands nowhere.
pub fn find(text: &str, query: &str) -> Vec<Range<usize>> {
    if query.is_empty() {
        return Vec::new();
    }
    // ASCII case folding keeps byte positions.
    let (text, query) = (text.to_ascii_lowercase(), query.to_ascii_lowercase());
    text.match_indices(&query).map(|(at, found)| at..at + found.len()).collect()
}

/// The text of a line, coloured, with what was searched for marked.
pub fn line_text(text: &str, query: &str) -> String {
    let spans = ansi::spans(text);
    let whole: String = spans.iter().map(|span| span.text.as_str()).collect();
    let marks = find(&whole, query);
    let mut out = String::with_capacity(whole.len() + 32);
    let mut at = 0;
    for span in spans {
        let classes = span.style.classes();
        if !classes.is_empty() {
            let _ = write!(out, "<span class=\"{classes}\">");
        }
        let end = at + span.text.len();
        let mut from = at;
        for mark in marks.iter().filter(|mark| mark.start < end && mark.end > at) {
            let (start, stop) = (mark.start.max(at), mark.end.min(end));
            escape(&mut out, &whole[from..start]);
            out.push_str("<mark>");
            escape(&mut out, &whole[start..stop]);
            out.push_str("</mark>");
            from = stop;
        }
        escape(&mut out, &whole[from..end]);
        if !classes.is_empty() {
            out.push_str("</span>");
        }
        at = end;
    }
    out
}

/// One line: its number (a link to it), its time, its text.
pub fn line(item: &LogItem, query: &str) -> String {
    let stream = match item.stream {
        Stream::Stdout => "",
        Stream::Stderr => " log-stderr",
        Stream::Platform => " log-platform",
    };
    let seq = item.seq;
    format!(
        "<div id=\"L{seq}\" class=\"log-line{stream}\"><a class=\"log-number\" href=\"#L{seq}\" rel=\"external\" aria-label=\"Line {seq}\">{seq}</a><span class=\"log-time\">{}</span><span class=\"log-text\">{}</span></div>",
        format::clock_time(item.at),
        line_text(&item.text, query),
    )
}

/// Lines in their blocks.
pub fn blocks(items: &[LogItem]) -> String {
    let mut out = String::new();
    for group in items.chunk_by(|a, b| block_of(a.seq) == block_of(b.seq)) {
        let Some(first) = group.first() else { continue };
        let _ = write!(out, "<div class=\"log-block\" id=\"log-block-{}\">", block_of(first.seq));
        for item in group {
            out.push_str(&line(item, ""));
        }
        out.push_str("</div>");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn item(seq: i64, text: &str) -> LogItem {
        LogItem { seq, at: datetime!(2026-11-23 03:27:41.250 UTC), stream: Stream::Stdout, text: text.to_owned() }
    }

    #[test]
    fn text_from_outside_never_becomes_markup() {
        let html = line(&item(1, "<img src=x onerror=alert(1)>\u{1b}[31m\"'&</span><script>"), "script");
        assert!(!html.contains("<img") && !html.contains("<script"), "{html}");
        assert!(html.contains("&lt;<mark>script</mark>&gt;"), "{html}");
        assert_eq!(html.matches("<span").count(), html.matches("</span>").count());
    }

    #[test]
    fn a_match_is_marked_across_colours() {
        assert_eq!(
            line_text("ab\u{1b}[31mcd\u{1b}[0mef", "BCDE"),
            "a<mark>b</mark><span class=\"fg-1\"><mark>cd</mark></span><mark>e</mark>f"
        );
        assert_eq!(line_text("caf\u{e9} \u{c9}", "\u{e9}"), "caf<mark>\u{e9}</mark> \u{c9}");
    }

    #[test]
    fn lines_stand_in_blocks_by_number() {
        let items: Vec<_> = (1..=BLOCK + 1).map(|seq| item(seq, "x")).collect();
        let html = blocks(&items);
        assert_eq!(html.matches("log-block\"").count(), 2);
        assert!(html.contains("id=\"log-block-1\"><div id=\"L201\""), "{html}");
    }
}
