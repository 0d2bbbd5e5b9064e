//! Recovery codes: ten of them, each good once, for who has lost the phone.

use model::UserId;
use rand::seq::IndexedRandom;
use sha2::{Digest, Sha256};

/// How many an account is given.
const COUNT: usize = 10;
/// Characters of one: 79 bits, so that nobody tries them through and a quick hash keeps them.
const LENGTH: usize = 16;
/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// New ones, as they are shown: `k7pm-2xqh-…`.
pub(super) fn make() -> Vec<String> {
    (0..COUNT).map(|_| grouped(&random())).collect()
}

fn random() -> String {
    let mut rng = rand::rng();
    (0..LENGTH).filter_map(|_| ALPHABET.choose(&mut rng)).map(|byte| char::from(*byte)).collect()
}

/// In groups of four, which people read and type with fewer mistakes.
pub(super) fn grouped(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// The code, however it was typed; `None` if it cannot be one.
pub(super) fn parse(typed: &str) -> Option<String> {
    let plain: String =
        typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (plain.len() == LENGTH && plain.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(plain)
}

/// What is stored of a code of this account, given as [`parse`] answers it.
pub(super) fn hash(user: UserId, code: &str) -> Vec<u8> {
    Sha256::new().chain_update(user.0.as_bytes()).chain_update(code).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let codes = make();
        assert_eq!(codes.len(), COUNT);
        for code in codes {
            assert_eq!(code.len(), 19, "{code}");
            let plain = code.replace('-', "");
            assert_eq!(parse(&code).as_ref(), Some(&plain));
            assert_eq!(parse(&format!(" {} ", code.to_uppercase().replace('-', " "))), Some(plain));
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for bad in ["", "123456", "k7pm-2xqh-abcd-efg", "k7pm-2xqh-abcd-efgl", "k7pm-2xqh-abcd-efg\u{e9}"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
