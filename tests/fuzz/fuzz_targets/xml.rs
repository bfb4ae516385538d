//! Any octets: parsed or refused, never a panic; and what was parsed canonicalizes to a document with the same form.
#![no_main]

use fedgate_providers::saml::c14n::canonicalize;
use fedgate_providers::saml::xml::{Document, Mode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(document) = Document::parse(octets, Mode::Message) else {
        return;
    };
    let mut once = Vec::new();
    canonicalize(document.root(), None, &[], &mut once);
    let again = Document::parse(&once, Mode::Message).expect("a canonical form parses");
    let mut twice = Vec::new();
    canonicalize(again.root(), None, &[], &mut twice);
    assert_eq!(once, twice);
});
