//! The lines that a page has: in order, none twice, and a gap is noticed.

use model::views::LogItem;

/// What became of lines that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The lines from this position on are new; none if it equals the length.
    From(usize),
    /// Lines are missing before these: ask again from the last one.
    Gap,
}

/// Lines, numbered without a gap from the first one on.
#[derive(Debug, Clone, Default)]
pub struct LogBuffer {
    items: Vec<LogItem>,
    /// The number before the first line that will be taken.
    begin: i64,
}

impl LogBuffer {
    /// Begins after the line `begin`, with these lines.
    pub fn new(begin: i64, items: Vec<LogItem>) -> Self {
        let mut buffer = Self { items: Vec::new(), begin };
        buffer.take(items);
        buffer
    }
    /// Number of the last line.
    pub fn last(&self) -> i64 {
        self.items.last().map_or(self.begin, |item| item.seq)
    }
    /// The lines.
    pub fn items(&self) -> &[LogItem] {
        &self.items
    }
    /// Takes what is new of these lines.
    pub fn take(&mut self, items: Vec<LogItem>) -> Taken {
        let from = self.items.len();
        for item in items {
            let next = self.last() + 1;
            if item.seq > next {
                return if self.items.len() > from { Taken::From(from) } else { Taken::Gap };
            }
            if item.seq == next {
                self.items.push(item);
            }
        }
        Taken::From(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::deployment::Stream;
    use time::OffsetDateTime;

    fn lines(range: std::ops::RangeInclusive<i64>) -> Vec<LogItem> {
        range
            .map(|seq| LogItem { seq, at: OffsetDateTime::UNIX_EPOCH, stream: Stream::Stdout, text: seq.to_string() })
            .collect()
    }
    fn numbers(buffer: &LogBuffer) -> Vec<i64> {
        buffer.items().iter().map(|item| item.seq).collect()
    }

    #[test]
    fn lines_that_come_twice_are_kept_once() {
        let mut buffer = LogBuffer::new(0, lines(1..=3));
        assert_eq!(buffer.take(lines(2..=5)), Taken::From(3));
        assert_eq!(buffer.take(lines(1..=5)), Taken::From(5));
        assert_eq!(numbers(&buffer), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_gap_is_noticed_and_nothing_behind_it_taken() {
        let mut buffer = LogBuffer::new(0, lines(1..=3));
        assert_eq!(buffer.take(lines(7..=9)), Taken::Gap);
        assert_eq!(buffer.last(), 3);
        assert_eq!(buffer.take(lines(4..=9)), Taken::From(3));
        assert_eq!(buffer.last(), 9);
    }

    #[test]
    fn a_later_piece_begins_where_it_was_asked_for() {
        let buffer = LogBuffer::new(500, lines(501..=502));
        assert_eq!(numbers(&buffer), [501, 502]);
        assert_eq!(LogBuffer::new(500, Vec::new()).last(), 500);
    }
}
