//! Any octets as an identity provider's metadata: read or refused, never a panic.
#![no_main]

use fedgate_providers::saml::metadata::IdpMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = IdpMetadata::parse(octets, None);
});
