//! What a push asks for, read in passing, and what may be said to the pusher in the answer (gitprotocol-pack).

use bytes::Bytes;
use model::names::CommitSha;
use std::collections::BTreeMap;

/// Marks the end of a part of the conversation.
pub const FLUSH: &[u8] = b"0000";
/// Names of references that are not deployed are kept up to here; they are only shown.
const MOST_OTHERS: usize = 5;
/// A terminal's patience with one line.
const MOST_CHARACTERS: usize = 500;

/// A branch that a push moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub branch: String,
    /// Where it stood; `None` if the push made it.
    pub from: Option<CommitSha>,
    /// Where it stands now; `None` if the push deleted it.
    pub to: Option<CommitSha>,
}

/// Reads the commands at the beginning of a push while it streams by, and keeps those for some branches.
///
/// What does not look like commands is none: Git judges the push, and a branch that did not move is not deployed.
#[derive(Debug)]
pub struct Commands {
    watched: BTreeMap<String, Option<Moved>>,
    /// References that are moved and not watched; the first few.
    pub others: Vec<String>,
    /// The client takes progress and the report in one stream.
    pub has_side_band: bool,
    pending: Vec<u8>,
    is_first: bool,
    is_done: bool,
}

impl Commands {
    /// Watches these branches.
    pub fn watching(branches: &[String]) -> Self {
        Self {
            watched: branches.iter().map(|name| (name.clone(), None)).collect(),
            others: Vec::new(),
            has_side_band: false,
            pending: Vec::new(),
            is_first: true,
            is_done: false,
        }
    }

    /// Takes the next bytes of the request.
    pub fn read(&mut self, bytes: &[u8]) {
        if self.is_done {
            return;
        }
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while let Some((header, after)) = rest.split_at_checked(4) {
            // A length counts its own four digits; shorter ones are marks, and anything else is no line at all.
            let Some(length) = pkt_length(header).and_then(|length| length.checked_sub(4)) else {
                self.is_done = true;
                return;
            };
            let Some((line, next)) = after.split_at_checked(length) else { break };
            self.line(line);
            rest = next;
        }
        self.pending = rest.to_vec();
    }

    /// Bytes that are kept until their line is whole; never more than the longest line.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The watched branches that this push wants to move, make or delete.
    pub fn moved(&self) -> Vec<Moved> {
        self.watched.values().flatten().cloned().collect()
    }

    /// `{old} {new} {reference}`, on the first line followed by NUL and what the client can do.
    fn line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (command, capabilities) = text.split_once('\0').unwrap_or((&text, ""));
        let mut words = command.trim_end_matches('\n').splitn(3, ' ');
        let (Some(old), Some(new), Some(reference)) = (words.next(), words.next(), words.next()) else { return };
        let (Ok(old), Ok(new)) = (CommitSha::parse(old), CommitSha::parse(new)) else { return };
        if std::mem::take(&mut self.is_first) {
            self.has_side_band = capabilities.trim_end().split(' ').any(|word| word == "side-band-64k");
        }
        let is_none = |commit: &CommitSha| commit.as_str().bytes().all(|digit| digit == b'0');
        if old == new {
            return;
        }
        let branch = reference.strip_prefix("refs/heads/");
        if let Some((branch, moved)) = branch.and_then(|name| Some((name, self.watched.get_mut(name)?))) {
            let from = Some(old).filter(|old| !is_none(old));
            let to = Some(new).filter(|new| !is_none(new));
            *moved = Some(Moved { branch: branch.to_owned(), from, to });
        } else if !is_none(&new) && self.others.len() < MOST_OTHERS {
            let short = branch.or_else(|| reference.strip_prefix("refs/tags/")).unwrap_or(reference);
            self.others.push(short.to_owned());
        }
    }
}

fn pkt_length(header: &[u8]) -> Option<usize> {
    // `from_str_radix` would take a sign.
    let digits = std::str::from_utf8(header).ok().filter(|text| text.bytes().all(|c| c.is_ascii_hexdigit()))?;
    usize::from_str_radix(digits, 16).ok()
}

/// A line for the pusher's terminal, where git shows it after `remote: `. Control characters are left out: what a
/// build printed does not steer somebody's terminal.
pub fn progress(line: &str) -> Bytes {
    let plain: String = line.chars().filter(|c| !c.is_control()).take(MOST_CHARACTERS).collect();
    packet(format!("{plain}\n").as_bytes())
}

/// Says nothing, so that the connection is not taken for dead.
pub fn keep_alive() -> Bytes {
    packet(b"")
}

/// A packet of the second band, for people.
fn packet(text: &[u8]) -> Bytes {
    let mut packet = format!("{:04x}\u{2}", text.len() + 5).into_bytes();
    packet.extend_from_slice(text);
    packet.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1111111111111111111111111111111111111111";
    const NEW: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn pkt(line: &str) -> String {
        format!("{:04x}{line}", line.len() + 4)
    }

    fn read(request: &[u8]) -> Commands {
        let mut commands = Commands::watching(&["main".into(), "staging".into()]);
        commands.read(request);
        commands
    }

    fn request() -> String {
        [
            pkt(&format!("shallow {OLD}")),
            pkt(&format!("{OLD} {NEW} refs/heads/main\0 report-status side-band-64k agent=git/2")),
            pkt(&format!("{NONE} {NEW} refs/tags/v1\n")),
            pkt(&format!("{OLD} {NONE} refs/heads/staging")),
        ]
        .concat()
            + "0000PACK and whatever 0067"
    }

    #[test]
    fn the_watched_branches_that_move_are_found() {
        let commands = read(request().as_bytes());
        assert!(commands.has_side_band);
        let commit = |id| CommitSha::parse(id).unwrap();
        let moved = |branch: &str, to| Moved { branch: branch.into(), from: Some(commit(OLD)), to };
        assert_eq!(commands.moved(), [moved("main", Some(commit(NEW))), moved("staging", None)]);
        assert_eq!(commands.others, ["v1"]);
    }

    #[test]
    fn it_does_not_matter_where_the_stream_is_cut() {
        let (request, whole) = (request(), read(request().as_bytes()));
        for size in [1, 3, 7, 64] {
            let mut commands = Commands::watching(&["main".into(), "staging".into()]);
            request.as_bytes().chunks(size).for_each(|piece| commands.read(piece));
            assert_eq!((commands.moved(), commands.has_side_band), (whole.moved(), true), "{size}");
            assert!(commands.pending.is_empty());
        }
    }

    #[test]
    fn a_client_without_the_side_band_is_known() {
        for capabilities in ["", "\0report-status", "\0xside-band-64k side-band-64kx side-band"] {
            let line = format!("{OLD} {NEW} refs/heads/main{capabilities}");
            assert!(!read(pkt(&line).as_bytes()).has_side_band, "{capabilities}");
        }
    }

    #[test]
    fn garbage_holds_no_commands() {
        let nonsense = pkt("not a command at all");
        for garbage in ["", "0000", "00", "0001", "0003", "zzzz", "+00f", "ffff", "\u{0}\u{0}\u{0}\u{0}", &nonsense] {
            let commands = read(garbage.as_bytes());
            assert!(commands.moved().is_empty() && commands.others.is_empty(), "{garbage:?}");
        }
        let mut endless = Commands::watching(&[]);
        for _ in 0..1_000 {
            endless.read(&[b'f'; 10_000]);
        }
        assert!(endless.pending.len() <= 0xffff + 4, "a line is waited for up to its longest");
    }

    #[test]
    fn a_line_is_a_packet_of_the_second_band_without_control_characters() {
        assert_eq!(progress("a\u{1b}[31mb\r"), &b"000c\x02a[31mb\n"[..]);
        assert_eq!(keep_alive(), &b"0005\x02"[..]);
        assert!(progress(&"é".repeat(100_000)).len() < 65_520);
    }
}
