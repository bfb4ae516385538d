use openssl::ec::{EcKey, EcPoint};
use openssl::hash::MessageDigest;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::sign::Signer;

use super::*;
use crate::samples;

const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

fn public(key: &PKey<Private>) -> PublicKey {
    PublicKey::from_spki_der(&key.public_key_to_der().unwrap()).unwrap()
}

fn digest(digest: Digest) -> MessageDigest {
    match digest {
        Digest::Sha1 => MessageDigest::sha1(),
        Digest::Sha256 => MessageDigest::sha256(),
        Digest::Sha384 => MessageDigest::sha384(),
        Digest::Sha512 => MessageDigest::sha512(),
    }
}

fn rsa_signature(hash: Digest, padding: Padding) -> Vec<u8> {
    let key = samples::rsa();
    let mut signer = Signer::new(digest(hash), key.private()).unwrap();
    signer.set_rsa_padding(padding).unwrap();
    if padding == Padding::PKCS1_PSS {
        signer
            .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
            .unwrap();
    }
    signer.sign_oneshot_to_vec(b"message").unwrap()
}

fn ecdsa_signature(key: &PKey<Private>, curve: Curve, hash: Digest) -> Vec<u8> {
    let pair = EcdsaSig::sign(&hash.of(b"message"), &key.ec_key().unwrap()).unwrap();
    let width = i32::try_from(curve.octets()).unwrap();
    [
        pair.r().to_vec_padded(width).unwrap(),
        pair.s().to_vec_padded(width).unwrap(),
    ]
    .concat()
}

#[test]
fn rsa_verifies_with_every_hash_and_only_with_its_own() {
    let hashes = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];
    let key = samples::rsa().public().clone();
    for made_with in hashes {
        let (plain, pss) = (
            rsa_signature(made_with, Padding::PKCS1),
            rsa_signature(made_with, Padding::PKCS1_PSS),
        );
        for tried in hashes {
            let expected = if tried == made_with {
                Ok(())
            } else {
                Err(CertError::SignatureInvalid)
            };
            assert_eq!(
                key.verify(Scheme::RsaPkcs1(tried), b"message", &plain),
                expected
            );
            assert_eq!(
                key.verify(Scheme::RsaPss(tried), b"message", &pss),
                expected
            );
            assert_eq!(
                key.verify(Scheme::RsaPkcs1(tried), b"message", &pss),
                Err(CertError::SignatureInvalid)
            );
            assert_eq!(
                key.verify(Scheme::RsaPss(tried), b"message", &plain),
                Err(CertError::SignatureInvalid)
            );
        }
    }
}

#[test]
fn ecdsa_verifies_with_every_curve_and_sha2() {
    for curve in CURVES {
        let key = samples::ec(curve.nid());
        for hash in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
            let signature = ecdsa_signature(&key, curve, hash);
            let verifier = public(&key);
            assert_eq!(
                verifier.verify(Scheme::Ecdsa(hash), b"message", &signature),
                Ok(())
            );
            assert_eq!(
                verifier.verify(Scheme::Ecdsa(hash), b"massage", &signature),
                Err(CertError::SignatureInvalid)
            );
        }
    }
}

#[test]
fn a_scheme_of_another_family_is_refused() {
    let ec = samples::p256();
    let hash = Digest::Sha256;
    for scheme in [Scheme::RsaPkcs1(hash), Scheme::RsaPss(hash)] {
        assert_eq!(
            ec.public().verify(scheme, b"", &[0; 64]),
            Err(CertError::AlgorithmMismatch)
        );
    }
    let rsa = samples::rsa();
    assert_eq!(
        rsa.public().verify(Scheme::Ecdsa(hash), b"", &[0; 256]),
        Err(CertError::AlgorithmMismatch)
    );
}

#[test]
fn an_ecdsa_signature_has_its_curves_width_and_numbers_inside_the_order() {
    for curve in CURVES {
        let key = samples::ec(curve.nid());
        let (verifier, width) = (public(&key), curve.octets());
        let good = ecdsa_signature(&key, curve, Digest::Sha256);
        let order = order_of(curve)
            .unwrap()
            .to_vec_padded(i32::try_from(width).unwrap())
            .unwrap();
        let (r, s) = good.split_at(width);
        let zero = vec![0; width];
        let shapes = [
            vec![],
            good[1..].to_vec(),
            [&[0], good.as_slice()].concat(),
            [good.as_slice(), &[0]].concat(),
            [&[0], r, &[0], s].concat(),
            [&zero, s].concat(),
            [r, &zero].concat(),
            [&order, s].concat(),
            [r, &order].concat(),
            vec![0xff; 2 * width],
        ];
        for shape in shapes {
            let verdict = verifier.verify(Scheme::Ecdsa(Digest::Sha256), b"message", &shape);
            assert_eq!(
                verdict,
                Err(CertError::SignatureMalformed),
                "{curve:?} {}",
                shape.len()
            );
        }
    }
}

#[test]
fn a_der_encoded_ecdsa_signature_is_refused() {
    let key = samples::ec(Nid::X9_62_PRIME256V1);
    let pair = EcdsaSig::sign(&Digest::Sha256.of(b"message"), &key.ec_key().unwrap()).unwrap();
    let verdict = public(&key).verify(
        Scheme::Ecdsa(Digest::Sha256),
        b"message",
        &pair.to_der().unwrap(),
    );
    assert_eq!(verdict, Err(CertError::SignatureMalformed));
}

#[test]
fn an_rsa_signature_changed_cut_or_lengthened_is_refused() {
    let key = samples::rsa().public().clone();
    let good = rsa_signature(Digest::Sha256, Padding::PKCS1);
    let refused = |signature: &[u8]| {
        let verdict = key.verify(Scheme::RsaPkcs1(Digest::Sha256), b"message", signature);
        assert_eq!(verdict, Err(CertError::SignatureInvalid));
    };
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        refused(&changed);
        refused(&good[..at]);
    }
    refused(&[&[0], good.as_slice()].concat());
    refused(&[good.as_slice(), &[0]].concat());
    refused(&[0xff; 256]);
}

/// The padding of RFC 8017 §9.2 is unique: fewer 0xff octets with the rest behind the hash forge with e = 3
/// (Bleichenbacher, 2006).
#[test]
fn a_short_padding_with_garbage_behind_the_hash_is_refused() {
    let key = samples::rsa();
    let prefix = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let info = [prefix.as_slice(), &Digest::Sha256.of(b"message")].concat();
    let private: Rsa<Private> = key.private().rsa().unwrap();
    let signature_of = |padding: usize| {
        let mut block = [&[0, 1], vec![0xff; padding].as_slice(), &[0], &info].concat();
        block.resize(256, 0xaa);
        let mut signature = vec![0; 256];
        private
            .private_encrypt(&block, &mut signature, Padding::NONE)
            .unwrap();
        signature
    };
    let verdict = |padding| {
        key.public().verify(
            Scheme::RsaPkcs1(Digest::Sha256),
            b"message",
            &signature_of(padding),
        )
    };
    assert_eq!(verdict(256 - 3 - info.len()), Ok(()));
    for padding in [8, 100, 256 - 4 - info.len()] {
        assert_eq!(verdict(padding), Err(CertError::SignatureInvalid));
    }
}

#[test]
fn one_key_serves_many_threads_and_failures_leave_no_trace() {
    let key = samples::rsa().public().clone();
    let good = rsa_signature(Digest::Sha256, Padding::PKCS1);
    let scheme = Scheme::RsaPkcs1(Digest::Sha256);
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(key.verify(scheme, b"message", &good), Ok(()));
                    assert_eq!(
                        key.verify(scheme, b"another", &good),
                        Err(CertError::SignatureInvalid)
                    );
                    assert_eq!(
                        key.verify(scheme, b"message", &good[1..]),
                        Err(CertError::SignatureInvalid)
                    );
                }
            });
        }
    });
}

#[test]
fn junk_is_not_a_public_key() {
    for der in [&b""[..], b"junk", &samples::rsa().to_pkcs8_der().unwrap()] {
        assert_eq!(
            PublicKey::from_spki_der(der).unwrap_err(),
            CertError::NotAKey
        );
    }
}

#[test]
fn a_key_is_shown_by_its_kind() {
    let shown = format!("{:?}", samples::rsa().public());
    assert_eq!(shown, "PublicKey(Rsa { bits: 2048 })");
}

/// OpenSSL's own decoder refuses it before us; whoever hands us a key in memory has not asked it.
#[test]
fn the_neutral_point_is_no_key_even_undecoded() {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let neutral = EcKey::from_public_key(&group, &EcPoint::new(&group).unwrap()).unwrap();
    let key = PKey::from_ec_key(neutral).unwrap();
    assert_eq!(PublicKey::new(key).unwrap_err(), CertError::UnsoundKey);
}

#[test]
fn the_neutral_point_and_points_off_the_curve_are_not_keys() {
    let head =
        b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    let neutral = [b"\x30\x19", head.as_slice(), b"\x03\x02\x00\x00"].concat();
    assert_eq!(
        PublicKey::from_spki_der(&neutral).unwrap_err(),
        CertError::UnsoundKey
    );
    let mut spki = samples::p256().public().pkey().public_key_to_der().unwrap();
    let last = spki.len() - 1;
    spki[last] ^= 1;
    assert_eq!(
        PublicKey::from_spki_der(&spki).unwrap_err(),
        CertError::NotAKey
    );
}
