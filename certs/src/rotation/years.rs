//! Five simulated years around the plan that the server runs: everybody who relies on our keys, with what each remembers
//! of them. Whoever takes one guard away sees who is shut out.

use super::tests::carry_out;
use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEARS: i64 = 5 * 365 * DAY;
/// Connections that encrypt for us and verify what we sign.
const CONNECTIONS: usize = 1_000;
/// Applications that verify our tokens.
const APPLICATIONS: usize = 100;

/// What went wrong in five years, and how much went on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    uses: u64,
    /// A signature by a key that its reader did not know.
    unknown_signer: u64,
    /// A token of before the change that did not verify.
    forgotten: u64,
    /// A message encrypted for a certificate whose key was gone.
    undecryptable: u64,
    /// A moment without a key, or with one that had ended.
    gaps: u64,
    rotations: u64,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn span(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// The server looks, and does what is to be done.
fn look(keys: &mut Vec<KeyState>, policy: &Policy, now: i64, life: Option<i64>, told: &mut Told) {
    let steps = plan(keys, policy, at(now));
    let taken_over = |step: &&Step| {
        matches!(
            step,
            Step::Move {
                to: Stage::Active,
                ..
            }
        )
    };
    told.rotations += steps.iter().filter(taken_over).count() as u64;
    carry_out(keys, &steps, at(now), life);
    // What retires within the same moment is seen at the next look.
    let active = || keys.iter().filter(|key| key.stage == Stage::Active);
    let sound = active().count() == 1 && active().all(|key| is_usable(key, at(now)));
    told.gaps += u64::from(!sound);
}

fn signer(keys: &[KeyState]) -> Option<String> {
    let mut active = keys.iter().filter(|key| key.stage == Stage::Active);
    active.next().map(|key| key.id.clone())
}

fn published(keys: &[KeyState]) -> Vec<String> {
    let kept = keys.iter().filter(|key| key.stage != Stage::Retired);
    kept.map(|key| key.id.clone()).collect()
}

fn token_policy() -> Policy {
    Policy {
        announced: span(DAY),
        active: span(90 * DAY),
        before_end: span(0),
        retiring: span(HOUR + 330),
        retired: span(30 * DAY),
        most_retiring: 8,
    }
}

/// Tokens of one hour; applications read the JWK Set every 1 to 23 hours, and never for the sake of an unknown `kid`.
fn tokens(policy: &Policy) -> Told {
    let (mut keys, mut told) = (Vec::new(), Told::default());
    let mut caches: Vec<(i64, Vec<String>)> = vec![(i64::MIN / 2, Vec::new()); APPLICATIONS];
    let mut before: Option<String> = None;
    for now in (0..YEARS).step_by(usize::try_from(HOUR).unwrap()) {
        look(&mut keys, policy, now, None, &mut told);
        let (signer, published) = (signer(&keys), published(&keys));
        for (number, (read, known)) in caches.iter_mut().enumerate() {
            let life = HOUR * (1 + i64::try_from(number).unwrap() % 23);
            if now - *read >= life {
                (*read, *known) = (now, published.clone());
            }
            told.uses += 1;
            told.unknown_signer += u64::from(signer.as_ref().is_none_or(|id| !known.contains(id)));
        }
        // A token that was signed just before this hour began is verified in its middle, at our own userinfo.
        look(&mut keys, policy, now + HOUR / 2, None, &mut told);
        if let Some(id) = before.replace(signer.unwrap_or_default()) {
            let kept = keys
                .iter()
                .any(|key| key.id == id && key.stage != Stage::Retired);
            told.forgotten += u64::from(!kept);
        }
    }
    told
}

fn decryption_policy() -> Policy {
    Policy {
        announced: span(120),
        active: span(365 * DAY),
        before_end: span(180 * DAY),
        retiring: span(90 * DAY),
        retired: span(30 * DAY),
        most_retiring: 1,
    }
}

/// Identity providers encrypt for the certificate that they read last: most look daily to monthly, one in fifty was given
/// it by hand and is given the next one two hundred days after it came. Each has a login a day or one in twenty.
fn encryption(policy: &Policy, tells: bool) -> Told {
    let (mut keys, mut told) = (Vec::new(), Told::default());
    let mut known: Vec<(i64, String)> = vec![(i64::MIN / 2, String::new()); CONNECTIONS];
    for now in (0..YEARS).step_by(usize::try_from(DAY).unwrap()) {
        look(&mut keys, policy, now, Some(3650 * DAY), &mut told);
        let current = signer(&keys).unwrap_or_default();
        for (number, (read, id)) in known.iter_mut().enumerate() {
            let number = i64::try_from(number).unwrap();
            let life = if number % 50 == 0 {
                200 * DAY
            } else {
                DAY * (1 + number % 30)
            };
            if now - *read >= life {
                (*read, *id) = (now, current.clone());
            }
            if (now / DAY + number) % (1 + number % 20) != 0 {
                continue;
            }
            told.uses += 1;
            match keys
                .iter_mut()
                .find(|key| key.id == *id && key.stage != Stage::Retired)
            {
                Some(key) if tells => key.needed_at = Some(at(now)),
                Some(_) => {}
                None => told.undecryptable += 1,
            }
        }
    }
    told
}

fn signing_policy() -> Policy {
    Policy {
        announced: span(30 * DAY),
        active: span(365 * DAY),
        before_end: span(180 * DAY),
        retiring: span(DAY),
        retired: span(30 * DAY),
        most_retiring: 8,
    }
}

/// Identity providers verify our requests by the metadata that they read daily to monthly; certificates last two years.
fn requests(policy: &Policy) -> Told {
    let (mut keys, mut told) = (Vec::new(), Told::default());
    let mut known: Vec<(i64, Vec<String>)> = vec![(i64::MIN / 2, Vec::new()); CONNECTIONS];
    for now in (0..YEARS).step_by(usize::try_from(DAY).unwrap()) {
        look(&mut keys, policy, now, Some(730 * DAY), &mut told);
        let (signer, published) = (signer(&keys).unwrap_or_default(), published(&keys));
        for (number, (read, known)) in known.iter_mut().enumerate() {
            let life = DAY * (1 + i64::try_from(number).unwrap() % 30);
            if now - *read >= life {
                (*read, *known) = (now, published.clone());
            }
            told.uses += 1;
            told.unknown_signer += u64::from(!known.contains(&signer));
        }
    }
    told
}

fn sound(told: &Told) {
    println!("{told:?}");
    let Told {
        uses, rotations, ..
    } = *told;
    assert!(rotations >= 4 && uses > 100_000, "{told:?}");
    assert_eq!(
        *told,
        Told {
            uses,
            rotations,
            ..Told::default()
        }
    );
}

#[test]
fn five_years_of_tokens_verify() {
    sound(&tokens(&token_policy()));
}

#[test]
fn five_years_of_encrypted_assertions_decrypt() {
    sound(&encryption(&decryption_policy(), true));
}

#[test]
fn five_years_of_signed_requests_are_known() {
    sound(&requests(&signing_policy()));
}

#[test]
fn without_the_announcement_signatures_are_unknown() {
    let announced = span(0);
    let told = tokens(&Policy {
        announced,
        ..token_policy()
    });
    assert!(told.unknown_signer > 1_000, "{told:?}");
    let told = requests(&Policy {
        announced,
        ..signing_policy()
    });
    assert!(told.unknown_signer > 1_000, "{told:?}");
}

#[test]
fn without_the_overlap_tokens_are_forgotten() {
    let retiring = span(0);
    let told = tokens(&Policy {
        retiring,
        ..token_policy()
    });
    assert!(told.forgotten >= 4, "{told:?}");
}

#[test]
fn without_the_news_that_a_key_is_needed_assertions_are_lost() {
    let told = encryption(&decryption_policy(), false);
    assert!(told.undecryptable > 100, "{told:?}");
}
