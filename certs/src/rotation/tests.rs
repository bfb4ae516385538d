use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Used for 90 days, announced for one, retires within two hours, looked for during 30 days.
fn policy() -> Policy {
    Policy {
        announced: seconds(DAY),
        active: seconds(90 * DAY),
        before_end: seconds(10 * DAY),
        retiring: seconds(2 * HOUR),
        retired: seconds(30 * DAY),
        most_retiring: 8,
    }
}

fn key(id: &str, stage: Stage, since: i64) -> KeyState {
    KeyState {
        id: id.to_owned(),
        stage,
        since: at(since),
        needed_at: None,
        ends_at: None,
    }
}

fn moved(id: &str, to: Stage) -> Step {
    let id = id.to_owned();
    Step::Move { id, to }
}

/// Carries steps out, as the store does.
pub(super) fn carry_out(
    keys: &mut Vec<KeyState>,
    steps: &[Step],
    now: Timestamp,
    life: Option<i64>,
) {
    for step in steps {
        match step {
            Step::Make(stage) => keys.push(KeyState {
                id: format!("{}-{}", now.as_second(), keys.len()),
                stage: *stage,
                since: now,
                needed_at: None,
                ends_at: life.map(|life| after(now, seconds(life))),
            }),
            Step::Move { id, to } => {
                for key in keys.iter_mut().filter(|key| key.id == *id) {
                    (key.stage, key.since) = (*to, now);
                }
            }
            Step::Forget { id } => keys.retain(|key| key.id != *id),
        }
    }
}

#[test]
fn a_life_goes_from_stage_to_stage_at_its_times() {
    let policy = policy();
    let mut keys = Vec::new();
    let mut told = Vec::new();
    for hour in 0..(100 * 24) {
        let steps = plan(&keys, &policy, at(hour * HOUR));
        carry_out(&mut keys, &steps, at(hour * HOUR), None);
        told.extend(steps.into_iter().map(|step| (hour, step)));
    }
    let (first, second) = ("0-0", "7689600-1");
    assert_eq!(
        told,
        [
            (0, Step::Make(Stage::Active)),
            (89 * 24, Step::Make(Stage::Announced)),
            (90 * 24, moved(second, Stage::Active)),
            (90 * 24, moved(first, Stage::Retiring)),
            (90 * 24 + 2, moved(first, Stage::Retired)),
        ]
    );
    assert_eq!(
        plan(&keys, &policy, at(121 * DAY)),
        [Step::Forget { id: first.into() }]
    );
}

#[test]
fn a_certificate_that_ends_is_followed_in_time_and_never_used_beyond() {
    let mut signer = key("old", Stage::Active, 0);
    signer.ends_at = Some(at(40 * DAY));
    let at_end = |now| plan(std::slice::from_ref(&signer), &policy(), at(now));
    assert_eq!(due(&signer, &policy()), at(30 * DAY));
    assert_eq!(at_end(29 * DAY - 1), []);
    assert_eq!(at_end(29 * DAY), [Step::Make(Stage::Announced)]);
    assert_eq!(
        at_end(40 * DAY),
        [Step::Make(Stage::Active), moved("old", Stage::Retiring)]
    );
    let mut next = key("next", Stage::Announced, 40 * DAY - 1);
    let keys = [signer.clone(), next.clone()];
    assert_eq!(
        plan(&keys, &policy(), at(40 * DAY)),
        [moved("next", Stage::Active), moved("old", Stage::Retiring)]
    );
    next.ends_at = Some(at(39 * DAY));
    let keys = [key("signer", Stage::Active, 0), next];
    assert_eq!(
        plan(&keys, &policy(), at(39 * DAY)),
        [moved("next", Stage::Retired)]
    );
}

#[test]
fn of_two_that_are_active_the_younger_stays() {
    let keys = [
        key("b", Stage::Active, 5),
        key("a", Stage::Active, 5),
        key("c", Stage::Active, 4),
    ];
    assert_eq!(
        plan(&keys, &policy(), at(6)),
        [moved("a", Stage::Retiring), moved("c", Stage::Retiring)]
    );
}

#[test]
fn whoever_still_relies_on_a_key_keeps_it() {
    let mut old = key("old", Stage::Retiring, 0);
    let signer = key("signer", Stage::Active, 0);
    old.needed_at = Some(at(10 * HOUR));
    let keys = [old, signer];
    assert_eq!(plan(&keys, &policy(), at(12 * HOUR - 1)), []);
    assert_eq!(
        plan(&keys, &policy(), at(12 * HOUR)),
        [moved("old", Stage::Retired)]
    );
}

#[test]
fn nobody_takes_over_while_as_many_retire_as_are_tried() {
    let keys = [
        key("old", Stage::Retiring, 5 * DAY),
        key("signer", Stage::Active, 0),
        key("next", Stage::Announced, 0),
    ];
    let crowded = Policy {
        most_retiring: 1,
        ..policy()
    };
    assert_eq!(plan(&keys, &crowded, at(5 * DAY)), []);
    assert_eq!(plan(&keys, &policy(), at(5 * DAY)).len(), 2);
}

fn any_key(number: usize) -> impl Strategy<Value = KeyState> {
    let needed = proptest::option::of(0..200 * DAY);
    let ends = proptest::option::of(0..400 * DAY);
    (0..4_usize, 0..200 * DAY, needed, ends).prop_map(move |(stage, since, needed, ends)| {
        KeyState {
            id: format!("key{number}"),
            stage: Stage::ALL[stage],
            since: at(since),
            needed_at: needed.map(at),
            ends_at: ends.map(at),
        }
    })
}

fn any_keys() -> impl Strategy<Value = Vec<KeyState>> {
    (0..7_usize).prop_flat_map(|count| (0..count).map(any_key).collect::<Vec<_>>())
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (
        0..20 * DAY,
        DAY..100 * DAY,
        0..30 * DAY,
        0..10 * DAY,
        0..40 * DAY,
        1..4_usize,
    )
        .prop_map(
            |(announced, active, before_end, retiring, retired, most_retiring)| Policy {
                announced: seconds(announced),
                active: seconds(active),
                before_end: seconds(before_end),
                retiring: seconds(retiring),
                retired: seconds(retired),
                most_retiring,
            },
        )
}

/// Whether a step may be taken, by what the key was before.
fn check(step: &Step, keys: &[KeyState], policy: &Policy, now: Timestamp) {
    let of = |id: &str| keys.iter().find(|key| key.id == id).unwrap();
    let usable = |stage| {
        keys.iter()
            .filter(move |key| key.stage == stage && is_usable(key, now))
    };
    match step {
        Step::Make(Stage::Active) => {
            assert_eq!(
                usable(Stage::Active).count() + usable(Stage::Announced).count(),
                0
            );
        }
        Step::Make(stage) => assert_eq!(
            (*stage, usable(Stage::Announced).count()),
            (Stage::Announced, 0)
        ),
        Step::Move {
            id,
            to: Stage::Active,
        } => {
            let key = of(id);
            assert_eq!(key.stage, Stage::Announced);
            assert!(is_usable(key, now));
            let was_known = after(key.since, policy.announced) <= now;
            assert!(was_known || usable(Stage::Active).count() == 0, "{key:?}");
        }
        Step::Move {
            id,
            to: Stage::Retiring,
        } => assert_eq!(of(id).stage, Stage::Active),
        Step::Move {
            id,
            to: Stage::Retired,
        } => {
            let key = of(id);
            let needed = key.needed_at.unwrap_or(key.since).max(key.since);
            let is_over = key.stage == Stage::Retiring && after(needed, policy.retiring) <= now;
            assert!(
                is_over || (key.stage == Stage::Announced && !is_usable(key, now)),
                "{key:?}"
            );
        }
        Step::Move {
            to: Stage::Announced,
            ..
        } => panic!("nothing is announced twice"),
        Step::Forget { id } => {
            let key = of(id);
            assert_eq!(key.stage, Stage::Retired);
            assert!(after(key.since, policy.retired) <= now);
        }
    }
}

proptest! {
    /// Whatever the keys are, after one plan exactly one of them is used, and it has not ended; the same moment asks for
    /// nothing more but that what was moved just now moves on where its time is nought.
    #[test]
    fn one_signer_whatever_was_there(mut keys in any_keys(), policy in any_policy(), now in 0..400 * DAY) {
        let now = at(now);
        let steps = plan(&keys, &policy, now);
        for step in &steps {
            check(step, &keys, &policy, now);
        }
        carry_out(&mut keys, &steps, now, Some(400 * DAY));
        let active: Vec<&KeyState> = keys.iter().filter(|key| key.stage == Stage::Active).collect();
        prop_assert_eq!(active.len(), 1);
        prop_assert!(is_usable(active[0], now));
    }

    /// However irregularly the server looks, every step is one that may be taken.
    #[test]
    fn no_step_is_taken_too_early(policy in any_policy(), pauses in vec(60..3 * DAY, 1..200), life in proptest::option::of(60 * DAY..400 * DAY)) {
        let (mut keys, mut now) = (Vec::new(), 0);
        for pause in pauses {
            now += pause;
            let steps = plan(&keys, &policy, at(now));
            for step in &steps {
                check(step, &keys, &policy, at(now));
            }
            carry_out(&mut keys, &steps, at(now), life);
            prop_assert_eq!(keys.iter().filter(|key| key.stage == Stage::Active).count(), 1);
            prop_assert!(keys.len() < 80);
        }
    }
}
