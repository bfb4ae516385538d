//! How much dearer an encrypted response is than the cryptography in it, measured in the same run.
//!
//! The floor is what cannot be avoided: base64 decoding of the message, one RSA-2048 operation with the private key, one
//! RSA-2048 verification, SHA-256 of the signed octets and of SignedInfo, all with contexts that are ready. Floor and
//! ours take turns in short batches; the tenth percentile of each is compared.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark, whose set-up must hold"
)]

#[path = "../src/saml/test_signer.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the unit tests, which use more of it"
)]
mod test_signer;

use std::hint::black_box;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::Timestamp;
use fedgate_certs::decryption::DecryptionKey;
use fedgate_certs::trust::{Trust, TrustedKey};
use fedgate_providers::connection::SignaturePolicy;
use fedgate_providers::saml::decode;
use fedgate_providers::saml::decrypt::{Cbc, Decryption};
use fedgate_providers::saml::signature::Algorithms;
use fedgate_providers::saml::{Authentication, Expectation, InResponseTo, signed};
use jiff::SignedDuration;
use openssl::md::Md;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt_aead};

const BATCHES: usize = 400;
const RUNS: u32 = 3;
const CONTENT_KEY: [u8; 32] = [7; 32];

fn main() {
    let (idp, sp) = (test_signer::rsa_key(), test_signer::rsa_key());
    for values in [36, 400] {
        let case = Case::new(values, &idp, &sp);
        let (floor, ours) = case.measure(&idp, &sp);
        println!(
            "encrypted assertion, {:>6} bytes: floor {floor:>8.2} µs, ours {ours:>8.2} µs, ratio {:.3}",
            case.encoded.len() / 4 * 3,
            ours / floor
        );
    }
}

struct Case {
    encoded: String,
    assertion: String,
    wrapped: Vec<u8>,
}

impl Case {
    fn new(values: usize, idp: &PKey<Private>, sp: &PKey<Private>) -> Self {
        let value = |i: usize| format!("<saml:AttributeValue>{i:08x}-group</saml:AttributeValue>");
        let statement = format!(
            "<saml:AttributeStatement><saml:Attribute Name=\"groups\">{}</saml:Attribute></saml:AttributeStatement></saml:Assertion>",
            (0..values).map(value).collect::<String>()
        );
        let template = test_signer::response("alice").replace("</saml:Assertion>", &statement);
        let (start, end) = test_signer::element_range(&template, "a1");
        let assertion = template[start..end].to_owned();
        let mut xml = test_signer::sign(&template, "a1", idp);
        let (start, end) = test_signer::element_range(&xml, "a1");
        let wrapped = wrapped(sp);
        let encrypted = encrypted(&wrapped, &xml[start..end]);
        xml.replace_range(start..end, &encrypted);
        Self {
            encoded: STANDARD.encode(xml),
            assertion,
            wrapped,
        }
    }

    fn measure(&self, idp: &PKey<Private>, sp: &PKey<Private>) -> (f64, f64) {
        let mut floor = self.floor(idp, sp);
        let mut ours = self.ours(idp, sp);
        let (mut floors, mut all_ours) = (Vec::new(), Vec::new());
        for _ in 0..BATCHES {
            floors.push(batch(&mut floor));
            all_ours.push(batch(&mut ours));
        }
        (low_decile(floors), low_decile(all_ours))
    }

    fn ours<'c>(&'c self, idp: &PKey<Private>, sp: &PKey<Private>) -> impl FnMut() + use<'c> {
        let der = test_signer::certificate(idp).to_der().unwrap();
        let trusted = TrustedKey::from_certificate_der(&der).expect("a sound key");
        let trust = Trust::new(vec![trusted]).expect("one key");
        let keys = [DecryptionKey::new(sp.clone()).expect("a sound key")];
        move || {
            let expectation = Expectation {
                trust: &trust,
                issuer: None,
                sp_entity_id: "",
                audience_prefix: None,
                acs: "",
                in_response_to: InResponseTo::Unchecked,
                skew: SignedDuration::ZERO,
                algorithms: Algorithms::default(),
                signature_policy: SignaturePolicy::Any,
                decryption: Decryption {
                    keys: &keys,
                    cbc: Cbc::Refused,
                },
                authentication: Authentication::default(),
            };
            let bytes = decode::base64(black_box(&self.encoded)).expect("base64");
            let accepted = signed(&bytes, &expectation, Timestamp::UNIX_EPOCH, |verified| {
                black_box(verified.assertion());
                Ok(())
            });
            accepted.expect("a good response");
        }
    }

    fn floor<'c>(&'c self, idp: &PKey<Private>, sp: &PKey<Private>) -> impl FnMut() + use<'c> {
        let mut private = unwrapping(sp);
        let mut context = PkeyCtx::new(idp).expect("a context");
        context.sign_init().expect("a context");
        context.set_rsa_padding(Padding::PKCS1).expect("a context");
        context.set_signature_md(Md::sha256()).expect("a context");
        let signed_info = "x".repeat(800);
        let hash = openssl::sha::sha256(signed_info.as_bytes());
        let mut signature = Vec::new();
        context.sign_to_vec(&hash, &mut signature).expect("signed");
        context.verify_init().expect("a context");
        context.set_rsa_padding(Padding::PKCS1).expect("a context");
        context.set_signature_md(Md::sha256()).expect("a context");
        move || {
            black_box(STANDARD.decode(black_box(&self.encoded)).expect("base64"));
            let mut key = [0; 256];
            black_box(
                private
                    .decrypt(&self.wrapped, Some(&mut key))
                    .expect("a key"),
            );
            let hash = openssl::sha::sha256(black_box(signed_info.as_bytes()));
            assert!(context.verify(&hash, &signature).expect("a verdict"));
            black_box(openssl::sha::sha256(black_box(self.assertion.as_bytes())));
        }
    }
}

fn unwrapping(key: &PKey<Private>) -> PkeyCtx<Private> {
    let mut context = PkeyCtx::new(key).expect("a context");
    context.decrypt_init().expect("a context");
    context
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .expect("a context");
    context
}

fn wrapped(sp: &PKey<Private>) -> Vec<u8> {
    let mut context = PkeyCtx::new(sp).expect("a context");
    context.encrypt_init().expect("a context");
    context
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .expect("a context");
    let mut wrapped = Vec::new();
    context
        .encrypt_to_vec(&CONTENT_KEY, &mut wrapped)
        .expect("wrapped");
    wrapped
}

fn encrypted(wrapped: &[u8], plain: &str) -> String {
    let (iv, mut tag) = ([1; 12], [0; 16]);
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(
        cipher,
        &CONTENT_KEY,
        Some(&iv),
        b"",
        plain.as_bytes(),
        &mut tag,
    );
    let content = [&iv[..], &sealed.expect("sealed"), &tag].concat();
    let [key, content] = [STANDARD.encode(wrapped), STANDARD.encode(content)];
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>\
         <xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>\
         </saml:EncryptedAssertion>"
    )
}

/// Microseconds of one run, as the mean of a batch.
fn batch(run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..RUNS {
        run();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(RUNS)
}

/// The tenth percentile: near the best, without its luck, and blind to interruptions.
fn low_decile(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 10]
}
