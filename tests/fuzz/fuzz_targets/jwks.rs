//! Any octets as a key set: read or refused, never a panic.
#![no_main]

use fedgate_certs::jwks::Jwks;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = Jwks::parse(octets);
});
