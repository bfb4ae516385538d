use fedgate_test_servers::xmlsec;
use openssl::hash::{MessageDigest, hash};
use openssl::sign::Verifier;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;
use crate::person;

fn idp(key: KeyKind, signed: Signed) -> SamlIdp {
    let options = SamlIdpOptions {
        base_url: "http://idp.test".to_owned(),
        name: "Acme & co".to_owned(),
        people: person::acme(),
        key,
        signed,
    };
    SamlIdp::new(options, Arc::new(Clock::default())).unwrap()
}

fn written(idp: &SamlIdp, lie: Lie, rng: &mut dyn CryptoRng) -> Vec<u8> {
    let parameters = ResponseParameters {
        acs: "http://sp.test/acs?a=1&b=\"2\"",
        audience: "urn:sp<>&",
        in_response_to: Some("_1"),
        person: &idp.people()[0],
        context: None,
        lie,
    };
    let now = "2026-07-01T12:00:00Z".parse().unwrap();
    idp.written(&parameters, now, rng).unwrap()
}

fn response(idp: &SamlIdp, lie: Lie) -> String {
    String::from_utf8_lossy(&written(idp, lie, &mut Randomness.rng())).into_owned()
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

/// Checks the signature of an element whose text is canonical.
fn verify(element: &str, idp: &SamlIdp) {
    let value = STANDARD
        .decode(between(
            element,
            "<ds:SignatureValue>",
            "</ds:SignatureValue>",
        ))
        .unwrap();
    let info = between(element, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}</ds:SignedInfo>"
    );
    let key = idp.current_key();
    let mut verifier = Verifier::new(MessageDigest::sha256(), key.private()).unwrap();
    assert!(verifier.verify_oneshot(&value, info.as_bytes()).unwrap());
    let (head, rest) = element.split_once("<ds:Signature ").unwrap();
    let unsigned = format!("{head}{}", rest.split_once("</ds:Signature>").unwrap().1);
    let digest = STANDARD.encode(hash(MessageDigest::sha256(), unsigned.as_bytes()).unwrap());
    assert_eq!(
        digest,
        between(element, "<ds:DigestValue>", "</ds:DigestValue>")
    );
}

#[test]
fn an_assertion_is_signed_over_the_octets_that_are_sent() {
    let idp = idp(KeyKind::Rsa2048, Signed::Assertion);
    let xml = response(&idp, Lie::Honest);
    let start = xml.find("<saml:Assertion ").unwrap();
    verify(&xml[start..xml.len() - "</samlp:Response>".len()], &idp);
}

#[test]
fn a_response_is_signed_over_the_octets_that_are_sent() {
    let idp = idp(KeyKind::Rsa2048, Signed::Response);
    verify(&response(&idp, Lie::Honest), &idp);
}

#[test]
fn every_lie_changes_the_answer_and_honesty_does_not() {
    // RSA signatures and these identifiers are the same each time: whatever differs is the lie.
    let idp = idp(KeyKind::Rsa2048, Signed::Assertion);
    let answer = |lie| {
        let response = written(&idp, lie, &mut StdRng::seed_from_u64(1));
        let by_redirect = lie == Lie::AnswerByRedirect;
        (
            delivery::fields(lie, STANDARD.encode(response), Some("state")),
            by_redirect,
        )
    };
    let honest = answer(Lie::Honest);
    assert_eq!(honest, answer(Lie::Honest));
    for lie in Lie::ALL.iter().copied().filter(|lie| *lie != Lie::Honest) {
        // The honest provider of this test signs the assertion alone, and its person was asked for no context.
        assert_eq!(
            answer(lie) != honest,
            lie != Lie::AssertionSignedOnly,
            "{lie:?}"
        );
    }
}

#[test]
fn a_rolled_key_is_the_next_one_of_the_metadata() {
    let idp = idp(KeyKind::EcP256, Signed::Assertion);
    let before = idp.metadata().unwrap();
    let certificate =
        |xml: &str| between(xml, "<ds:X509Certificate>", "</ds:X509Certificate>").to_owned();
    let rolled = certificate(&response(&idp, Lie::RolledKey));
    assert_ne!(rolled, certificate(&before));
    idp.roll().unwrap();
    assert_eq!(rolled, certificate(&idp.metadata().unwrap()));
}

#[test]
fn an_unknown_lie_is_the_truth() {
    assert_eq!(Lie::named("Nonsense"), Lie::Honest);
    for lie in Lie::ALL {
        assert_eq!(Lie::named(lie.name()), *lie);
    }
}

#[test]
fn xmlsec1_agrees_with_every_honest_signature() {
    for key in [KeyKind::Rsa2048, KeyKind::EcP256] {
        for (signed, parents) in [
            (Signed::Assertion, &["Assertion"][..]),
            (Signed::Response, &["Response"]),
            (Signed::Both, &["Response", "Assertion"]),
        ] {
            let idp = idp(key, signed);
            let certificate = idp.current_key().certificate_pem().unwrap();
            let xml = response(&idp, Lie::Honest);
            for parent in parents {
                assert!(
                    xmlsec::verifies(xml.as_bytes(), parent, &certificate),
                    "{key:?} {signed:?} {parent}"
                );
                let tampered = xml.replacen("</saml:NameID>", "x</saml:NameID>", 1);
                assert!(!xmlsec::verifies(tampered.as_bytes(), parent, &certificate));
            }
        }
    }
}
