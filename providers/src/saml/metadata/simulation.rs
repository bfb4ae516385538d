//! Five years of up to a thousand identity providers, over the code that decides in the gateway: when to read, what a document
//! changes, what is done about it, and which keys are trusted meanwhile. The clock is an argument.
//!
//! Each guard can be taken away: then the same five years lock people out, or flood the identity providers.

use fedgate_certs::Timestamp;
use jiff::SignedDuration;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::IdpMetadata;
use super::beside::KeysBeside;
use super::change::{Decision, classify, decide};
use super::schedule::{FLOOR, Facts, next_refresh};
use super::testing::Described;
use crate::saml::test_signer::ec_key;

/// A thousand in an optimized build (`cargo test --release -p fedgate-providers --lib five_years`), which takes seconds;
/// without optimization every order at every phase, 21 times each.
const CONNECTIONS: u64 = if cfg!(debug_assertions) { 105 } else { 1_000 };
const DAYS: i64 = 5 * 365;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Logins are tried so often, in seconds.
const STEP: i64 = 6 * HOUR;
/// What the documents are made of.
const KEYS: usize = 12;
/// Readings of one connection a day: at the floor, with some jitter.
const FETCHES_A_DAY_MOST: u64 = 24 * 6 + 24;

/// What keeps people from being locked out, and identity providers from being flooded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Rescue,
    Overlap,
    Hold,
    Grace,
    Floor,
}

/// All guards but one.
#[derive(Clone, Copy, Debug)]
struct Guards(Option<Guard>);

const ALL: Guards = Guards(None);

impl Guards {
    fn has(self, guard: Guard) -> bool {
        self.0 != Some(guard)
    }
}

/// How an identity provider rolls its key, once a year.
#[derive(Clone, Copy, Debug)]
enum Order {
    Overlap,
    CutOver,
    Early,
    Revert,
    Twice,
}

#[derive(Debug, Default)]
struct Counts {
    logins: u64,
    failed: u64,
    fetches: u64,
    rescues: u64,
    fetches_a_day_most: u64,
}

/// An identity provider at a moment: its document (none while nobody answers), and the key that it signs with.
struct Moment<'w> {
    document: Option<&'w IdpMetadata>,
    signer: [u8; 32],
}

struct World {
    documents: Vec<IdpMetadata>,
    pairs: Vec<IdpMetadata>,
    swapped: IdpMetadata,
}

impl World {
    fn new() -> Self {
        let keys: Vec<_> = (0..KEYS).map(|_| ec_key()).collect();
        let mut swapped = Described::with(&[ec_key()]);
        swapped.entity_id = "https://other.example".to_owned();
        Self {
            documents: keys
                .iter()
                .map(|key| Described::with(std::slice::from_ref(key)).read())
                .collect(),
            pairs: (0..KEYS)
                .map(|n| Described::with(&[keys[n].clone(), keys[(n + 1) % KEYS].clone()]).read())
                .collect(),
            swapped: swapped.read(),
        }
    }

    /// What identity provider `number` does in second `now` of the five years.
    fn at(&self, number: u64, now: i64) -> Moment<'_> {
        let shifted = now + i64::try_from(number).unwrap() * 7 * HOUR;
        let (year, day) = (shifted / (365 * DAY), shifted % (365 * DAY) / DAY);
        let old = usize::try_from(year).unwrap() % (KEYS - 2);
        let order = [
            Order::Overlap,
            Order::CutOver,
            Order::Early,
            Order::Revert,
            Order::Twice,
        ][usize::try_from(number % 5).unwrap()];
        let new = (&self.documents[old + 1], old + 1);
        let (named, signs) = match (order, day) {
            (Order::Overlap, 200..207) => (&self.pairs[old], old),
            (Order::Overlap, 207..214) => (&self.pairs[old], old + 1),
            (Order::Early, 200) => (&self.documents[old + 1], old),
            (Order::Twice, 200) => (&self.documents[old + 2], old + 2),
            (Order::Revert, 203..214) | (_, ..200) => (&self.documents[old], old),
            _ => new,
        };
        // Some lose their host for three days in spring; some serve somebody else's document for one in autumn.
        let is_down = number.is_multiple_of(3) && (100..103).contains(&day);
        let is_swapped = number.is_multiple_of(7) && day == 300;
        let document = if is_swapped { &self.swapped } else { named };
        Moment {
            document: (!is_down).then_some(document),
            signer: self.documents[signs].trust.keys()[0].id,
        }
    }
}

/// With the cacheDuration and validUntil of that identity provider; some ask to be read every second.
fn lasting(mut document: IdpMetadata, number: u64, now: i64) -> IdpMetadata {
    document.cache_duration = match number % 40 {
        1 => Some(SignedDuration::from_secs(1)),
        2 => Some(SignedDuration::from_hours(1)),
        3..20 => Some(SignedDuration::from_hours(24 * 365)),
        _ => None,
    };
    document.valid_until = (number.is_multiple_of(2)).then(|| at(now + 2 * DAY));
    document
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// What the gateway has of one connection.
struct Held {
    number: u64,
    live: IdpMetadata,
    beside: KeysBeside,
    failures: u32,
    next: i64,
}

impl Held {
    fn read(&mut self, moment: &Moment<'_>, guards: Guards, now: i64, rng: &mut StdRng) {
        match moment.document {
            None => self.failures = self.failures.saturating_add(1),
            Some(document) => {
                self.failures = 0;
                let document = lasting(document.clone(), self.number, now);
                self.take(&document, guards, now);
            }
        }
        let facts = Facts {
            cache_duration: self.live.cache_duration,
            valid_until: self.live.valid_until,
            failures: self.failures,
        };
        let next = next_refresh(&facts, at(now), rng).as_second() - at(0).as_second();
        let asked = facts.cache_duration.map_or(next, |asked| {
            now + asked.as_secs().max(60) + i64::from(rng.next_u32() % 5)
        });
        self.next = if guards.has(Guard::Floor) {
            next
        } else {
            asked
        };
    }

    fn take(&mut self, document: &IdpMetadata, guards: Guards, now: i64) {
        let hours = if guards.has(Guard::Overlap) { 24 } else { 0 };
        let overlap = SignedDuration::from_hours(hours);
        let changes = classify(&self.live, Ok(document));
        let decision = decide(&changes, &self.live, Some(document));
        if let (Decision::Hold { trusted }, true) = (decision, guards.has(Guard::Hold)) {
            self.beside.trusted = self.beside.while_held(trusted, at(now));
            return;
        }
        self.beside.trusted = self.beside.after(&self.live, document, at(now), overlap);
        self.live = document.clone();
    }

    fn accepts(&self, moment: &Moment<'_>, guards: Guards, now: i64) -> bool {
        let grace = SignedDuration::from_hours(if guards.has(Guard::Grace) { 7 * 24 } else { 0 });
        self.live.entity_id == "https://idp.example"
            && self.live.valid_within(grace, at(now)).is_ok()
            && self
                .beside
                .at(&self.live.trust, at(now))
                .holds(&moment.signer)
    }
}

fn five_years(world: &World, guards: Guards, connections: u64) -> Counts {
    let mut counts = Counts::default();
    for number in 0..connections {
        let mut rng = StdRng::seed_from_u64(number);
        let first = &world.documents[0];
        let mut held = Held {
            number,
            live: lasting(first.clone(), number, 0),
            beside: KeysBeside::default(),
            failures: 0,
            next: 0,
        };
        let (mut fetches, mut day) = (0, 0);
        for now in (0..DAYS * DAY).step_by(usize::try_from(STEP).unwrap()) {
            while held.next <= now {
                let when = held.next;
                let moment = world.at(number, when);
                held.read(&moment, guards, when, &mut rng);
                counts.fetches += 1;
                if when / DAY != day {
                    (fetches, day) = (0, when / DAY);
                }
                fetches += 1;
                counts.fetches_a_day_most = counts.fetches_a_day_most.max(fetches);
            }
            let moment = world.at(number, now);
            counts.logins += 1;
            if held.accepts(&moment, guards, now) {
                continue;
            }
            if guards.has(Guard::Rescue) {
                counts.rescues += 1;
                held.read(&moment, guards, now, &mut rng);
            }
            counts.failed += u64::from(!held.accepts(&moment, guards, now));
        }
    }
    counts
}

#[test]
fn five_years_lock_nobody_out_and_flood_nobody() {
    let counts = five_years(&World::new(), ALL, CONNECTIONS);
    println!("{CONNECTIONS} connections, five years: {counts:?}");
    assert_eq!(counts.failed, 0, "{counts:?}");
    assert!(
        counts.fetches_a_day_most <= FETCHES_A_DAY_MOST,
        "{counts:?}"
    );
    assert_eq!(FLOOR.as_mins(), 10);
}

#[test]
fn without_any_one_guard_people_are_locked_out_or_identity_providers_flooded() {
    let world = World::new();
    for guard in [Guard::Rescue, Guard::Overlap, Guard::Hold, Guard::Grace] {
        let counts = five_years(&world, Guards(Some(guard)), 105);
        println!(
            "without {guard:?}: {} of {} logins fail",
            counts.failed, counts.logins
        );
        assert!(counts.failed > 0, "without {guard:?}: {counts:?}");
    }
    let counts = five_years(&world, Guards(Some(Guard::Floor)), 2);
    println!("without Floor: {} fetches a day", counts.fetches_a_day_most);
    assert!(counts.fetches_a_day_most > FETCHES_A_DAY_MOST, "{counts:?}");
}
