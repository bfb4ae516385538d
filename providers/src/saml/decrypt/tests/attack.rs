//! What an attacker makes of encrypted responses, by entry of the catalogue of attacks.

use super::*;

const SAML: &str = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";

fn unsigned_assertion(inside: &str) -> String {
    format!("<saml:Assertion ID=\"a9\" Version=\"2.0\">{inside}</saml:Assertion>")
}

/// Entry 9: the wrapping happens inside the plain text, which anybody can write.
#[test]
fn wrapping_inside_the_plain_text_is_refused() {
    assert_eq!(
        refused(fixture!("encrypted/gcm256-wrapped.xml")),
        SamlRefusal::AssertionMisplaced
    );
    let signature = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>";
    for (inside, leaf) in [
        (
            "<saml:EncryptedAssertion></saml:EncryptedAssertion>".to_owned(),
            SamlRefusal::AssertionMisplaced,
        ),
        (
            "<samlp:Response></samlp:Response>".to_owned(),
            SamlRefusal::ResponseNested,
        ),
        (
            format!("{signature}{signature}"),
            SamlRefusal::SignaturesSeveral,
        ),
        (
            format!("<saml:Advice>{signature}</saml:Advice>"),
            SamlRefusal::SignatureMisplaced,
        ),
        (
            "<saml:Subject ID=\"x\"></saml:Subject>".to_owned(),
            SamlRefusal::IdPolluted,
        ),
        (signature.to_owned(), SamlRefusal::SignatureProfile),
        (
            "<saml:Subject><saml:EncryptedID></saml:EncryptedID></saml:Subject>".to_owned(),
            SamlRefusal::SignatureMissing,
        ),
    ] {
        let plain = unsigned_assertion(&inside);
        assert_eq!(refused(&sealed(plain.as_bytes(), false)), leaf, "{inside}");
        // AES-CBC tells nothing of it.
        let silent = verified(&sealed(plain.as_bytes(), true), Cbc::Allowed).unwrap_err();
        assert_eq!(silent, SamlRefusal::DecryptionFailed);
    }
}

#[test]
fn only_one_assertion_is_plain_text() {
    let whole = unsigned_assertion("");
    for (plain, leaf) in [
        (String::new(), SamlRefusal::XmlMalformed),
        ("no markup".to_owned(), SamlRefusal::XmlMalformed),
        (format!("{whole}{whole}"), SamlRefusal::XmlMalformed),
        (format!("<!DOCTYPE a>{whole}"), SamlRefusal::XmlDoctype),
        (format!("{whole}<!-- -->"), SamlRefusal::XmlComment),
        ("<saml:Subject/>".to_owned(), SamlRefusal::AssertionMissing),
        (
            "<samlp:Response/>".to_owned(),
            SamlRefusal::AssertionMissing,
        ),
        (
            "<Assertion ID=\"a9\" Version=\"2.0\"/>".to_owned(),
            SamlRefusal::AssertionMissing,
        ),
        (whole.replace("2.0", "1.1"), SamlRefusal::VersionUnsupported),
        (whole.replace("a9", "r1"), SamlRefusal::IdRepeated),
        (whole.replace(" ID=\"a9\"", ""), SamlRefusal::IdMissing),
        (
            unsigned_assertion("<saml:Advice>".repeat(40).as_str()),
            SamlRefusal::XmlLimit,
        ),
    ] {
        let refusal = refused(&sealed(plain.as_bytes(), false));
        assert_eq!(refusal, leaf, "{plain}");
        let evidence = refusal.evidence();
        assert_eq!((evidence.expected, evidence.found), (None, None), "{plain}");
        let silent = verified(&sealed(plain.as_bytes(), true), Cbc::Allowed).unwrap_err();
        assert_eq!(format!("{silent:?}"), "Refusal(saml.decryption_failed)");
    }
}

/// A declaration that nothing uses is in nobody's signed octets, so that a stranger could have bound the prefix.
#[test]
fn declarations_around_count_only_where_they_are_used() {
    let around = "<samlp:Response ";
    let declared = |xml: &str| edited(xml, around, "<samlp:Response xmlns:x=\"urn:x\" ");
    let plain = unsigned_assertion("<x:a></x:a>");
    assert_eq!(
        refused(&declared(&sealed(plain.as_bytes(), false))),
        SamlRefusal::XmlNamespace
    );
    let own = unsigned_assertion("<x:a xmlns:x=\"urn:x\"></x:a>");
    assert_eq!(
        refused(&sealed(own.as_bytes(), false)),
        SamlRefusal::SignatureMissing
    );
    // A used declaration that another one hides at the place of the cipher text.
    let hidden = edited(
        &sealed(unsigned_assertion("").as_bytes(), false),
        "<saml:EncryptedAssertion>",
        "<s:EncryptedAssertion xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:saml=\"urn:x\">",
    )
    .replace("</saml:EncryptedAssertion>", "</s:EncryptedAssertion>");
    assert_eq!(refused(&hidden), SamlRefusal::XmlNamespace);
}

/// Entry 111.
#[test]
fn an_unsigned_assertion_in_an_unsigned_response_is_refused() {
    assert_eq!(refused(UNSIGNED), SamlRefusal::SignatureMissing);
    let silent = verified(fixture!("encrypted/cbc256-unsigned.xml"), Cbc::Allowed).unwrap_err();
    assert_eq!(silent, SamlRefusal::DecryptionFailed);
}

/// Entry 112: altered padding, altered text and text that was never an assertion look alike, octet for octet.
#[test]
fn altered_cbc_is_refused_alike_whatever_it_becomes() {
    for at in 0..CBC.len() / 8 {
        let altered = with_content(CBC, |octets| {
            let length = octets.len();
            octets[length - 1 - at % length] ^= 1 << (at % 8);
        });
        if let Err(refusal) = verified(&altered, Cbc::Allowed) {
            assert_eq!(format!("{refusal:?}"), "Refusal(saml.decryption_failed)");
        }
    }
    for cut in [1, 15, 16, 17, 32] {
        let cut = with_content(CBC, |octets| octets.truncate(octets.len() - cut));
        let refusal = verified(&cut, Cbc::Allowed).unwrap_err();
        assert_eq!(format!("{refusal:?}"), "Refusal(saml.decryption_failed)");
    }
}

/// One Bad Apple (Jager, Paterson, Somorovsky 2013): the octets of GCM, presented as CBC.
#[test]
fn gcm_presented_as_cbc_is_refused() {
    let presented = edited(GCM, "2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#aes256-cbc");
    assert_eq!(refused(&presented), SamlRefusal::EncryptionAlgorithm);
    let silent = verified(&presented, Cbc::Allowed).unwrap_err();
    assert_eq!(silent, SamlRefusal::DecryptionFailed);
}

/// Entry 113, and other outdated methods: refused before a private key is used.
#[test]
fn outdated_methods_are_refused_by_name_and_cost_no_private_operation() {
    let keys = [ours()];
    let case = Case {
        cbc: Cbc::Allowed,
        ..Case::with(&keys)
    };
    for (xml, found) in [
        (
            fixture!("encrypted/rsa15-assertion.xml"),
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        ),
        (
            fixture!("encrypted/des-assertion.xml"),
            "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
        ),
    ] {
        let refusal = case.verify(xml).0.unwrap_err();
        assert_eq!(refusal, SamlRefusal::EncryptionAlgorithm);
        assert_eq!(refusal.evidence().found.as_deref(), Some(found));
    }
    let unknown = edited(GCM, "xmlenc11#aes256-gcm", "xmlenc11#aes512-gcm");
    assert_eq!(
        case.verify(&unknown).0.unwrap_err(),
        SamlRefusal::EncryptionAlgorithm
    );
    assert_eq!(keys[0].operations(), 0);
}

/// Entry 114.
#[test]
fn a_cut_tag_vector_or_key_is_refused() {
    for cut in 1..=16 {
        let short = with_content(GCM, |octets| octets.truncate(octets.len() - cut));
        assert_eq!(refused(&short), SamlRefusal::DecryptionFailed, "{cut}");
        let short = with_content(GCM, |octets| drop(octets.drain(..cut)));
        assert_eq!(refused(&short), SamlRefusal::DecryptionFailed, "{cut}");
    }
    for length in [0, 11, 27, 28] {
        let short = with_content(GCM, |octets| octets.truncate(length));
        assert_eq!(refused(&short), SamlRefusal::DecryptionFailed, "{length}");
    }
    // The key of another size than the cipher's.
    let presented = edited(GCM, "xmlenc11#aes256-gcm", "xmlenc11#aes128-gcm");
    assert_eq!(refused(&presented), SamlRefusal::DecryptionFailed);
    for size in [0, 1, 16, 24, 31, 33] {
        let key = vec![3; size];
        let xml = sealed_with(&key, &gcm(&[3; 32], b"<a/>"), false);
        assert_eq!(refused(&xml), SamlRefusal::DecryptionFailed, "{size}");
    }
}

/// Entry 115: the signature is good, and what is inside is refused by its own name.
#[test]
fn nothing_else_may_be_encrypted() {
    for (xml, leaf) in [
        (
            fixture!("encrypted/gcm256-encrypted-id.xml"),
            SamlRefusal::EncryptedId,
        ),
        (
            fixture!("encrypted/gcm256-encrypted-attribute.xml"),
            SamlRefusal::EncryptedAttribute,
        ),
    ] {
        assert_eq!(refused(xml), leaf);
    }
}

#[test]
fn what_was_encrypted_to_another_key_is_refused_without_a_reason() {
    let strangers = [strangers()];
    let refusal = Case::with(&strangers).verify(GCM).0.unwrap_err();
    assert_eq!(refusal, SamlRefusal::DecryptionFailed);
    assert_eq!(format!("{refusal:?}"), "Refusal(saml.decryption_failed)");
}

#[test]
fn an_altered_gcm_response_is_refused_and_costs_one_private_operation() {
    let keys = [ours()];
    for at in [0, 11, 12, 500, 1000] {
        let altered = with_content(GCM, |octets| octets[at] ^= 1);
        let refusal = Case::with(&keys).verify(&altered).0.unwrap_err();
        assert_eq!(refusal, SamlRefusal::DecryptionFailed);
    }
    assert_eq!(keys[0].operations(), 5);
}

#[test]
fn an_altered_response_that_is_signed_costs_no_private_operation() {
    let keys = [ours()];
    let altered = with_content(RESPONSE, |octets| octets[20] ^= 1);
    let refusal = Case::with(&keys).verify(&altered).0.unwrap_err();
    assert_eq!(refusal, SamlRefusal::DigestMismatch);
    assert_eq!(keys[0].operations(), 0);
}

#[test]
fn an_encrypted_assertion_and_another_one_are_two() {
    let clear = format!("<saml:Assertion {SAML} ID=\"a2\" Version=\"2.0\"></saml:Assertion>");
    let start = GCM.find("<saml:EncryptedAssertion>").unwrap();
    let end = GCM.find("</samlp:Response>").unwrap();
    for more in [&clear, &GCM[start..end]] {
        for at in [start, end] {
            let mut xml = GCM.to_owned();
            xml.insert_str(at, more);
            assert_eq!(refused(&xml), SamlRefusal::AssertionsSeveral);
        }
    }
}

#[test]
fn foreign_forms_are_refused_before_a_private_key_is_used() {
    let keys = [ours()];
    let value = "<xenc:CipherValue>";
    for (find, replace) in [
        (
            "Type=\"http://www.w3.org/2001/04/xmlenc#Element\"",
            "Type=\"http://www.w3.org/2001/04/xmlenc#Content\"",
        ),
        (
            "<saml:EncryptedAssertion>",
            "<saml:EncryptedAssertion><saml:Advice/>",
        ),
        (
            value,
            "<xenc:CipherReference URI=\"http://127.0.0.1/\"/><xenc:CipherValue>",
        ),
        (value, "<xenc:CipherValue>*"),
        (value, "<xenc:CipherValue/><xenc:CipherValue>"),
        (
            "</xenc:CipherData></xenc:EncryptedData>",
            "</xenc:CipherData><xenc:EncryptionProperties/></xenc:EncryptedData>",
        ),
        (
            "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>",
            "",
        ),
        (
            "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>",
            "",
        ),
        (
            "xmlenc11#aes256-gcm\"/>",
            "xmlenc11#aes256-gcm\"><xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>",
        ),
        (
            "<xenc:EncryptedKey>",
            "<xenc:EncryptedKey Type=\"http://www.w3.org/2001/04/xmlenc#Element\">",
        ),
        ("xenc:EncryptedKey", "xenc:DerivedKey"),
        ("xenc:EncryptedData", "xenc:EncryptedKey"),
        ("xenc:CipherValue", "xenc:CipherReference"),
        (
            "</xenc:EncryptedKey>",
            "<xenc:EncryptionProperties/></xenc:EncryptedKey>",
        ),
        (
            "</xenc:EncryptedData>",
            "<xenc:ReferenceList/></xenc:EncryptedData>",
        ),
        (
            "</xenc:EncryptedData>",
            "<xenc:CarriedKeyName>k</xenc:CarriedKeyName></xenc:EncryptedData>",
        ),
    ] {
        let xml = edited(GCM, find, replace);
        let refusal = Case::with(&keys).verify(&xml).0.unwrap_err();
        assert_eq!(refusal, SamlRefusal::EncryptionProfile, "{replace}");
    }
    assert_eq!(keys[0].operations(), 0);
}

/// The largest that fits into a message: one private operation, and no more than its octets are worth.
#[test]
fn a_huge_cipher_text_costs_one_private_operation() {
    let keys = [ours()];
    let huge = with_content(GCM, |octets| octets.resize(180_000, 0));
    let began = std::time::Instant::now();
    let refusal = Case::with(&keys).verify(&huge).0.unwrap_err();
    assert_eq!(refusal, SamlRefusal::DecryptionFailed);
    assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
    assert_eq!(keys[0].operations(), 1);
    let beyond = with_content(GCM, |octets| octets.resize(260_000, 0));
    let refusal = Case::with(&keys).verify(&beyond).0.unwrap_err();
    assert_eq!(refusal, SamlRefusal::ResponseTooLarge);
}
