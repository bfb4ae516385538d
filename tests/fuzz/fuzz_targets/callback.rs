//! Any octets as the form or query that a browser brings back: read or refused, never a panic; and a handle that is
//! read is written as it was.
#![no_main]

use fedgate_providers::login::Handle;
use fedgate_providers::saml::{decode, in_response_to};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(octets).into_owned().collect();
    let _ = decode::response_bytes(&fields);
    let _ = in_response_to(&fields);
    for (_, value) in &fields {
        if let Some(handle) = Handle::from_state(value) {
            assert_eq!(handle.to_state(), *value);
        }
        if let Some(handle) = Handle::from_request_id(value) {
            assert_eq!(handle.to_request_id(), *value);
        }
    }
});
