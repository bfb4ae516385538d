//! Any octets as a JSON Web Token: what is accepted says what a genuine token says.
#![no_main]

use std::sync::LazyLock;

use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::jose::{Accepted, verify_with_jwks};
use fedgate_certs::jwks::Jwks;
use fedgate_fuzz::NOW;
use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

const GENUINE: [&str; 2] = [
    include_str!("../seeds/token/rs256.jwt"),
    include_str!("../seeds/token/es256.jwt"),
];

static KEYS: LazyLock<Jwks> =
    LazyLock::new(|| Jwks::parse(include_bytes!("../seeds/jwks/keys.json")).expect("keys"));
static CLAIMS: LazyLock<Vec<Map<String, Value>>> = LazyLock::new(|| {
    let genuine = GENUINE.iter();
    genuine
        .map(|token| verified(token).expect("a genuine token"))
        .collect()
});

fuzz_target!(|octets: &[u8]| {
    let genuine = &*CLAIMS;
    if let Some(claims) = std::str::from_utf8(octets).ok().and_then(verified) {
        assert!(
            genuine.contains(&claims),
            "accepted, but nobody said: {claims:?}"
        );
    }
});

fn verified(token: &str) -> Option<Map<String, Value>> {
    let accepted = Accepted {
        algorithms: &[JwsAlgorithm::Rs256, JwsAlgorithm::Es256],
        types: &["JWT"],
        skew: SignedDuration::ZERO,
    };
    verify_with_jwks(token, &KEYS, &accepted, *NOW).ok()
}
