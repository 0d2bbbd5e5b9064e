//! Colours of a terminal (ECMA-48 SGR) as classes. Everything else that a terminal would obey is left out.

/// How a piece of text looks: 16 colours each for text and ground, and the usual attributes.
// The attributes of SGR are independent of each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Colour of the text, 0 to 15.
    pub text: Option<u8>,
    /// Colour of the ground, 0 to 15.
    pub ground: Option<u8>,
    /// Heavier.
    pub bold: bool,
    /// Paler.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// With a line below.
    pub underline: bool,
    /// With a line through it.
    pub strike: bool,
    /// Text and ground exchanged.
    pub inverse: bool,
}

impl Style {
    /// The classes, empty for plain text.
    pub fn classes(&self) -> String {
        let (text, ground) = if self.inverse { (self.ground, self.text) } else { (self.text, self.ground) };
        let mut classes = Vec::new();
        if let Some(colour) = text {
            classes.push(format!("fg-{colour}"));
        } else if self.inverse {
            classes.push("fg-base".to_owned());
        }
        if let Some(colour) = ground {
            classes.push(format!("bg-{colour}"));
        } else if self.inverse {
            classes.push("bg-base".to_owned());
        }
        for (on, class) in [
            (self.bold, "sgr-bold"),
            (self.dim, "sgr-dim"),
            (self.italic, "sgr-italic"),
            (self.underline, "sgr-underline"),
            (self.strike, "sgr-strike"),
        ] {
            if on {
                classes.push(class.to_owned());
            }
        }
        classes.join(" ")
    }
}

/// A piece of a line that looks the same throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its text, without control characters but tabs.
    pub text: String,
    /// Its look.
    pub style: Style,
}

/// The pieces of a line. Of a progress bar that overwrites itself (`\r`) the last state counts.
pub fn spans(line: &str) -> Vec<Span> {
    let line = line.trim_end_matches(['\r', '\n']);
    let mut spans: Vec<Span> = Vec::new();
    let mut style = Style::default();
    let mut text = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                let parameters = escape(&mut rest);
                if let Some(parameters) = parameters {
                    flush(&mut spans, &mut text, style);
                    apply(&mut style, &parameters);
                }
            }
            '\r' => {
                spans.clear();
                text.clear();
            }
            '\t' => text.push(c),
            c if c.is_control() || is_bidi_control(c) => {}
            c => text.push(c),
        }
    }
    flush(&mut spans, &mut text, style);
    spans
}

#[cfg(any(test, feature = "hydrate"))]
/// The text alone, as it is searched and copied.
pub fn plain(line: &str) -> String {
    spans(line).into_iter().map(|span| span.text).collect()
}

fn flush(spans: &mut Vec<Span>, text: &mut String, style: Style) {
    if text.is_empty() {
        return;
    }
    let text = std::mem::take(text);
    match spans.last_mut() {
        Some(last) if last.style == style => last.text.push_str(&text),
        _ => spans.push(Span { text, style }),
    }
}

/// Characters that could make a line read otherwise than it is (CVE-2021-42574).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Takes one escape sequence; its parameters if it sets a look.
fn escape(rest: &mut std::str::Chars<'_>) -> Option<String> {
    match rest.next()? {
        '[' => {
            let mut parameters = String::new();
            for c in rest.by_ref() {
                match c {
                    '\u{40}'..='\u{7e}' => return (c == 'm').then_some(parameters),
                    c => parameters.push(c),
                }
            }
            None
        }
        // A string for the terminal (title, link): up to BEL or ESC \.
        ']' | 'P' | '^' | '_' => {
            let mut escaped = false;
            for c in rest.by_ref() {
                if c == '\u{7}' || (escaped && c == '\\') {
                    break;
                }
                escaped = c == '\u{1b}';
            }
            None
        }
        '(' | ')' => {
            rest.next();
            None
        }
        _ => None,
    }
}

fn apply(style: &mut Style, parameters: &str) {
    let mut codes =
        parameters.split([';', ':']).map(|code| if code.is_empty() { Some(0) } else { code.parse::<u16>().ok() });
    while let Some(code) = codes.next() {
        let Some(code) = code else { continue };
        match code {
            0 => *style = Style::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            3 => style.italic = true,
            4 => style.underline = true,
            7 => style.inverse = true,
            9 => style.strike = true,
            22 => (style.bold, style.dim) = (false, false),
            23 => style.italic = false,
            24 => style.underline = false,
            27 => style.inverse = false,
            29 => style.strike = false,
            30..=37 => style.text = Some(low(code - 30)),
            38 => style.text = extended(&mut codes),
            39 => style.text = None,
            40..=47 => style.ground = Some(low(code - 40)),
            48 => style.ground = extended(&mut codes),
            49 => style.ground = None,
            90..=97 => style.text = Some(low(code - 90 + 8)),
            100..=107 => style.ground = Some(low(code - 100 + 8)),
            _ => {}
        }
    }
}

fn low(code: u16) -> u8 {
    code.to_le_bytes()[0]
}

/// `5;N` (one of 256) or `2;R;G;B`, as the nearest of the 16.
fn extended(codes: &mut impl Iterator<Item = Option<u16>>) -> Option<u8> {
    let mut next = || codes.next().flatten();
    match next()? {
        5 => {
            let index = low(next()?.min(255));
            Some(match index {
                0..16 => index,
                16..232 => {
                    let level = |step: u8| [0, 95, 135, 175, 215, 255][usize::from(step)];
                    let cube = index - 16;
                    nearest(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
                }
                232.. => {
                    let grey = 8 + (index - 232) * 10;
                    nearest(grey, grey, grey)
                }
            })
        }
        2 => {
            let mut part = || Some(low(next()?.min(255)));
            Some(nearest(part()?, part()?, part()?))
        }
        _ => None,
    }
}

/// xterm's 16 colours.
const PALETTE: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    let apart = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    let distance = |i: &u8| {
        let (r, g, b) = PALETTE[usize::from(*i)];
        apart(r, red) + apart(g, green) + apart(b, blue)
    };
    (0..16).min_by_key(distance).unwrap_or(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(line: &str) -> Vec<(String, String)> {
        spans(line).into_iter().map(|s| (s.text, s.style.classes())).collect()
    }
    fn pair(text: &str, classes: &str) -> (String, String) {
        (text.to_owned(), classes.to_owned())
    }

    #[test]
    fn colours_begin_and_end() {
        assert_eq!(
            looks("a\u{1b}[31mred\u{1b}[0m \u{1b}[1;92mok\u{1b}[39m!"),
            [pair("a", ""), pair("red", "fg-1"), pair(" ", ""), pair("ok", "fg-10 sgr-bold"), pair("!", "sgr-bold")]
        );
    }

    #[test]
    fn many_colours_become_the_nearest_of_sixteen() {
        assert_eq!(looks("\u{1b}[38;5;196mx"), [pair("x", "fg-9")]);
        assert_eq!(looks("\u{1b}[38;5;244mx"), [pair("x", "fg-8")]);
        assert_eq!(looks("\u{1b}[48;2;0;0;230mx"), [pair("x", "bg-4")]);
        assert_eq!(looks("\u{1b}[38:5:2mx"), [pair("x", "fg-2")]);
    }

    #[test]
    fn inverse_exchanges_text_and_ground() {
        assert_eq!(looks("\u{1b}[7;31mx"), [pair("x", "fg-base bg-1")]);
    }

    #[test]
    fn what_moves_the_cursor_or_talks_to_the_terminal_is_left_out() {
        assert_eq!(
            plain("\u{1b}[2K\u{1b}[1Adone\u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{1b}\\!"),
            "donelink!"
        );
        assert_eq!(plain("a\u{7}b\u{202e}c\u{1b}(Bd"), "abcd");
    }

    #[test]
    fn of_a_progress_bar_the_last_state_stays() {
        assert_eq!(plain("10%\r50%\r100%\r\n"), "100%");
    }

    #[test]
    fn broken_sequences_do_no_harm() {
        for line in ["\u{1b}", "\u{1b}[", "\u{1b}[38;5", "\u{1b}[38;2;1mx", "\u{1b}[999999999999m", "\u{1b}]0;title"] {
            let _ = spans(line);
        }
    }
}
