//! How much dearer verification is than the cryptography in it, measured in the same run.
//!
//! The floor of a document is what cannot be avoided: for each signature one RSA-2048 verification with a context that is
//! ready, and SHA-256 of the signed octets and of SignedInfo; where it is encrypted, one RSA-2048 operation with the
//! private key as well. Ours is everything from the octets of the document to the fields of an identity: XML, shape,
//! signatures, all checks of SAML, mapping. The base64 of the form, which comes before, is measured beside both.
//!
//! They take turns in short batches; the tenth percentile of each is compared.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark, whose set-up must hold"
)]

mod document;
mod floor;
mod ours;
#[path = "../../src/saml/test_signer.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the unit tests, which use more of it"
)]
mod test_signer;

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use document::{Case, Keys};

const BATCHES: usize = 1000;
/// Short enough that most batches are not interrupted.
const BATCH: Duration = Duration::from_micros(300);

fn main() {
    let keys = Keys::fresh();
    // cargo passes --bench; anything else is a part of the names to run.
    let filter = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let mut cases = document::cases(&keys);
    cases.retain(|case| filter.as_ref().is_none_or(|f| case.name.contains(f)));
    println!(
        "{:<30} {:>7} {:>9} {:>9} {:>6} {:>9} {:>11}",
        "document", "bytes", "floor µs", "ours µs", "ratio", "base64 µs", "with base64"
    );
    for case in &cases {
        report(case, &keys);
    }
    #[cfg(feature = "second-opinion")]
    second_opinion(&cases, &keys);
}

fn report(case: &Case, keys: &Keys) {
    let field = STANDARD.encode(&case.xml);
    let mut floor = floor::of(case, keys);
    let mut accept = || ours::accept(case, keys);
    let mut decode = || {
        black_box(STANDARD.decode(black_box(&field)).expect("base64"));
    };
    let [floor, ours, base64] = measure([&mut floor, &mut accept, &mut decode]);
    println!(
        "{:<30} {:>7} {floor:>9.2} {ours:>9.2} {:>6.3} {base64:>9.2} {:>11.3}",
        case.name,
        case.xml.len(),
        ours / floor,
        (ours + base64) / (floor + base64),
    );
}

/// What samael costs on top, on the thread that it gets for itself.
#[cfg(feature = "second-opinion")]
fn second_opinion(cases: &[Case], keys: &Keys) {
    use fedgate_providers::saml::second_opinion::samael::signed_octets;
    println!(
        "\n{:<30} {:>9} {:>10} {:>10}",
        "document", "off, µs", "samael, µs", "on, µs"
    );
    for case in cases.iter().filter(|case| case.wrapped_key.is_none()) {
        let mut ask = || {
            black_box(signed_octets(case.xml.as_bytes(), &keys.trust).expect("a sound signature"));
        };
        let mut accept = || ours::accept(case, keys);
        let [ours, samael] = measure([&mut accept, &mut ask]);
        println!(
            "{:<30} {ours:>9.2} {samael:>10.2} {:>10.2}",
            case.name,
            ours + samael
        );
    }
}

/// Microseconds of each, taking turns.
fn measure<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let counts = runs.each_mut().map(|run| iterations(run));
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(BATCHES));
    let slowest = counts.iter().min().copied().unwrap_or(1);
    // What fills a batch alone many times over needs fewer of them.
    let batches = if slowest > 1 { BATCHES } else { BATCHES / 4 };
    for _ in 0..batches {
        for ((run, count), samples) in runs.iter_mut().zip(counts).zip(&mut samples) {
            samples.push(batch(run, count));
        }
    }
    samples.map(low_decile)
}

/// The tenth percentile: near the best, without its luck, and blind to interruptions.
fn low_decile(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 10]
}

/// How many runs fill a batch.
fn iterations(run: &mut dyn FnMut()) -> u32 {
    let once = (0..5).map(|_| batch(run, 4)).fold(f64::INFINITY, f64::min);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    let count = (BATCH.as_secs_f64() * 1e6 / once) as u32;
    count.max(1)
}

/// Microseconds of one run, as the mean of a batch.
fn batch(run: &mut dyn FnMut(), count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        run();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}
