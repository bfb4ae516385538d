use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::nid::Nid;
use serde_json::json;

use super::*;
use crate::samples;

fn parse(keys: &Value) -> Result<Jwks, CertError> {
    Jwks::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn without(mut jwk: Value, names: &[&str]) -> Value {
    for name in names {
        jwk.as_object_mut().unwrap().remove(*name);
    }
    jwk
}

fn p256() -> Value {
    samples::p256().public_jwk().clone()
}

fn rsa_jwk(bits: i32, exponent: u64) -> Value {
    let mut modulus = BigNum::from_u32(1).unwrap();
    modulus.set_bit(bits - 1).unwrap();
    let exponent = BigNum::from_dec_str(&exponent.to_string()).unwrap();
    let text = |number: &BigNum| URL_SAFE_NO_PAD.encode(number.to_vec());
    json!({ "kty": "RSA", "kid": "r", "n": text(&modulus), "e": text(&exponent) })
}

fn skipped_for(jwk: &Value) -> CertError {
    let jwks = parse(&json!([jwk])).unwrap();
    assert!(jwks.keys().is_empty());
    jwks.skipped()[0].reason.clone()
}

#[test]
fn all_three_curves_and_rsa_are_read() {
    let curves = [(Nid::SECP384R1, "P-384", 48), (Nid::SECP521R1, "P-521", 66)];
    let mut keys = vec![samples::rsa().public_jwk().clone(), p256()];
    for (nid, name, width) in curves {
        let key = samples::ec(nid).ec_key().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut scratch = openssl::bn::BigNumContext::new().unwrap();
        key.public_key()
            .affine_coordinates(key.group(), &mut x, &mut y, &mut scratch)
            .unwrap();
        let text = |number: &BigNum| URL_SAFE_NO_PAD.encode(number.to_vec_padded(width).unwrap());
        keys.push(json!({ "kty": "EC", "crv": name, "x": text(&x), "y": text(&y) }));
    }
    let jwks = parse(&Value::Array(keys)).unwrap();
    assert_eq!((jwks.keys().len(), jwks.skipped().len()), (4, 0));
    assert!(jwks.find(None, JwsAlgorithm::Es512).is_ok());
}

#[test]
fn keys_of_unknown_kinds_and_bad_values_are_skipped_with_their_reason() {
    let far = "B".repeat(42) + "A";
    let cases = [
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "x": far }),
            CertError::UnsupportedKey,
        ),
        (json!({ "kty": "AKP" }), CertError::UnsupportedKey),
        (json!({}), CertError::UnsupportedKey),
        (
            with(p256(), "crv", json!("secp256k1")),
            CertError::UnsupportedKey,
        ),
        (
            with(p256(), "alg", json!("ECDH-ES")),
            CertError::UnsupportedKey,
        ),
        (
            with(p256(), "alg", json!("ES384")),
            CertError::AlgorithmMismatch,
        ),
        (
            with(p256(), "alg", json!("RS256")),
            CertError::AlgorithmMismatch,
        ),
        (with(p256(), "x", json!(far)), CertError::UnsoundKey),
        (with(p256(), "x", json!("AA")), CertError::NotAKey),
        (with(p256(), "x", json!(7)), CertError::NotAKey),
        (with(p256(), "crv", json!("P-384")), CertError::NotAKey),
        (without(p256(), &["y"]), CertError::NotAKey),
        (rsa_jwk(2047, 65537), CertError::KeyTooWeak),
        (rsa_jwk(8193, 65537), CertError::KeyTooLarge),
        (rsa_jwk(900_000, 65537), CertError::KeyTooLarge),
        (rsa_jwk(2048, 1), CertError::UnsoundKey),
        (rsa_jwk(2048, 65536), CertError::UnsoundKey),
        (rsa_jwk(2048, (1 << 32) + 1), CertError::UnsoundKey),
        (
            json!({ "kty": "RSA", "n": "", "e": "" }),
            CertError::KeyTooWeak,
        ),
    ];
    for (jwk, reason) in cases {
        assert_eq!(skipped_for(&jwk), reason, "{jwk:.200}");
    }
    assert_eq!(
        parse(&json!([
            rsa_jwk(8192, u64::from(u32::MAX)),
            rsa_jwk(2048, 3)
        ]))
        .unwrap_err(),
        CertError::DuplicateKeyId
    );
}

#[test]
fn a_token_that_names_a_skipped_key_is_told_why() {
    let jwks = parse(&json!([rsa_jwk(1024, 65537), p256()])).unwrap();
    assert_eq!(
        jwks.find(Some("r"), JwsAlgorithm::Rs256).unwrap_err(),
        CertError::KeyTooWeak
    );
    assert_eq!(
        jwks.find(Some("s"), JwsAlgorithm::Rs256).unwrap_err(),
        CertError::KeyUnknown
    );
}

#[test]
fn keys_for_another_use_are_left_out() {
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(1)),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!("verify")),
    ] {
        let jwks = parse(&json!([with(p256(), name, value)])).unwrap();
        assert_eq!((jwks.keys().len(), jwks.skipped().len()), (0, 0));
    }
    let plain = without(p256(), &["use"]);
    assert_eq!(
        parse(&json!([with(plain, "key_ops", json!(["verify"]))]))
            .unwrap()
            .keys()
            .len(),
        1
    );
}

#[test]
fn private_and_symmetric_keys_are_refused_whatever_they_are_for() {
    for name in PRIVATE_MEMBERS {
        let jwk = with(with(p256(), name, json!("AA")), "use", json!("enc"));
        assert_eq!(
            parse(&json!([p256(), jwk])).unwrap_err(),
            CertError::PrivateKey
        );
    }
}

#[test]
fn one_id_for_two_keys_is_refused_and_for_the_same_key_is_merged() {
    let jwk = p256();
    let other = with(p256(), "kid", jwk["kid"].clone());
    assert_eq!(
        parse(&json!([jwk, other])).unwrap_err(),
        CertError::DuplicateKeyId
    );
    let jwks = parse(&json!([jwk, jwk])).unwrap();
    assert_eq!(jwks.keys().len(), 1);
    assert!(jwks.find(None, JwsAlgorithm::Es256).is_ok());
}

#[test]
fn a_key_is_used_only_with_its_algorithm() {
    let bound = samples::rsa().public_jwk().clone();
    let jwks = parse(&json!([bound])).unwrap();
    let id = bound["kid"].as_str();
    assert!(jwks.find(id, JwsAlgorithm::Rs256).is_ok());
    for algorithm in [
        JwsAlgorithm::Ps256,
        JwsAlgorithm::Rs512,
        JwsAlgorithm::Es256,
    ] {
        assert_eq!(
            jwks.find(id, algorithm).unwrap_err(),
            CertError::AlgorithmRefused
        );
    }
    let free = parse(&json!([without(bound.clone(), &["alg"])])).unwrap();
    assert!(free.find(id, JwsAlgorithm::Ps512).is_ok());
}

#[test]
fn without_a_key_id_one_key_must_fit() {
    let nameless = || without(p256(), &["kid"]);
    let jwks = parse(&json!([nameless(), samples::rsa().public_jwk()])).unwrap();
    assert!(jwks.find(None, JwsAlgorithm::Es256).is_ok());
    assert_eq!(
        jwks.find(None, JwsAlgorithm::Es384).unwrap_err(),
        CertError::KeyUnknown
    );
    let two = parse(&json!([nameless(), nameless()])).unwrap();
    assert_eq!(
        two.find(None, JwsAlgorithm::Es256).unwrap_err(),
        CertError::KeyAmbiguous
    );
}

#[test]
fn what_is_not_a_key_set_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[{"kid":1}]}"#,
        "<html>",
    ] {
        assert_eq!(
            Jwks::parse(text.as_bytes()).unwrap_err(),
            CertError::NotAJwks,
            "{text}"
        );
    }
    assert_eq!(
        Jwks::parse(br#"{"keys":[],"keys":[]}"#).unwrap_err(),
        CertError::DuplicateMember
    );
    let many = vec![json!({ "kty": "?" }); JWKS_KEYS + 1];
    assert_eq!(
        parse(&Value::Array(many)).unwrap_err(),
        CertError::TooManyKeys
    );
    assert_eq!(
        Jwks::parse(&vec![b' '; JWKS_BYTES + 1]).unwrap_err(),
        CertError::JwksTooLarge
    );
    assert!(parse(&json!([])).unwrap().keys().is_empty());
}
