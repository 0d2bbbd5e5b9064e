//! How often somebody may ask: by address, by account, by site. All of it in memory, of bounded size, and of this process.
//!
//! Each key has a bucket that fills again at a steady pace (the generic cell rate algorithm: one moment a key is all that
//! is kept). Whoever is refused is told how long to wait; being refused costs nothing further.
//!
//! **Signing in** is guarded three times over, in this order: an address tries so often, whatever the account; an address
//! tries one account so often; an account is tried so often, whatever the address. The last one is for attacks from many
//! addresses, and whoever signed in to the account from where they are before is not held up by it, so nobody can lock an
//! owner out.

use model::{Problem, SiteId, UserId};
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The address that a request came from, as far as it can be trusted; noted in every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// So many keys of each kind are kept; beyond that, those that are nearest to being full again are forgotten.
const CAPACITY: usize = 50_000;
/// For so long it is remembered from where an account was signed in to.
const KNOWN_FOR: Duration = Duration::from_hours(24 * 30);

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// Anything at all.
    Any,
    /// Signing in.
    SignIn,
    /// Making an account.
    Register,
    /// A further step: a code, a passkey, the way to a provider and back, a mailed link.
    Step,
    /// A mail to an address that anybody may name: a new password, a confirmation, an invitation. How many links an
    /// account's address is sent is counted with them in the database, and answered alike (`accounts::links`).
    Mail,
    /// New tokens for a refresh token.
    Refresh,
    /// Making an API token.
    MakeToken,
    /// Sending a webhook.
    Webhook,
    /// Signing in to a repository.
    Git,
    /// Connecting a socket.
    Socket,
}

impl Way {
    /// How many at once, and the time until there is one more.
    fn quota(self) -> (u32, Duration) {
        match self {
            Self::Any => (2_000, Duration::from_millis(10)),
            Self::SignIn => (60, Duration::from_secs(5)),
            Self::Register => (30, Duration::from_secs(20)),
            Self::Step => (120, Duration::from_secs(2)),
            Self::Mail => (10, Duration::from_mins(1)),
            Self::Refresh | Self::MakeToken => (60, Duration::from_secs(1)),
            Self::Webhook => (1_000, Duration::from_millis(50)),
            Self::Git => (300, Duration::from_millis(200)),
            Self::Socket => (120, Duration::from_millis(500)),
        }
    }
}

/// How often one account may be tried from one address.
const PAIR: (u32, Duration) = (10, Duration::from_secs(12));
/// How often one account may be tried from all addresses together.
const ACCOUNT: (u32, Duration) = (100, Duration::from_secs(3));
/// How many API tokens an account makes.
const TOKENS: (u32, Duration) = (60, Duration::from_secs(30));
/// How many webhooks one site is sent.
const SITE: (u32, Duration) = (300, Duration::from_millis(200));

const WAYS: [Way; 10] = [
    Way::Any,
    Way::SignIn,
    Way::Register,
    Way::Step,
    Way::Mail,
    Way::Refresh,
    Way::MakeToken,
    Way::Webhook,
    Way::Git,
    Way::Socket,
];

/// Keeps count of who asked for what.
#[derive(Debug)]
pub struct Throttle {
    /// Makes keys that nobody outside can make collide, and that tell nothing.
    hasher: RandomState,
    by_address: HashMap<Way, Buckets>,
    by_pair: Buckets,
    by_account: Buckets,
    by_maker: Buckets,
    by_site: Buckets,
    /// From where accounts were signed in to, and until when that counts.
    known: Mutex<HashMap<u64, Instant>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Throttle {
    /// With limits that are so many times as high as they usually are.
    pub fn new(factor: u32) -> Self {
        let buckets =
            |(burst, every): (u32, Duration)| Buckets::new((burst.saturating_mul(factor), every / factor.max(1)));
        Self {
            hasher: RandomState::new(),
            by_address: WAYS.into_iter().map(|way| (way, buckets(way.quota()))).collect(),
            by_pair: buckets(PAIR),
            by_account: buckets(ACCOUNT),
            by_maker: buckets(TOKENS),
            by_site: buckets(SITE),
            known: Mutex::default(),
        }
    }

    /// Something is asked for from this address; an unknown one is that of this machine's own work.
    ///
    /// # Errors
    /// 429 `too_many_requests`.
    pub fn address(&self, way: Way, address: Option<IpAddr>) -> Result<(), Problem> {
        self.address_at(way, address, Instant::now())
    }

    fn address_at(&self, way: Way, address: Option<IpAddr>, now: Instant) -> Result<(), Problem> {
        let (Some(buckets), Some(address)) = (self.by_address.get(&way), address) else { return Ok(()) };
        buckets.take(self.key(&network(address)), now).map_err(too_many)
    }

    /// An account is about to be tried; before its password is looked at.
    ///
    /// # Errors
    /// 429 `too_many_requests`.
    pub fn sign_in(&self, email: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        self.sign_in_at(email, address, Instant::now())
    }

    fn sign_in_at(&self, email: &str, address: Option<IpAddr>, now: Instant) -> Result<(), Problem> {
        let email = canonical(email);
        let pair = self.key(&(email.as_str(), address.map(network)));
        self.by_pair.take(pair, now).map_err(too_many)?;
        let is_known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&pair).is_some_and(|at| *at > now);
        if is_known {
            return Ok(());
        }
        self.by_account.take(self.key(&email), now).map_err(too_many)
    }

    /// Everything was right, and the second factor too where there is one: from there the account is let in from now on, whoever else tries it from elsewhere.
    pub fn signed_in(&self, email: &str, address: Option<IpAddr>) {
        self.signed_in_at(email, address, Instant::now());
    }

    fn signed_in_at(&self, email: &str, address: Option<IpAddr>, now: Instant) {
        let pair = self.key(&(canonical(email).as_str(), address.map(network)));
        self.by_pair.forget(pair);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut known, now);
        known.insert(pair, now + KNOWN_FOR);
    }

    /// An account makes an API token.
    ///
    /// # Errors
    /// 429 `too_many_requests`.
    pub fn make_token(&self, user: UserId) -> Result<(), Problem> {
        self.by_maker.take(self.key(&user), Instant::now()).map_err(too_many)
    }

    /// A webhook comes in at a site's own address.
    ///
    /// # Errors
    /// 429 `too_many_requests`.
    pub fn webhook(&self, site: SiteId) -> Result<(), Problem> {
        self.by_site.take(self.key(&site), Instant::now()).map_err(too_many)
    }

    fn key(&self, of: &impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }
}

/// An IPv4 address by itself; of IPv6 the first half, for a subscriber has all of the rest (RFC 6177).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn canonical(email: &str) -> String {
    // Longer than any address: what is kept of it is a number in any case.
    email.trim().chars().take(320).flat_map(char::to_lowercase).collect()
}

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!("This was asked for too often; try again in {seconds} s.");
    Problem { retry_after: Some(seconds), ..Problem::new(429, "too_many_requests", detail) }
}

/// Buckets of one kind.
#[derive(Debug)]
struct Buckets {
    burst: u32,
    every: Duration,
    /// When each is full again.
    full_at: Mutex<HashMap<u64, Instant>>,
}

impl Buckets {
    fn new((burst, every): (u32, Duration)) -> Self {
        Self { burst: burst.max(1), every, full_at: Mutex::default() }
    }

    /// Takes one out; the time until there is one where there is none.
    fn take(&self, key: u64, now: Instant) -> Result<(), Duration> {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = all.get(&key).copied().filter(|at| *at > now).unwrap_or(now);
        let missing = full_at.duration_since(now);
        let most = self.every * (self.burst - 1);
        if missing > most {
            return Err(missing.saturating_sub(most));
        }
        make_room(&mut all, now);
        all.insert(key, full_at + self.every);
        Ok(())
    }

    fn forget(&self, key: u64) {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// What is over goes, and if that is not enough, the half that is over soonest.
fn make_room(all: &mut HashMap<u64, Instant>, now: Instant) {
    if all.len() < CAPACITY {
        return;
    }
    all.retain(|_, at| *at > now);
    if all.len() >= CAPACITY {
        let mut times: Vec<Instant> = all.values().copied().collect();
        let (_, middle, _) = times.select_nth_unstable(CAPACITY / 2);
        let middle = *middle;
        let later = all.values().filter(|at| **at > middle).count();
        let mut room = (CAPACITY / 2).saturating_sub(later);
        all.retain(|_, at| {
            let stays = *at > middle || (*at == middle && room > 0);
            room -= usize::from(stays && *at == middle);
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const OWNER: &str = "ada@example.org";

    fn v4(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn a_bucket_lets_through_its_burst_and_then_its_pace() {
        let (buckets, now) = (Buckets::new((3, Duration::from_secs(10))), Instant::now());
        let taken: Vec<_> = (0..4).map(|_| buckets.take(1, now)).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Ok(()), Err(Duration::from_secs(10))]);
        assert_eq!(buckets.take(2, now), Ok(()), "another key has its own");
        assert_eq!(buckets.take(1, now + Duration::from_secs(4)), Err(Duration::from_secs(6)));
        assert_eq!(buckets.take(1, now + Duration::from_secs(10)), Ok(()));
        assert_eq!(buckets.take(1, now + Duration::from_secs(11)), Err(Duration::from_secs(9)));
        let later = now + Duration::from_hours(1);
        assert_eq!((0..4).filter(|_| buckets.take(1, later).is_ok()).count(), 3);
    }

    #[test]
    fn what_is_kept_is_bounded_and_who_has_used_up_most_is_forgotten_last() {
        let (buckets, now) = (Buckets::new((2, Duration::from_hours(1))), Instant::now());
        assert!(buckets.take(0, now).is_ok() && buckets.take(0, now).is_ok());
        for key in 1..=(3 * CAPACITY as u64) {
            assert!(buckets.take(key, now).is_ok());
        }
        let kept = buckets.full_at.lock().unwrap().len();
        assert!(kept <= CAPACITY, "{kept}");
        assert!(buckets.take(0, now).is_err(), "a flood of others does not fill a bucket");
    }

    #[test]
    fn one_subscriber_is_one_key() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("203.0.113.1"), of("203.0.113.2"));
        assert_eq!(of("::ffff:203.0.113.1"), of("203.0.113.1"));
        assert_eq!(of("::1"), IpAddr::from(Ipv6Addr::UNSPECIFIED));
    }

    #[test]
    fn ten_thousand_attempts_from_one_address_are_a_few_and_the_owner_is_let_in_from_elsewhere() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let attempt = || {
            throttle
                .address_at(Way::SignIn, Some(v4(1)), now)
                .and_then(|()| throttle.sign_in_at(OWNER, Some(v4(1)), now))
        };
        let looked_at = (0..10_000).filter(|_| attempt().is_ok()).count();
        assert_eq!(looked_at, 10);
        assert_eq!(throttle.sign_in_at(OWNER, Some(v4(2)), now), Ok(()));
        assert_eq!(throttle.sign_in_at("bob@example.org", Some(v4(1)), now), Ok(()));
    }

    #[test]
    fn ten_thousand_attempts_from_as_many_addresses_are_bounded_and_lock_no_owner_out() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        throttle.signed_in_at(" Ada@Example.org", Some(v4(0)), now);
        let looked_at = (1..=10_000).filter(|n| throttle.sign_in_at(OWNER, Some(v4(*n)), now).is_ok()).count();
        assert_eq!(looked_at, 100);
        assert_eq!(throttle.sign_in_at(OWNER, Some(v4(0)), now), Ok(()), "where the owner signed in before");
        let refused = throttle.sign_in_at(OWNER, Some(v4(20_000)), now).unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (429, Some(3)));
        assert_eq!(throttle.sign_in_at(OWNER, Some(v4(20_000)), now + Duration::from_secs(3)), Ok(()));
        assert_eq!(throttle.sign_in_at("bob@example.org", Some(v4(1)), now), Ok(()));
    }

    #[test]
    fn an_unknown_address_is_this_machines_own_work() {
        let throttle = Throttle::default();
        assert!((0..10_000).all(|_| throttle.address(Way::Register, None).is_ok()));
    }
}
