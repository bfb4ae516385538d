//! `costliest [SECONDS]` climbs towards the documents that cost most before they are refused, and prints the ten
//! costliest of different shapes with the octets that make them again.
//!
//! The cost is the thread's processor time from the form's field to the refusal, the least of several runs. Built with `--release`, or else it measures the compiler.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::hex;
use fedgate_differential::hostile::{Shape, answered, document};
use fedgate_differential::sign::Signer;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::time::{ClockId, clock_gettime};

/// Octets of one document's description.
const OCTETS: usize = 24;
/// Runs of one document, of which the fastest counts.
const RUNS: usize = 5;
const TOP: usize = 10;

struct Found {
    micros: f64,
    code: &'static str,
    bytes: usize,
    octets: Vec<u8>,
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(60));
    let signer = Signer::fresh();
    let mut chance = StdRng::seed_from_u64(1);
    let mut best: BTreeMap<(Shape, &'static str), Found> = BTreeMap::new();
    let mut tried = 0;
    while Instant::now() < until {
        let octets = next(&best, &mut chance);
        tried += 1;
        let Some((shape, found)) = measured(octets, &signer) else {
            continue;
        };
        let key = (shape, found.code);
        if best
            .get(&key)
            .is_none_or(|known| known.micros < found.micros)
        {
            best.insert(key, found);
        }
    }
    let mut found: Vec<(&(Shape, &str), &Found)> = best.iter().collect();
    found.sort_by(|one, other| other.1.micros.total_cmp(&one.1.micros));
    println!("# {tried} documents tried, {} shapes", found.len());
    println!("# µs, bytes, code, signed by, place of the filling, kind of the first piece, octets");
    for ((shape, _), found) in found.iter().take(TOP) {
        println!(
            "# {:.0} {} {} {:?} {:?} {}",
            found.micros, found.bytes, found.code, shape.signing, shape.place, shape.kind
        );
        println!("{} {}", found.code, hex::with_prefix("", &found.octets));
    }
}

/// New octets, or those of one of the best with a few exchanged.
fn next(best: &BTreeMap<(Shape, &str), Found>, chance: &mut StdRng) -> Vec<u8> {
    let mut octets = vec![0; OCTETS];
    chance.fill(&mut octets[..]);
    if best.is_empty() || chance.random_ratio(1, 6) {
        return octets;
    }
    let mut ranked: Vec<&Found> = best.values().collect();
    ranked.sort_by(|one, other| other.micros.total_cmp(&one.micros));
    let among = ranked.len().min(2 * TOP);
    let mut climbed = ranked[chance.random_range(0..among)].octets.clone();
    for _ in 0..chance.random_range(1..4) {
        let at = chance.random_range(0..OCTETS);
        climbed[at] = octets[at];
    }
    climbed
}

fn measured(octets: Vec<u8>, signer: &Signer) -> Option<(Shape, Found)> {
    let (shape, xml) = document(&octets, signer);
    let field = STANDARD.encode(&xml);
    let mut micros = f64::INFINITY;
    let mut code = None;
    for _ in 0..RUNS {
        let start = processor_time();
        let verdict = answered(&field, &signer.trust);
        let spent = processor_time().saturating_sub(start);
        micros = micros.min(spent.as_secs_f64() * 1e6);
        code = verdict.err().map(|refusal| refusal.code());
    }
    let found = Found {
        micros,
        code: code?,
        bytes: xml.len(),
        octets,
    };
    Some((shape, found))
}

/// What this thread has run so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
