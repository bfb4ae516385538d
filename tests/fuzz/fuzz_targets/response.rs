//! Any octets as a SAML response: what is accepted is what a genuine response says.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| fedgate_fuzz::judge(octets));
