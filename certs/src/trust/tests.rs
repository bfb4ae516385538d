use base64::engine::general_purpose::STANDARD;
use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509Extension;

use super::*;
use crate::samples::{certificate, ec, p256, rsa, rsa_public};

fn trusted(nid: Nid) -> TrustedKey {
    TrustedKey::from_certificate_der(&certificate(&ec(nid), "idp")).unwrap()
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// A certificate with a comment (Netscape's, which everybody passes over) of that text.
fn with_comment(text: &str) -> Vec<u8> {
    let comment = Asn1Object::from_str("2.16.840.1.113730.1.13").unwrap();
    let value = Asn1OctetString::new_from_bytes(text.as_bytes()).unwrap();
    let comment = X509Extension::new_from_der(&comment, false, &value).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(rsa().public().pkey()).unwrap();
    let at = Asn1Time::from_unix(0).unwrap();
    builder.set_not_before(&at).unwrap();
    builder.set_not_after(&at).unwrap();
    builder.append_extension(comment).unwrap();
    builder
        .sign(rsa().private(), MessageDigest::sha256())
        .unwrap();
    builder.build().to_der().unwrap()
}

#[test]
fn a_certificate_is_shown_as_administrators_know_it_and_its_dates_do_not_decide() {
    let der = certificate(rsa().public().pkey(), "idp.test");
    let key = TrustedKey::from_certificate_der(&der).unwrap();
    assert_eq!(
        (key.subject.as_str(), key.kind),
        ("CN=idp.test, O=Test", KeyKind::Rsa { bits: 2048 })
    );
    assert_eq!(key.not_before.unwrap().to_string(), "2001-01-01T00:00:00Z");
    assert_eq!(key.not_after.unwrap().to_string(), "2001-12-31T23:59:59Z");
    assert_eq!(key.fingerprint_sha256.len(), 32 * 3 - 1);
    let first = format!("{:02X}:", sha256(&der)[0]);
    assert!(key.fingerprint_sha256.starts_with(&first));
}

#[test]
fn der_pem_and_bare_base64_are_the_same_certificate() {
    let der = certificate(p256().public().pkey(), "idp");
    let expected = TrustedKey::from_certificate_der(&der)
        .unwrap()
        .fingerprint_sha256;
    let base64 = STANDARD.encode(&der);
    let spaced: String = base64
        .chars()
        .flat_map(|character| [character, '\n', '\t', ' '])
        .collect();
    for text in [
        base64.as_str(),
        base64.trim_end_matches('='),
        &spaced,
        &pem(&der),
        &pem(&der).replace('\n', " "),
        &STANDARD.encode(pem(&der)),
    ] {
        assert_eq!(
            TrustedKey::from_certificate_base64(text)
                .unwrap()
                .fingerprint_sha256,
            expected
        );
    }
    let twice =
        TrustedKey::from_certificate_pem(format!("Bag Attributes\n{0}{0}", pem(&der)).as_bytes())
            .unwrap();
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[1].fingerprint_sha256, expected);
}

#[test]
fn what_is_not_exactly_one_certificate_is_refused() {
    let der = certificate(p256().public().pkey(), "idp");
    let longer = [der.as_slice(), &[0]].concat();
    let mut indefinite = der.clone();
    indefinite[1] = 0x80;
    for bytes in [
        &b""[..],
        b"0",
        b"\x30\x84\xff\xff\xff\xff",
        b"junk",
        &der[..der.len() - 1],
        &longer,
        &indefinite,
    ] {
        assert_eq!(
            TrustedKey::from_certificate_der(bytes).unwrap_err(),
            CertError::NotACertificate
        );
    }
    for text in ["", "é", "AAAA", "-----BEGIN CERTIFICATE-----"] {
        assert_eq!(
            TrustedKey::from_certificate_base64(text).unwrap_err(),
            CertError::NotACertificate
        );
        assert_eq!(
            TrustedKey::from_certificate_pem(text.as_bytes()).unwrap_err(),
            CertError::NotACertificate
        );
    }
    let several = STANDARD.encode(pem(&der).repeat(2));
    assert_eq!(
        TrustedKey::from_certificate_base64(&several).unwrap_err(),
        CertError::NotACertificate
    );
    let many = pem(&der).repeat(CERTIFICATES + 1);
    assert_eq!(
        TrustedKey::from_certificate_pem(many.as_bytes()).unwrap_err(),
        CertError::TooManyKeys
    );
}

/// X.690 §10.1: a length has one form only, so that a certificate has one fingerprint.
#[test]
fn a_length_that_is_spelled_out_at_length_is_refused() {
    let der = certificate(p256().public().pkey(), "idp");
    let body = der.len() - 4;
    let length = u32::try_from(body).unwrap().to_be_bytes();
    let long = [&[0x30, 0x85, 0], &length[..], &der[4..]].concat();
    assert_eq!(
        TrustedKey::from_certificate_der(&long).unwrap_err(),
        CertError::NotACertificate
    );
}

#[test]
fn the_longest_certificate_is_read_and_no_longer_one() {
    let of_length = |comment: usize| with_comment(&"a".repeat(comment));
    let around = of_length(CERTIFICATE_BYTES / 2).len() - CERTIFICATE_BYTES / 2;
    let longest = of_length(CERTIFICATE_BYTES - around);
    assert_eq!(longest.len(), 256 * 1024);
    assert!(TrustedKey::from_certificate_der(&longest).is_ok());
    let longer = of_length(CERTIFICATE_BYTES - around + 1);
    assert_eq!(
        TrustedKey::from_certificate_der(&longer).unwrap_err(),
        CertError::NotACertificate
    );
}

#[test]
fn the_longest_text_is_read_and_no_longer_one() {
    let der = certificate(p256().public().pkey(), "idp");
    let filled = |text: &str, length: usize| format!("{}{text}", " ".repeat(length - text.len()));
    let (base64, lines) = (STANDARD.encode(&der), pem(&der));
    let read = |length| {
        let base64 = TrustedKey::from_certificate_base64(&filled(&base64, length));
        let lines =
            TrustedKey::from_certificate_pem(filled(&format!("\n{lines}"), length).as_bytes());
        (base64.map(drop), lines.map(drop))
    };
    assert_eq!(read(CERTIFICATE_BYTES), (Ok(()), Ok(())));
    let refused = Err(CertError::NotACertificate);
    assert_eq!(read(CERTIFICATE_BYTES + 1), (refused.clone(), refused));
}

#[test]
fn a_subject_is_one_line_of_plain_text() {
    let der = certificate(p256().public().pkey(), "idp\n2026 admin\u{7f}\u{85}");
    let key = TrustedKey::from_certificate_der(&der).unwrap();
    assert_eq!(key.subject, "CN=idp2026 admin, O=Test");
}

#[test]
fn a_certificate_cut_or_changed_anywhere_never_panics() {
    let der = certificate(p256().public().pkey(), "idp");
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 0xff;
        let _ = TrustedKey::from_certificate_der(&changed);
        assert_eq!(
            TrustedKey::from_certificate_der(&der[..at]).unwrap_err(),
            CertError::NotACertificate
        );
    }
}

#[test]
fn keys_outside_the_policy_have_their_own_leaf() {
    let refusal = |der: Vec<u8>| TrustedKey::from_certificate_der(&der).unwrap_err();
    assert_eq!(
        refusal(certificate(&rsa_public(1024, 65537), "a")),
        CertError::KeyTooWeak
    );
    assert_eq!(
        refusal(certificate(&rsa_public(2047, 65537), "a")),
        CertError::KeyTooWeak
    );
    assert_eq!(
        refusal(certificate(&rsa_public(8193, 65537), "a")),
        CertError::KeyTooLarge
    );
    for exponent in [1, 2, 65536, (1 << 32) + 1, u64::MAX] {
        assert_eq!(
            refusal(certificate(&rsa_public(2048, exponent), "a")),
            CertError::UnsoundKey
        );
    }
    assert_eq!(
        refusal(certificate(&ec(Nid::SECP256K1), "a")),
        CertError::UnsupportedKey
    );
    assert_eq!(
        refusal(certificate(&ec(Nid::BRAINPOOL_P256R1), "a")),
        CertError::UnsupportedKey
    );
    assert_eq!(
        refusal(certificate(&PKey::generate_ed25519().unwrap(), "a")),
        CertError::UnsupportedKey
    );
    assert!(TrustedKey::from_certificate_der(&certificate(&rsa_public(8192, 3), "a")).is_ok());
}

#[test]
fn a_curve_spelled_out_instead_of_named_is_refused() {
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    group.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let der = certificate(&key, "a");
    assert_eq!(
        TrustedKey::from_certificate_der(&der).unwrap_err(),
        CertError::UnsupportedKey
    );
}

#[test]
fn trust_is_never_empty_merges_one_key_and_stops_at_eight() {
    assert_eq!(Trust::new(Vec::new()).unwrap_err(), CertError::NoKeys);
    let key = p256();
    let of = |name: &str| {
        TrustedKey::from_certificate_der(&certificate(key.public().pkey(), name)).unwrap()
    };
    let trust = Trust::new(vec![of("old"), of("new"), trusted(Nid::X9_62_PRIME256V1)]).unwrap();
    assert_eq!(trust.keys().len(), 2);
    assert_eq!(trust.keys()[0].subject, "CN=old, O=Test");
    let mut keys: Vec<TrustedKey> = (0..TRUST_KEYS)
        .map(|_| trusted(Nid::X9_62_PRIME256V1))
        .collect();
    keys.push(keys[0].clone());
    assert_eq!(Trust::new(keys.clone()).unwrap().keys().len(), TRUST_KEYS);
    keys.push(trusted(Nid::X9_62_PRIME256V1));
    assert_eq!(Trust::new(keys).unwrap_err(), CertError::TooManyKeys);
}
