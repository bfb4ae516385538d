//! From a document to the fields of an identity, as the server goes.

use std::hint::black_box;

use fedgate_certs::Timestamp;
use fedgate_providers::connection::{SamlOptions, SignaturePolicy};
use fedgate_providers::login::Steps;
use fedgate_providers::mapping;
use fedgate_providers::saml::decrypt::{Cbc, Decryption};
use fedgate_providers::saml::signature::Algorithms;
use fedgate_providers::saml::{Authentication, Expectation, InResponseTo, verify_response};
use fedgate_providers::spec::Spec;
use jiff::SignedDuration;

use crate::document::{ACS, AUDIENCE, Case, ISSUER, Keys, NOW, REQUEST};

pub(crate) fn accept(case: &Case, keys: &Keys) {
    let expectation = Expectation {
        trust: &keys.trust,
        issuer: Some(ISSUER),
        sp_entity_id: AUDIENCE,
        audience_prefix: None,
        acs: ACS,
        in_response_to: InResponseTo::Exactly(REQUEST),
        skew: SignedDuration::from_secs(120),
        algorithms: Algorithms::default(),
        signature_policy: SignaturePolicy::Any,
        decryption: Decryption {
            keys: &keys.decryption,
            cbc: Cbc::Refused,
        },
        authentication: Authentication::default(),
    };
    let now: Timestamp = NOW.parse().expect("a time");
    let mut steps = Steps::default();
    let xml = black_box(case.xml.as_bytes());
    let asserted = verify_response(xml, &expectation, now, &mut steps).expect("a good response");
    let spec = Spec::of("saml:custom").expect("a spec");
    let profile = mapping::profile(&asserted, spec, &SamlOptions::default());
    black_box((profile.expect("a profile"), asserted, steps));
}
