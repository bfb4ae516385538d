//! `costliest [SECONDS]` climbs towards the documents that cost most before they are refused, and prints the ten
//! costliest of different shapes with the octets that make them again. `costliest FILE` measures those of a file anew.
//!
//! Beside each stands the floor: base64, UTF-8 and SHA-256 of as many bytes, one after the other in the same run.
//!
//! The cost is the thread's processor time from the form's field to the refusal, the least of several runs. Built with `--release`, or else it measures the compiler.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::hex;
use fedgate_differential::hostile::{Shape, answered, document, octets};
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
    floor: f64,
    code: &'static str,
    bytes: usize,
    octets: Vec<u8>,
}

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_default();
    match argument.parse() {
        Err(_) if !argument.is_empty() => again(&argument),
        seconds => search(seconds.unwrap_or(60)),
    }
}

/// Measures the documents of a file.
fn again(path: &str) {
    let text = std::fs::read_to_string(path).expect("a file");
    let signer = Signer::fresh();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    for octets in lines.filter_map(|line| octets(line.split_once(' ')?.1)) {
        if let Some((shape, found)) = measured(octets, &signer) {
            print(&shape, &found);
        }
    }
}

fn search(seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
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
    println!(
        "# µs, floor in µs, bytes, code, signed by, place of the filling, kind of the first piece, octets"
    );
    for ((shape, _), found) in found.iter().take(TOP) {
        print(shape, found);
    }
}

fn print(shape: &Shape, found: &Found) {
    println!(
        "# {:.0} {:.0} {} {} {:?} {:?} {}",
        found.micros, found.floor, found.bytes, found.code, shape.signing, shape.place, shape.kind
    );
    println!("{} {}", found.code, hex::with_prefix("", &found.octets));
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
    let mut code = None;
    let micros = least(|| {
        code = answered(&field, &signer.trust)
            .err()
            .map(|refusal| refusal.code());
    });
    let floor = least(|| {
        let decoded = STANDARD.decode(black_box(&field)).expect("base64");
        let text = std::str::from_utf8(&decoded).unwrap_or_default();
        black_box(openssl::sha::sha256(text.as_bytes()));
    });
    let found = Found {
        micros,
        floor,
        code: code?,
        bytes: xml.len(),
        octets,
    };
    Some((shape, found))
}

/// Microseconds of the fastest run.
fn least(mut run: impl FnMut()) -> f64 {
    let mut micros = f64::INFINITY;
    for _ in 0..RUNS {
        let start = processor_time();
        run();
        let spent = processor_time().saturating_sub(start);
        micros = micros.min(spent.as_secs_f64() * 1e6);
    }
    micros
}

/// What this thread has run so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
