//! When an identity provider's metadata is read again. The clock is an argument.

use fedgate_certs::Timestamp;
use jiff::SignedDuration;
use rand::CryptoRng;

/// Between two readings, whatever the document asks for.
pub const FLOOR: SignedDuration = SignedDuration::from_mins(10);
/// The longest time between two readings: a key that was removed is known a day later at most.
pub const CEILING: SignedDuration = SignedDuration::from_hours(24);
/// Between two readings of a document that says nothing about it.
pub const USUAL: SignedDuration = SignedDuration::from_hours(6);
/// After a first failure; it doubles with each further one.
pub const RETRY_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// The longest time between two attempts that fail.
pub const RETRY_MOST: SignedDuration = SignedDuration::from_hours(1);
/// The part of every wait that is left to chance, so that connections which began together do not stay together.
const JITTER_PARTS: u32 = 10;

/// What the wait depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// cacheDuration of the live document.
    pub cache_duration: Option<SignedDuration>,
    /// validUntil of the live document.
    pub valid_until: Option<Timestamp>,
    /// Attempts that failed in a row.
    pub failures: u32,
}

/// When to read it next: after cacheDuration, and at half of what is left until validUntil; earlier by chance, never
/// later. After failures the waits begin short and double.
pub fn next_refresh(facts: &Facts, now: Timestamp, rng: &mut dyn CryptoRng) -> Timestamp {
    let wanted = facts.cache_duration.unwrap_or(USUAL).clamp(FLOOR, CEILING);
    let left = facts.valid_until.map(|end| end.duration_since(now) / 2);
    let wanted = left.map_or(wanted, |left| wanted.min(left).max(FLOOR));
    let wait = match facts.failures {
        0 => wanted,
        failures => retry(failures).min(wanted),
    };
    let chance = wait / i32::try_from(JITTER_PARTS).unwrap_or(i32::MAX);
    let share = i64::from(rng.next_u32() % 1_000);
    let earlier = SignedDuration::from_millis(
        i64::try_from(chance.as_millis()).unwrap_or(i64::MAX) / 1_000 * share,
    );
    now.saturating_add(wait - earlier).unwrap_or(Timestamp::MAX)
}

fn retry(failures: u32) -> SignedDuration {
    let doubled = 1_i32
        .checked_shl((failures - 1).min(16))
        .unwrap_or(i32::MAX);
    (RETRY_FIRST * doubled).min(RETRY_MOST)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_767_000_000).unwrap()
    }

    fn wait(facts: &Facts, seed: u64) -> SignedDuration {
        let next = next_refresh(facts, now(), &mut StdRng::seed_from_u64(seed));
        next.duration_since(now())
    }

    fn is_about(facts: &Facts, most: SignedDuration) {
        let waits: Vec<_> = (0..200).map(|seed| wait(facts, seed)).collect();
        let least = most - most / 10;
        assert!(waits.iter().all(|wait| *wait <= most && *wait >= least));
        assert!(waits.iter().any(|wait| *wait != waits[0]), "no jitter");
    }

    #[test]
    fn cache_duration_is_kept_within_floor_and_ceiling() {
        let cached = |duration| Facts {
            cache_duration: Some(duration),
            ..Facts::default()
        };
        is_about(&Facts::default(), USUAL);
        is_about(
            &cached(SignedDuration::from_hours(2)),
            SignedDuration::from_hours(2),
        );
        is_about(&cached(SignedDuration::from_secs(0)), FLOOR);
        is_about(&cached(SignedDuration::MIN), FLOOR);
        is_about(&cached(SignedDuration::from_hours(9_000)), CEILING);
    }

    #[test]
    fn it_is_read_again_well_before_it_expires_and_at_the_floor_after_that() {
        let until = |hours| Facts {
            valid_until: now().checked_add(SignedDuration::from_hours(hours)).ok(),
            ..Facts::default()
        };
        is_about(&until(4), SignedDuration::from_hours(2));
        is_about(&until(100), USUAL);
        is_about(&until(0), FLOOR);
        is_about(&until(-500), FLOOR);
    }

    #[test]
    fn failures_are_tried_again_soon_and_then_less_and_less() {
        let failed = |failures| Facts {
            failures,
            ..Facts::default()
        };
        is_about(&failed(1), RETRY_FIRST);
        is_about(&failed(4), RETRY_FIRST * 8);
        is_about(&failed(9), RETRY_MOST);
        is_about(&failed(u32::MAX), RETRY_MOST);
    }
}
