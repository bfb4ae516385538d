//! What was encrypted is judged by samael as the identity provider signed it.

use std::path::Path;

use fedgate_certs::Timestamp;
use fedgate_certs::decryption::DecryptionKey;
use fedgate_certs::trust::{Trust, TrustedKey};
use fedgate_providers::connection::SignaturePolicy;
use fedgate_providers::login::Steps;
use fedgate_providers::saml::decrypt::{Cbc, Decryption};
use fedgate_providers::saml::second_opinion::samael;
use fedgate_providers::saml::signature::Algorithms;
use fedgate_providers::saml::{
    Authentication, Expectation, InResponseTo, Witnessed, verify_witnessed,
};
use jiff::SignedDuration;

const AT: &str = "2026-01-02T03:05:00Z";

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/saml");
    std::fs::read(folder.join(name)).expect(name)
}

fn trust() -> Trust {
    let certificates = TrustedKey::from_certificate_pem(&file("keys/idp.cert.pem"));
    Trust::new(certificates.expect("a certificate")).expect("a trust")
}

fn witnessed(document: &[u8], trust: &Trust) -> Witnessed {
    let keys = [DecryptionKey::from_pem(&file("keys/sp.key.pem"), false).expect("a key")];
    let expectation = Expectation {
        trust,
        issuer: Some("https://idp.example"),
        sp_entity_id: "urn:sp",
        audience_prefix: None,
        acs: "https://sp.example/acs",
        in_response_to: InResponseTo::Exactly("_request"),
        skew: SignedDuration::ZERO,
        algorithms: Algorithms::default(),
        signature_policy: SignaturePolicy::Any,
        decryption: Decryption {
            keys: &keys,
            cbc: Cbc::Allowed,
        },
        authentication: Authentication::default(),
    };
    let now: Timestamp = AT.parse().expect("a time");
    verify_witnessed(document, &expectation, now, &mut Steps::default()).expect("accepted")
}

#[test]
fn the_other_finds_the_same_octets_signed_whoever_signed_what_was_encrypted() {
    let trust = trust();
    for (name, is_opened) in [
        ("gcm256-assertion", true),
        ("cbc128-assertion", true),
        ("gcm256-response", false),
        ("gcm256-both", false),
    ] {
        let document = file(&format!("encrypted/{name}.xml"));
        let witnessed = witnessed(&document, &trust);
        assert_eq!(witnessed.opened.is_some(), is_opened, "{name}");
        let judged = witnessed.opened.unwrap_or(document);
        let octets = samael::signed_octets(&judged, &trust).expect(name);
        assert_eq!(octets, witnessed.octets, "{name}");
    }
}
