//! When our own keys come and go: a pure decision over facts, which the server and the simulated years carry out alike.
//!
//! A lane is the keys of one purpose (for tokens, of one algorithm too), of which one is used at a time. A key is
//! announced, so that everybody knows it before it is used; is active; retires, known for what it did; and is retired.

use jiff::SignedDuration;

use crate::Timestamp;
use crate::keyring::Stage;

/// How long the keys of a lane stay in each stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A key is announced so long before it is used.
    pub announced: SignedDuration,
    /// A key is used so long before another takes over.
    pub active: SignedDuration,
    /// Another takes over so long before a certificate ends.
    pub before_end: SignedDuration,
    /// A key is kept so long after the last moment at which anybody began to need it: since it is used no more, or since
    /// somebody last showed that it is still relied on.
    pub retiring: SignedDuration,
    /// A key that is of no use any more is kept so long, for an operator who looks for it.
    pub retired: SignedDuration,
    /// No other takes over while so many retire: whoever reads with them tries no more.
    pub most_retiring: usize,
}

/// What is known of one key of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Its id.
    pub id: String,
    /// Where it is in its life.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// When somebody last showed that they rely on it.
    pub needed_at: Option<Timestamp>,
    /// When its certificate ends, if it has one.
    pub ends_at: Option<Timestamp>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a key, which begins in this stage: `Announced`, or `Active` where there is none to use.
    Make(Stage),
    /// Move a key on.
    Move {
        /// Its id.
        id: String,
        /// The stage that it enters.
        to: Stage,
    },
    /// Remove a key for good.
    Forget {
        /// Its id.
        id: String,
    },
}

/// What is to be done now with the keys of one lane. Carried out at once, it leaves exactly one active key, and nothing
/// more to do at that moment.
pub fn plan(keys: &[KeyState], policy: &Policy, now: Timestamp) -> Vec<Step> {
    let mut steps = succession(keys, policy, now);
    steps.extend(keys.iter().filter_map(|key| ending(key, policy, now)));
    steps
}

/// When another key should take over from one that is active.
pub fn due(key: &KeyState, policy: &Policy) -> Timestamp {
    let by_age = after(key.since, policy.active);
    match key.ends_at {
        Some(end) => by_age.min(before(end, policy.before_end)),
        None => by_age,
    }
}

/// Who is used from now on, and whether somebody is to be made.
fn succession(keys: &[KeyState], policy: &Policy, now: Timestamp) -> Vec<Step> {
    let active = || keys.iter().filter(|key| key.stage == Stage::Active);
    let signer = active()
        .filter(|key| is_usable(key, now))
        .max_by_key(|key| (key.since, &key.id));
    // The first one that was announced is known best.
    let candidate = keys
        .iter()
        .filter(|key| key.stage == Stage::Announced && is_usable(key, now))
        .min_by_key(|key| (key.since, &key.id));
    let retiring = keys.iter().filter(|key| key.stage == Stage::Retiring);
    let is_crowded = retiring.count() >= policy.most_retiring;
    let mut steps = Vec::new();
    let used = match (signer, candidate) {
        (Some(_), Some(next)) if after(next.since, policy.announced) <= now && !is_crowded => {
            steps.push(moved(next, Stage::Active));
            None
        }
        (Some(signer), Some(_)) => Some(signer),
        (Some(signer), None) => {
            if before(due(signer, policy), policy.announced) <= now {
                steps.push(Step::Make(Stage::Announced));
            }
            Some(signer)
        }
        // Nobody could sign: a key that few know yet is better than none.
        (None, Some(next)) => {
            steps.push(moved(next, Stage::Active));
            None
        }
        (None, None) => {
            steps.push(Step::Make(Stage::Active));
            None
        }
    };
    let others = active().filter(|key| used.is_none_or(|used| used.id != key.id));
    steps.extend(others.map(|key| moved(key, Stage::Retiring)));
    steps
}

/// What becomes of a key that is not used.
fn ending(key: &KeyState, policy: &Policy, now: Timestamp) -> Option<Step> {
    let needed = key.needed_at.map_or(key.since, |at| at.max(key.since));
    match key.stage {
        Stage::Announced if !is_usable(key, now) => Some(moved(key, Stage::Retired)),
        Stage::Retiring if after(needed, policy.retiring) <= now => {
            Some(moved(key, Stage::Retired))
        }
        Stage::Retired if after(key.since, policy.retired) <= now => {
            Some(Step::Forget { id: key.id.clone() })
        }
        _ => None,
    }
}

fn is_usable(key: &KeyState, now: Timestamp) -> bool {
    key.ends_at.is_none_or(|end| now < end)
}

fn moved(key: &KeyState, to: Stage) -> Step {
    let id = key.id.clone();
    Step::Move { id, to }
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn before(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod years;
