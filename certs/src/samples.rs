//! Keys and certificates for the tests, made on the spot.

use std::sync::OnceLock;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::key::{SigningAlgorithm, SigningKey};

pub(crate) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// One RSA key for the whole run, since making one is slow.
pub(crate) fn rsa() -> SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    let make = || SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
    KEY.get_or_init(make).clone()
}

pub(crate) fn p256() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::Es256).unwrap()
}

pub(crate) fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// An RSA public key with a modulus of that size that is no product of primes.
pub(crate) fn rsa_public(bits: i32, exponent: u64) -> PKey<Public> {
    let mut modulus = BigNum::from_u32(1).unwrap();
    modulus.set_bit(bits - 1).unwrap();
    let exponent = BigNum::from_dec_str(&exponent.to_string()).unwrap();
    PKey::from_rsa(Rsa::from_public_components(modulus, exponent).unwrap()).unwrap()
}

/// A certificate for `key` with subject CN=name, O=Test, valid in 2001, as DER.
pub(crate) fn certificate<T: HasPublic>(key: &PKeyRef<T>, name: &str) -> Vec<u8> {
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    subject.append_entry_by_text("O", "Test").unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(key).unwrap();
    let begin = Asn1Time::from_str_x509("20010101000000Z").unwrap();
    let end = Asn1Time::from_str_x509("20011231235959Z").unwrap();
    builder.set_not_before(&begin).unwrap();
    builder.set_not_after(&end).unwrap();
    builder
        .sign(rsa().private(), MessageDigest::sha256())
        .unwrap();
    builder.build().to_der().unwrap()
}
