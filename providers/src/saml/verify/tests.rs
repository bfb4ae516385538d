//! Each attack on a genuine, signed response, and the exact code that refuses it.

mod authentication;
mod condition;
mod message;
mod person;

use openssl::pkey::{PKey, Private};

use super::*;
use crate::login::Verdict;
use crate::saml::SamlRefusal;
use crate::saml::signature::Signed;
use crate::saml::test_response::genuine_response;
use crate::saml::test_signer::{certificate, ec_key, rsa_key, sign};
use fedgate_certs::trust::TrustedKey;

const NOW: &str = "2026-01-02T03:05:00Z";

struct Idp {
    key: PKey<Private>,
    trust: Trust,
}

fn idp() -> Idp {
    let key = ec_key();
    let der = certificate(&key).to_der().unwrap();
    let trust = Trust::new(vec![TrustedKey::from_certificate_der(&der).unwrap()]).unwrap();
    Idp { key, trust }
}

fn expectation(trust: &Trust) -> Expectation<'_> {
    Expectation {
        trust,
        issuer: Some("https://idp.example"),
        sp_entity_id: "urn:sp",
        audience_prefix: None,
        acs: "https://sp.example/acs",
        in_response_to: InResponseTo::Exactly("_request"),
        skew: SignedDuration::from_secs(120),
        algorithms: Algorithms::default(),
        signature_policy: SignaturePolicy::Any,
        decryption: Decryption::default(),
        authentication: Authentication::default(),
    }
}

fn edited(edits: &[(&str, &str)]) -> String {
    edits
        .iter()
        .fold(genuine_response(), |xml, (find, replace)| {
            assert!(xml.contains(find), "nothing to edit: {find}");
            xml.replace(find, replace)
        })
}

/// Verifies the edited response with its assertion signed after the edits: the IdP itself says so.
fn verified(
    edits: &[(&str, &str)],
    adjust: impl Fn(&mut Expectation<'_>),
) -> Result<Asserted, Refusal> {
    let idp = idp();
    let mut expected = expectation(&idp.trust);
    adjust(&mut expected);
    let xml = sign(&edited(edits), "a1", &idp.key);
    verify_response(
        xml.as_bytes(),
        &expected,
        NOW.parse().unwrap(),
        &mut Steps::default(),
    )
}

fn refused(edits: &[(&str, &str)]) -> Refusal {
    verified(edits, |_| ()).expect_err("a refusal")
}

fn accepted(edits: &[(&str, &str)]) -> Asserted {
    verified(edits, |_| ()).expect("an assertion")
}

fn all_refused(leaf: SamlRefusal, edits: &[(&str, &str)]) {
    for edit in edits {
        assert_eq!(refused(std::slice::from_ref(edit)), leaf, "{edit:?}");
    }
}

#[test]
fn a_genuine_response_is_read_whole() {
    let asserted = accepted(&[]);
    assert_eq!(asserted.signed, Signed::Assertion);
    assert_eq!(
        (asserted.id.as_str(), asserted.issuer.as_str()),
        ("a1", "https://idp.example")
    );
    assert_eq!(asserted.name_id.unwrap().value, "ada@example.com");
    assert_eq!(asserted.attributes.values("groups"), ["staff", "admins"]);
    assert_eq!(asserted.context.as_deref(), Some("urn:password"));
    assert_eq!(asserted.session_index.as_deref(), Some("s1"));
    assert_eq!(
        asserted.valid_until,
        "2026-01-02T03:09:00Z".parse().unwrap()
    );
}

#[test]
fn the_story_ends_with_the_step_that_failed() {
    let idp = idp();
    let xml = sign(
        &edited(&[("<saml:Audience>urn:sp<", "<saml:Audience>urn:other<")]),
        "a1",
        &idp.key,
    );
    let mut steps = Steps::default();
    verify_response(
        xml.as_bytes(),
        &expectation(&idp.trust),
        NOW.parse().unwrap(),
        &mut steps,
    )
    .unwrap_err();
    let told: Vec<_> = steps
        .as_slice()
        .iter()
        .map(|step| (step.name.as_str(), step.verdict))
        .collect();
    let passed = |name| (name, Verdict::Passed);
    assert_eq!(
        told,
        [
            passed("saml.shape"),
            passed("saml.status"),
            passed("saml.signature"),
            passed("saml.issuer"),
            passed("saml.destination"),
            passed("saml.in_response_to"),
            ("saml.audience", Verdict::Failed),
        ]
    );
    let last = steps.as_slice().last().unwrap();
    assert_eq!(last.expected.as_deref(), Some("urn:sp"));
    assert_eq!(last.found.as_deref(), Some("urn:other"));
}

#[test]
fn the_story_names_what_was_signed_and_by_which_key() {
    let idp = idp();
    let assertion_signed = sign(&genuine_response(), "a1", &idp.key);
    for (xml, signed) in [
        (sign(&assertion_signed, "r1", &idp.key), "both"),
        (sign(&genuine_response(), "r1", &idp.key), "response"),
        (assertion_signed, "assertion"),
    ] {
        let mut steps = Steps::default();
        let expected = expectation(&idp.trust);
        verify_response(xml.as_bytes(), &expected, NOW.parse().unwrap(), &mut steps).unwrap();
        let mut told = steps.as_slice().iter();
        let step = told.find(|step| step.name == "saml.signature").unwrap();
        let key = &idp.trust.keys()[0].fingerprint_sha256;
        assert_eq!(step.note, Some(format!("{signed} signed by {key}")));
    }
}

#[test]
fn habits_of_genuine_identity_providers_are_accepted() {
    let entity = r#"<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">"#;
    for edit in [
        (r#" Destination="https://sp.example/acs""#, ""),
        ("03:04:05Z", "03:04:05.1234567Z"),
        ("03:04:05Z", "03:04:05+00:00"),
        ("<saml:Issuer>", entity),
        (r#" NotBefore="2026-01-02T03:04:00Z""#, ""),
        (r#" SessionNotOnOrAfter="2026-01-02T11:04:05Z""#, ""),
        ("2026-01-02T11:04:05Z", "9999-12-31T23:59:59.9999999Z"),
        (
            "AuthnInstant=\"2026-01-02T03:04:00Z\"",
            "AuthnInstant=\"2025-12-24T00:00:00Z\"",
        ),
        (
            "<saml:SubjectConfirmationData ",
            "<saml:SubjectConfirmationData Address=\"203.0.113.9\" ",
        ),
        (
            "<saml:AudienceRestriction>",
            "<saml:OneTimeUse></saml:OneTimeUse><saml:AudienceRestriction>",
        ),
        (
            "<saml:AudienceRestriction>",
            "<saml:ProxyRestriction Count=\"1\"></saml:ProxyRestriction><saml:AudienceRestriction>",
        ),
        (
            "<saml:Audience>",
            "<saml:Audience>urn:another</saml:Audience><saml:Audience>",
        ),
        ("<saml:Audience>urn:sp<", "<saml:Audience>\n  urn:sp\n<"),
        (
            "<saml:SubjectConfirmation Method=",
            "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\"></saml:SubjectConfirmation><saml:SubjectConfirmation Method=",
        ),
        (
            "</saml:AttributeStatement>",
            "</saml:AttributeStatement><saml:AttributeStatement></saml:AttributeStatement>",
        ),
        ("urn:password", ""),
    ] {
        accepted(&[edit]);
    }
}

/// One changed octet: another one in its place, its lowest bit turned, or none there.
fn changed(genuine: &[u8], position: usize, turn: usize) -> [Vec<u8>; 3] {
    const OTHERS: [u8; 11] = [
        b'<', b'"', b' ', b'&', b'0', b'a', b'/', b'>', b':', 0, 0xff,
    ];
    let mut versions = [genuine.to_vec(), genuine.to_vec(), genuine.to_vec()];
    versions[0][position] = match OTHERS[(position + turn) % OTHERS.len()] {
        same if same == genuine[position] => b'z',
        other => other,
    };
    versions[1][position] ^= 1;
    versions[2].remove(position);
    versions
}

/// Refused, or the very same identity: for each place of the signature, and RSA as well as ECDSA.
fn no_changed_byte_changes_what_is_asserted(key: &PKey<Private>, signed: Signed) {
    let der = certificate(key).to_der().unwrap();
    let trust = Trust::new(vec![TrustedKey::from_certificate_der(&der).unwrap()]).unwrap();
    let mut genuine = genuine_response();
    if signed != Signed::Response {
        genuine = sign(&genuine, "a1", key);
    }
    if signed.covers_response() {
        genuine = sign(&genuine, "r1", key);
    }
    let verify = |xml: &[u8]| {
        let now = NOW.parse().unwrap();
        verify_response(xml, &expectation(&trust), now, &mut Steps::default())
    };
    let asserted = verify(genuine.as_bytes()).unwrap();
    assert_eq!(asserted.signed, signed);
    for position in 0..genuine.len() {
        for version in changed(genuine.as_bytes(), position, key.bits() as usize) {
            if let Ok(other) = verify(&version) {
                // A signature that is none any more, beside one that still covers the assertion, proves no less.
                assert!(other.signed == signed || signed == Signed::Both);
                let other = Asserted { signed, ..other };
                assert_eq!(other, asserted, "byte {position} of {signed:?}");
            }
        }
    }
}

#[test]
fn no_changed_byte_changes_what_is_asserted_by_a_signed_assertion() {
    no_changed_byte_changes_what_is_asserted(&ec_key(), Signed::Assertion);
    no_changed_byte_changes_what_is_asserted(&rsa_key(), Signed::Assertion);
}

#[test]
fn no_changed_byte_changes_what_is_asserted_by_a_signed_response() {
    no_changed_byte_changes_what_is_asserted(&ec_key(), Signed::Response);
    no_changed_byte_changes_what_is_asserted(&rsa_key(), Signed::Response);
}

#[test]
fn no_changed_byte_changes_what_is_asserted_by_two_signatures() {
    no_changed_byte_changes_what_is_asserted(&ec_key(), Signed::Both);
    no_changed_byte_changes_what_is_asserted(&rsa_key(), Signed::Both);
}
