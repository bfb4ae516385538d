//! Any octets as a message of the Redirect binding: inflated to the longest message at most, then parsed or refused.
#![no_main]

use fedgate_providers::saml::decode::inflate;
use fedgate_providers::saml::xml::{Document, MESSAGE_LIMITS, Mode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Some(inflated) = inflate(octets) {
        assert!(inflated.len() <= MESSAGE_LIMITS.bytes);
        let _ = Document::parse(&inflated, Mode::Message);
    }
});
