//! Passwords: what is accepted, and argon2id off the async threads.

use crate::Result;
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use model::names::NameError;
use rand::seq::IndexedRandom;
use std::{
    collections::HashSet,
    num::NonZero,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread,
};
use tokio::{sync::Semaphore, task};
use zxcvbn::matching::patterns::MatchPattern;

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 12;
/// Most characters of a password.
pub const MAX_CHARS: usize = 256;

/// Guesses, as a power of ten, that a password has to withstand: more than anybody tries through a sign-in page, and so
/// many that finding one behind a stolen hash takes years of a processor.
const GUESSES: f64 = 9.0;

/// What is well known and yet looks strong.
const FAMOUS: [&str; 2] = ["correct horse battery staple", "correcthorsebatterystaple"];

/// What everybody knows of this platform.
const OWN_NAME: &str = "webmeteor";

/// A hash that no password has, of the parameters of today: what an unknown address is compared with, so that it takes
/// as long as a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgb3duIHNhbA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Each hash takes 19 MiB and one core for some 20 ms: more at once than cores would only add memory.
static PLACES: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, NonZero::get))));

/// What hashes are computed in, for one after the other: given back to the system and taken again each time, it would leave
/// holes that the process keeps, hundreds of megabytes after a hundred attempts.
type Memory = Vec<Block>;

/// What nobody computes in just now; never more than there are places.
static MEMORY: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

/// How a password compares with what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one.
    Right,
    /// It is the one, but its hash was made with other parameters than today's.
    RightButOutdated,
    /// It is not, or there is no account.
    Wrong,
}

/// Whether a new password is accepted; `personal` is what others know of the account (address, name).
///
/// Length instead of composition rules, and lists of what attackers try first (NIST SP 800-63B, section 3.1.1.2): leaked
/// passwords, words and names with what people do to them, rows of keys, dates, all of them inside the program.
///
/// # Errors
/// `length`, `common`, `repetitive`, `personal`, `keyboard`, `date` or `weak`, each with a sentence that says what to do.
pub fn check(password: &str, personal: &[&str]) -> Result<(), NameError> {
    let refuse = |code, message: &str| Err(NameError { code, message: message.to_owned() });
    let chars: Vec<char> = password.to_lowercase().chars().collect();
    let length = password.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&length) {
        return Err(NameError {
            code: "length",
            message: format!("A password has {MIN_CHARS} to {MAX_CHARS} characters; this has {length}."),
        });
    }
    let lower: String = chars.iter().collect();
    if FAMOUS.contains(&lower.as_str()) {
        return refuse("common", COMMON);
    }
    if is_repetitive(&chars) {
        return refuse("repetitive", REPETITIVE);
    }
    let personal: Vec<String> = personal.iter().flat_map(|text| words(text)).collect();
    if personal.iter().any(|word| lower.contains(word)) {
        return refuse("personal", "Leave your name and your address out of the password.");
    }
    let known: Vec<&str> = personal.iter().map(String::as_str).chain([OWN_NAME]).collect();
    let guessed = zxcvbn::zxcvbn(password, &known);
    if guessed.guesses_log10() >= GUESSES {
        return Ok(());
    }
    // What most of it is made of says what is wrong with it.
    let main = guessed.sequence().iter().max_by_key(|part| part.token.chars().count());
    match main.map(|part| &part.pattern) {
        Some(MatchPattern::Dictionary(_)) => refuse("common", COMMON),
        Some(MatchPattern::Spatial(_)) => {
            refuse("keyboard", "Keys that lie side by side are tried early; a few unrelated words are better.")
        }
        Some(MatchPattern::Repeat(_) | MatchPattern::Sequence(_)) => refuse("repetitive", REPETITIVE),
        Some(MatchPattern::Date(_) | MatchPattern::Regex(_)) => {
            refuse("date", "Dates are tried early; a few unrelated words are better.")
        }
        Some(MatchPattern::BruteForce) | None => {
            refuse("weak", "This password is quickly guessed; add an unrelated word or two.")
        }
    }
}

const COMMON: &str =
    "This password, or one much like it, is among the first that are tried; a few unrelated words are better.";
const REPETITIVE: &str = "This password repeats or counts; a few unrelated words are better.";

/// Few different characters, a short piece over and over, or characters that count up or down.
fn is_repetitive(chars: &[char]) -> bool {
    let different = chars.iter().collect::<HashSet<_>>().len();
    let repeats = (1..=chars.len() / 2).any(|piece| chars.iter().zip(&chars[piece..]).all(|(a, b)| a == b));
    let counts = |step: i64| {
        let steps =
            chars.windows(2).filter(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])) == step);
        steps.count() * 4 >= (chars.len() - 1) * 3
    };
    different < 5 || repeats || counts(1) || counts(-1)
}

/// The whole of it and its parts that are long enough to be telling.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= 4)
        .map(str::to_owned)
        .collect();
    // `com` and its like are too short already; what stands after the @ is often a provider, yet as well known.
    if text.chars().count() >= 4 {
        words.push(text);
    }
    words
}

/// The PHC string of a password: argon2id, 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
///
/// # Errors
/// Only if the system has no randomness or no threads left.
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    off_thread(move |memory| {
        let (salt, params) = (Salt::generate(), Params::DEFAULT);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(not_hashed)?,
            salt: Some(salt),
            hash: Some(output(&argon2, password.as_bytes(), &salt, memory).map_err(not_hashed)?),
        };
        Ok(hash.to_string())
    })
    .await?
}

/// Compares a password with a stored hash; without one it does the same work and answers [`Verdict::Wrong`].
///
/// # Errors
/// If the stored hash is not a PHC string.
pub async fn verify(password: &str, stored: Option<&str>) -> Result<Verdict> {
    let known = stored.is_some();
    let (password, stored) = (password.to_owned(), stored.unwrap_or(NOBODY).to_owned());
    off_thread(move |memory| {
        let hash =
            PasswordHash::new(&stored).map_err(|e| anyhow::anyhow!("a stored password hash is unreadable: {e}"))?;
        let same = is_same(&hash, password.as_bytes(), memory).unwrap_or(false);
        #[cfg(test)]
        tests::VERIFIED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(match same && known {
            false => Verdict::Wrong,
            true if is_current(&hash) => Verdict::Right,
            true => Verdict::RightButOutdated,
        })
    })
    .await?
}

fn not_hashed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("a password could not be hashed: {error}")
}

fn output(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], memory: &mut Memory) -> argon2::Result<Output> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2.hash_password_into_with_memory(password, salt, &mut bytes, memory)?;
    Output::new(&bytes).map_err(|_| argon2::Error::OutputTooShort)
}

/// The stored hash is that of this password; outputs are compared in constant time.
fn is_same(hash: &PasswordHash, password: &[u8], memory: &mut Memory) -> argon2::Result<bool> {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| argon2::Error::AlgorithmInvalid)?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let params = Params::try_from(hash).map_err(|_| argon2::Error::AlgorithmInvalid)?;
    Ok(output(&Argon2::new(algorithm, version, params), password, &salt, memory)? == expected)
}

/// Made as [`hash`] would make it today.
fn is_current(hash: &PasswordHash) -> bool {
    let same_costs = Params::try_from(hash).is_ok_and(|params| {
        let today = Params::DEFAULT;
        (params.m_cost(), params.t_cost(), params.p_cost()) == (today.m_cost(), today.t_cost(), today.p_cost())
    });
    same_costs
        && hash.algorithm == argon2::Algorithm::Argon2id.ident()
        && hash.version == Some(argon2::Version::V0x13.into())
}

/// A password for somebody else to begin with: 20 letters and digits that are not mistaken for one another, 114 bits.
pub fn random() -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut rng = rand::rng();
    (0..20).filter_map(|_| ALPHABET.choose(&mut rng)).map(|byte| char::from(*byte)).collect()
}

/// Runs work that holds a core, on a thread that may be held. The place is given back when the work ends, not when the
/// caller stops waiting for it.
async fn off_thread<T: Send + 'static>(work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
    #[cfg(test)]
    tests::WORK.with(|count| count.set(count.get() + 1));
    let place = Arc::clone(&PLACES).acquire_owned().await.map_err(anyhow::Error::from)?;
    let done = task::spawn_blocking(move || {
        let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let result = work(&mut memory);
        MEMORY.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        drop(place);
        result
    });
    Ok(done.await.map_err(anyhow::Error::from)?)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use argon2::PasswordHasher;
    use std::{cell::Cell, sync::atomic::AtomicUsize};

    /// How many passwords were compared in this process.
    pub(crate) static VERIFIED: AtomicUsize = AtomicUsize::new(0);

    thread_local! {
        /// How many hashes were computed for this thread: a test has one of its own.
        pub(crate) static WORK: Cell<usize> = const { Cell::new(0) };
    }

    /// A hash as a platform of earlier days made it.
    pub(crate) fn outdated(password: &str) -> String {
        let costs = Params::new(8192, 1, 1, None).unwrap();
        let older = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, costs);
        let hash: PasswordHash = older.hash_password(password.as_bytes()).unwrap();
        hash.to_string()
    }

    #[test]
    fn a_password_has_12_to_256_characters() {
        assert_eq!(check("tide lamp 9", &[]).unwrap_err().code, "length");
        assert!(check("tide lamp 90", &[]).is_ok());
        assert!(check(&"tide lamp 90ä".repeat(19)[..], &[]).is_err_and(|e| e.code == "repetitive"));
        let long: String = (0..256).filter_map(|n| char::from_u32(0x4e00 + n * n % 991)).collect();
        assert!(check(&long, &[]).is_ok());
        assert_eq!(check(&format!("{long}x"), &[]).unwrap_err().code, "length");
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for (simple, code) in [
            ("Password1234", "common"),
            ("p@ssw0rd1234", "common"),
            ("administrator", "common"),
            ("correct horse battery staple", "common"),
            ("iloveyouforever", "common"),
            ("webmeteor1234", "common"),
            ("qwertyuiopasdf", "common"),
            ("asdfghjkl;'zxc", "keyboard"),
            ("24121999x13x", "date"),
            ("aaaaaaaaaaaa", "repetitive"),
            ("abababababab", "repetitive"),
            ("hunter2hunter2", "repetitive"),
            ("123456789012", "repetitive"),
            ("abcdefghijklm", "repetitive"),
            ("987654321098", "repetitive"),
        ] {
            assert_eq!(check(simple, &[]).map_err(|e| e.code), Err(code), "{simple}");
        }
        for simple in [
            "1q2w3e4r5t6y",
            "1qaz2wsx3edc",
            "changeme1234",
            "charlie12345",
            "football1234",
            "letmeinplease",
            "manchesterunited",
            "password2026!",
            "qwerty123456",
            "QWERTYUIOP123",
            "thisismypassword",
            "trustno1trustno1",
            "welcome123456",
            "whateverwhatever",
            "zaq12wsxcde3",
        ] {
            assert!(check(simple, &[]).is_err(), "{simple}");
        }
    }

    #[test]
    fn a_few_unrelated_words_are_accepted() {
        for good in ["tide lamp orbit 7", "seven brass lamps", "another long one", "Kx9#mQ2$vL7p", "wolke tasse sieben"]
        {
            assert!(check(good, &["ada@example.org", "Ada"]).is_ok(), "{good}");
        }
    }

    #[test]
    fn name_and_address_are_refused_inside_a_password() {
        let personal = ["ada.lovelace@example.org", "Ada Lovelace"];
        for bad in ["lovelace was here", "xx LOVELACE 1843", "ada.lovelace@example.org", "my example word"] {
            assert_eq!(check(bad, &personal).unwrap_err().code, "personal", "{bad}");
        }
        assert!(check("tide lamp orbit", &personal).is_ok());
        assert!(check("tide lamp adagio", &["a@b.c", "Ada"]).is_ok());
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_with_current_parameters_and_its_own_salt() {
        let (one, two) = (hash("tide lamp orbit").await.unwrap(), hash("tide lamp orbit").await.unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert_eq!(verify("tide lamp orbit", Some(&one)).await.unwrap(), Verdict::Right);
        assert_eq!(verify("tide lamp orbi", Some(&one)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_work_as_a_known_one() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash("tide lamp orbit").await.unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert!(is_current(&nobody) && is_current(&somebody));
        assert_eq!(nobody.salt.unwrap().len(), somebody.salt.unwrap().len());
        assert_eq!(nobody.hash.unwrap().len(), somebody.hash.unwrap().len());
        assert_eq!(verify("tide lamp orbit", None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_older_parameters_is_right_but_outdated() {
        let hash = outdated("tide lamp orbit");
        assert_eq!(verify("tide lamp orbit", Some(&hash)).await.unwrap(), Verdict::RightButOutdated);
        assert_eq!(verify("another one", Some(&hash)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_unreadable_is_an_error_not_a_sign_in() {
        assert!(verify("tide lamp orbit", Some("plain")).await.is_err());
    }

    #[test]
    fn a_random_password_is_accepted_and_never_the_same() {
        let (one, two) = (random(), random());
        assert!(check(&one, &[]).is_ok(), "{one}");
        assert_eq!(one.len(), 20);
        assert_ne!(one, two);
    }
}
