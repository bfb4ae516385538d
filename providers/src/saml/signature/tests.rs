use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};

use super::*;
use crate::saml::test_signer::{
    Form, SAML, SAMLP, assertion, certificate, ec_key, element_range, response, rsa_key, sign,
    sign_as, signature_for,
};
use crate::saml::xml::{Document, Mode};

mod forms;
mod wrapping;

fn trust(key: &PKey<Private>) -> Trust {
    Trust::new(vec![
        TrustedKey::from_certificate_der(&certificate(key).to_der().unwrap()).unwrap(),
    ])
    .unwrap()
}

/// The NameID that a caller would read, and what was signed.
fn read(xml: &str, trust: &Trust, policy: SignaturePolicy) -> Result<(String, Signed), Refusal> {
    let document = Document::parse(xml.as_bytes(), Mode::Message)?;
    let shape = ResponseShape::of(&document)?;
    let verified = verify(&shape, trust, policy, Algorithms::default())?;
    let name_id = verified
        .assertion()
        .descendants()
        .find(|e| e.local_name() == "NameID")
        .unwrap();
    Ok((name_id.leaf().unwrap().to_owned(), verified.signed()))
}

fn refusal(xml: &str, trust: &Trust) -> Refusal {
    read(xml, trust, SignaturePolicy::Any).expect_err(xml)
}

#[test]
fn each_place_of_the_signature_is_accepted() {
    let key = ec_key();
    let trust = trust(&key);
    let assertion_signed = sign(&response("alice"), "a1", &key);
    for (xml, signed) in [
        (sign(&response("alice"), "r1", &key), Signed::Response),
        (sign(&assertion_signed, "r1", &key), Signed::Both),
        (assertion_signed, Signed::Assertion),
    ] {
        let expected = ("alice".to_owned(), signed);
        assert_eq!(
            read(&xml, &trust, SignaturePolicy::Any).unwrap(),
            expected,
            "{xml}"
        );
    }
}

#[test]
fn the_policy_decides_which_signatures_must_be_there() {
    let key = ec_key();
    let trust = trust(&key);
    let assertion_signed = sign(&response("alice"), "a1", &key);
    let response_signed = sign(&response("alice"), "r1", &key);
    let both = sign(&assertion_signed, "r1", &key);
    let refused = |xml: &str, policy| read(xml, &trust, policy).unwrap_err();
    for policy in [SignaturePolicy::Response, SignaturePolicy::Both] {
        assert_eq!(
            refused(&assertion_signed, policy),
            SamlRefusal::ResponseNotSigned
        );
    }
    for policy in [SignaturePolicy::Assertion, SignaturePolicy::Both] {
        assert_eq!(
            refused(&response_signed, policy),
            SamlRefusal::AssertionNotSigned
        );
        assert_eq!(read(&both, &trust, policy).unwrap().1, Signed::Both);
    }
    assert!(read(&assertion_signed, &trust, SignaturePolicy::Assertion).is_ok());
    assert!(read(&response_signed, &trust, SignaturePolicy::Response).is_ok());
}

/// The templates are in canonical form, so that what was signed is the text before its own signature came in.
#[test]
fn the_octets_of_the_outermost_signature_are_handed_on() {
    let key = ec_key();
    let trust = trust(&key);
    let plain = response("alice");
    let (start, end) = element_range(&plain, "a1");
    let assertion_signed = sign(&plain, "a1", &key);
    for (xml, octets) in [
        (&assertion_signed, &plain[start..end]),
        (&sign(&plain, "r1", &key), &plain),
        (&sign(&assertion_signed, "r1", &key), &assertion_signed),
    ] {
        let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
        let shape = ResponseShape::of(&document).unwrap();
        let verified = verify(&shape, &trust, SignaturePolicy::Any, Algorithms::default()).unwrap();
        assert_eq!(verified.signed_octets(), octets.as_bytes(), "{xml}");
    }
}

#[test]
fn unsigned_and_empty_responses_are_refused() {
    let key = ec_key();
    let trust = trust(&key);
    assert_eq!(
        refusal(&response("alice"), &trust),
        SamlRefusal::SignatureMissing
    );
    let (start, end) = element_range(&response("alice"), "a1");
    let mut empty = response("alice");
    empty.replace_range(start..end, "");
    assert_eq!(
        refusal(&sign(&empty, "r1", &key), &trust),
        SamlRefusal::AssertionMissing
    );
    let cipher = "<xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"><xenc:EncryptionMethod Algorithm=\"urn:cipher\"/></xenc:EncryptedData>";
    for (inside, found) in [("", "an encrypted assertion"), (cipher, "urn:cipher")] {
        let encrypted =
            format!("<saml:EncryptedAssertion {SAML}>{inside}</saml:EncryptedAssertion>");
        let mut hidden = response("alice");
        hidden.replace_range(start..end, &encrypted);
        let refused = refusal(&sign(&hidden, "r1", &key), &trust);
        assert_eq!(refused, SamlRefusal::EncryptedAssertion);
        assert_eq!(refused.evidence().found.as_deref(), Some(found));
    }
}

#[test]
fn every_signature_that_is_there_must_verify() {
    let key = ec_key();
    let trust = trust(&key);
    let good = sign(&sign(&response("alice"), "a1", &key), "r1", &key);
    let response_broken = good.replace("status:Success", "status:Succe55");
    assert_eq!(
        refusal(&response_broken, &trust),
        SamlRefusal::DigestMismatch
    );
    let assertion_broken = sign(
        &sign(&response("alice"), "a1", &key).replace("alice", "admin"),
        "r1",
        &key,
    );
    assert_eq!(
        refusal(&assertion_broken, &trust),
        SamlRefusal::DigestMismatch
    );
}

#[test]
fn any_trusted_key_may_sign_and_is_named() {
    let (old, new) = (ec_key(), rsa_key());
    let keys = [&old, &new].map(|key| trust(key).keys()[0].clone());
    let both = Trust::new(keys.to_vec()).unwrap();
    for (key, expected) in [(&old, &keys[0]), (&new, &keys[1])] {
        let xml = sign(&response("alice"), "a1", key);
        let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
        let shape = ResponseShape::of(&document).unwrap();
        let verified = verify(&shape, &both, SignaturePolicy::Any, Algorithms::default()).unwrap();
        assert_eq!(
            verified.key().fingerprint_sha256,
            expected.fingerprint_sha256
        );
    }
}

#[test]
fn an_unknown_key_is_told_from_a_broken_signature() {
    let (key, other) = (ec_key(), ec_key());
    let trust = trust(&key);
    let (own, foreign) = (certificate(&key), certificate(&other));
    let signed_by = |key, certificate| {
        sign_as(
            &response("alice"),
            "a1",
            key,
            &Form {
                certificate,
                ..Form::default()
            },
        )
    };
    assert_eq!(
        refusal(&signed_by(&other, None), &trust),
        SamlRefusal::SignatureInvalid
    );
    assert_eq!(
        refusal(&signed_by(&other, Some(&own)), &trust),
        SamlRefusal::SignatureInvalid
    );
    let unknown = refusal(&signed_by(&other, Some(&foreign)), &trust);
    assert_eq!(unknown, SamlRefusal::KeyUnknown);
    let fingerprint =
        |key: &PKey<Private>| super::tests::trust(key).keys()[0].fingerprint_sha256.len();
    assert_eq!(unknown.evidence().found.unwrap().len(), fingerprint(&other));
    // The certificate that is carried along does not decide anything else.
    assert!(
        read(
            &signed_by(&key, Some(&foreign)),
            &trust,
            SignaturePolicy::Any
        )
        .is_ok()
    );
}

#[test]
fn other_elements_are_verified_the_same_way() {
    let key = ec_key();
    let xml = format!(
        "<samlp:LogoutRequest {SAMLP} ID=\"l1\"><saml:Issuer {SAML}>i</saml:Issuer></samlp:LogoutRequest>"
    );
    let signed = sign(&xml, "l1", &key);
    let check = |xml: &str| {
        let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
        verify_enveloped(document.root(), &trust(&key), Algorithms::default())
            .map(|covered| covered.element() == document.root())
    };
    assert_eq!(check(&signed), Ok(true));
    assert_eq!(check(&xml).unwrap_err(), SamlRefusal::SignatureMissing);
    let (start, end) = (
        signed.find("<ds:Signature ").unwrap(),
        signed.find("</samlp:").unwrap(),
    );
    let twice = format!(
        "{}{}{}",
        &signed[..end],
        &signed[start..end],
        &signed[end..]
    );
    assert_eq!(check(&twice).unwrap_err(), SamlRefusal::SignaturesSeveral);
}

/// Any change of one byte is refused, or leaves what a caller reads as it was.
#[test]
fn no_single_byte_changes_what_is_read() {
    let key = ec_key();
    let trust = trust(&key);
    let good = sign(&response("alice"), "a1", &key);
    let octets = assertion_octets(good.as_bytes(), &trust).unwrap();
    for at in 0..good.len() {
        for byte in [
            b'<',
            b'>',
            b'"',
            b'&',
            b' ',
            b'a',
            b':',
            b'/',
            b'\r',
            0,
            0xff,
            good.as_bytes()[at] ^ 1,
            good.as_bytes()[at] ^ 0x20,
        ] {
            let mut changed = good.clone().into_bytes();
            changed[at] = byte;
            if let Ok(read) = assertion_octets(&changed, &trust) {
                assert_eq!(read, octets, "byte {at} as {byte:#x}");
            }
        }
        let mut cut = good.clone().into_bytes();
        cut.remove(at);
        if let Ok(read) = assertion_octets(&cut, &trust) {
            assert_eq!(read, octets, "without byte {at}");
        }
    }
}

/// The canonical form of the verified assertion without its signature.
fn assertion_octets(xml: &[u8], trust: &Trust) -> Result<Vec<u8>, Refusal> {
    let document = Document::parse(xml, Mode::Message)?;
    let shape = ResponseShape::of(&document)?;
    let verified = verify(&shape, trust, SignaturePolicy::Any, Algorithms::default())?;
    let mut octets = Vec::new();
    canonicalize(
        verified.assertion(),
        shape.assertion_signature,
        &[],
        &mut octets,
    );
    Ok(octets)
}
