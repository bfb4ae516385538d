//! How much dearer verification is than the cryptography in it, measured in the same run.
//!
//! The floor of a document is what cannot be avoided: base64 decoding of the message, and for each signature
//! one RSA-2048 verification with a context that is ready, SHA-256 of the signed octets and of SignedInfo.
//! Floor and verifier take turns in short batches; the tenth percentile of each is compared.

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
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::trust::{Trust, TrustedKey};
use fedgate_providers::connection::SignaturePolicy;
use fedgate_providers::saml::decode;
use fedgate_providers::saml::shape::ResponseShape;
use fedgate_providers::saml::signature::{Algorithms, verify};
use fedgate_providers::saml::xml::{Document, Mode};
use openssl::md::Md;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;

const BATCHES: usize = 2000;
/// Short enough that most batches are not interrupted.
const BATCH: Duration = Duration::from_micros(300);

/// The type that most products write on each value.
const TYPED: &str =
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\"";

struct Case {
    name: String,
    /// The message as it comes in the form.
    encoded: String,
    /// The octets of each signature: what its digest covers.
    signed: Vec<String>,
}

fn main() {
    let key = test_signer::rsa_key();
    let certificate = test_signer::certificate(&key);
    let trusted = TrustedKey::from_certificate_der(&certificate.to_der().expect("DER"));
    let trust = Trust::new(vec![trusted.expect("a sound key")]).expect("one key");
    println!(
        "{:<34} {:>8} {:>10} {:>10} {:>7}",
        "document", "bytes", "floor µs", "ours µs", "ratio"
    );
    // cargo passes --bench; anything else is a part of the names to run.
    let filter = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let mut cases = cases(&key);
    cases.retain(|case| filter.as_ref().is_none_or(|f| case.name.contains(f)));
    for case in &cases {
        let (floor, ours, ratio) = measure(case, &key, &trust);
        println!(
            "{:<34} {:>8} {floor:>10.2} {ours:>10.2} {ratio:>7.3}",
            case.name,
            case.encoded.len() / 4 * 3
        );
    }
    #[cfg(feature = "second-opinion")]
    second_opinion(&cases, &trust);
}

/// What samael costs on top, on the thread that it gets for itself.
#[cfg(feature = "second-opinion")]
fn second_opinion(cases: &[Case], trust: &Trust) {
    use fedgate_providers::saml::second_opinion::samael::signed_octets;
    println!("\n{:<34} {:>10}", "document", "samael µs");
    for case in cases {
        let bytes = decode::base64(&case.encoded).expect("base64");
        let mut ask = || {
            black_box(signed_octets(&bytes, trust).expect("a sound signature"));
        };
        let count = iterations(&mut ask);
        let samples = (0..BATCHES / 10).map(|_| batch(&mut ask, count)).collect();
        println!("{:<34} {:>10.2}", case.name, low_decile(samples));
    }
}

fn cases(key: &PKey<Private>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (style, wire) in [("canonical", false), ("as products write", true)] {
        for (what, ids) in [
            ("assertion", &["a1"][..]),
            ("response", &["r1"]),
            ("both", &["a1", "r1"]),
        ] {
            cases.push(case(
                &format!("{what}, {style}"),
                &response(36, TYPED),
                ids,
                wire,
                key,
            ));
        }
    }
    for values in [10, 100, 1600] {
        cases.push(case(
            &format!("assertion, {values} values"),
            &response(values, ""),
            &["a1"],
            true,
            key,
        ));
    }
    cases
}

fn case(name: &str, template: &str, ids: &[&str], wire: bool, key: &PKey<Private>) -> Case {
    let certificate = test_signer::certificate(key);
    let form = test_signer::Form {
        certificate: Some(&certificate),
        ..test_signer::Form::default()
    };
    let mut xml = template.to_owned();
    let mut signed = Vec::new();
    for id in ids {
        let (start, end) = test_signer::element_range(&xml, id);
        signed.push(xml[start..end].to_owned());
        xml = test_signer::sign_as(&xml, id, key, &form);
    }
    if wire {
        xml = as_products_write(&xml);
    }
    Case {
        name: name.to_owned(),
        encoded: STANDARD.encode(xml),
        signed,
    }
}

/// The same document with what exclusive canonicalization takes away: unused declarations on every value,
/// empty-element tags, attributes in another order.
fn as_products_write(xml: &str) -> String {
    xml.replace(
        "<saml:AttributeValue xmlns:xsi=",
        "<saml:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=",
    )
    .replace("\"></ds:Transform>", "\"/>")
    .replace("\"></ds:CanonicalizationMethod>", "\"/>")
    .replace("\"></ds:SignatureMethod>", "\"/>")
    .replace("\"></ds:DigestMethod>", "\"/>")
    .replace("\"></saml:SubjectConfirmationData>", "\"/>")
    .replace(
        "ID=\"a1\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\"",
        "Version=\"2.0\" IssueInstant=\"2026-01-02T03:04:05Z\" ID=\"a1\"",
    )
}

/// A response with that many values of one attribute, and the XML attributes of each value.
fn response(values: usize, attributes: &str) -> String {
    let value = |i: usize| {
        format!(
            "<saml:AttributeValue{attributes}>{i:08x}-5d2a-4a3f-9c53-group</saml:AttributeValue>"
        )
    };
    let statement = format!(
        "<saml:Conditions NotBefore=\"2026-01-02T03:04:05Z\" NotOnOrAfter=\"2026-01-02T04:04:05Z\">\
         <saml:AudienceRestriction><saml:Audience>https://sp.example/metadata</saml:Audience>\
         </saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"2026-01-02T03:04:05Z\" SessionIndex=\"_s1\"><saml:AuthnContext>\
         <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
         </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>\
         <saml:Attribute Name=\"groups\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\">{}\
         </saml:Attribute></saml:AttributeStatement></saml:Assertion>",
        (0..values).map(value).collect::<String>()
    );
    test_signer::response("alice@example.com").replace("</saml:Assertion>", &statement)
}

/// Microseconds of the floor and of the verifier, and their ratio.
fn measure(case: &Case, key: &PKey<Private>, trust: &Trust) -> (f64, f64, f64) {
    let mut floor = floor_of(case, key);
    let mut ours = || accept(case, trust);
    let (floor_batch, our_batch) = (iterations(&mut floor), iterations(&mut ours));
    let mut floors = Vec::with_capacity(BATCHES);
    let mut verifications = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        floors.push(batch(&mut floor, floor_batch));
        verifications.push(batch(&mut ours, our_batch));
    }
    let (floor, ours) = (low_decile(floors), low_decile(verifications));
    (floor, ours, ours / floor)
}

/// The tenth percentile: near the best, without its luck, and blind to interruptions.
fn low_decile(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 10]
}

fn accept(case: &Case, trust: &Trust) {
    let bytes = decode::base64(black_box(&case.encoded)).expect("base64");
    let document = Document::parse(&bytes, Mode::Message).expect("XML");
    let shape = ResponseShape::of(&document).expect("a Response");
    let verified = verify(&shape, trust, SignaturePolicy::Any, Algorithms::default());
    black_box(verified.expect("a good signature").assertion());
}

fn floor_of<'c>(case: &'c Case, key: &PKey<Private>) -> impl FnMut() + use<'c> {
    let public = PKey::public_key_from_pem(&key.public_key_to_pem().expect("PEM")).expect("a key");
    let mut context = PkeyCtx::new(&public).expect("a context");
    context.verify_init().expect("a context");
    context.set_rsa_padding(Padding::PKCS1).expect("a context");
    context.set_signature_md(Md::sha256()).expect("a context");
    let signed_info = "x".repeat(800);
    let hash = openssl::sha::sha256(signed_info.as_bytes());
    let mut signing = PkeyCtx::new(key).expect("a context");
    signing.sign_init().expect("a context");
    signing.set_rsa_padding(Padding::PKCS1).expect("a context");
    signing.set_signature_md(Md::sha256()).expect("a context");
    let mut signature = Vec::new();
    signing
        .sign_to_vec(&hash, &mut signature)
        .expect("a signature");
    move || {
        black_box(STANDARD.decode(black_box(&case.encoded)).expect("base64"));
        for octets in &case.signed {
            let hash = openssl::sha::sha256(black_box(signed_info.as_bytes()));
            assert!(context.verify(&hash, &signature).expect("a verdict"));
            black_box(openssl::sha::sha256(black_box(octets.as_bytes())));
        }
    }
}

/// How many runs fill a batch.
fn iterations(run: &mut impl FnMut()) -> u32 {
    let once = (0..5).map(|_| batch(run, 10)).fold(f64::INFINITY, f64::min);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    let count = (BATCH.as_secs_f64() * 1e6 / once) as u32;
    count.max(1)
}

/// Microseconds of one run, as the mean of a batch.
fn batch(run: &mut impl FnMut(), count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        run();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}
