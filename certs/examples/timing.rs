//! What signing, verifying and sealing cost beside OpenSSL's own calls, in nanoseconds:
//! `cargo run --release -p fedgate-certs --example timing`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, not a service"
)]

use std::hint::black_box;
use std::time::Instant;

use fedgate_certs::Timestamp;
use fedgate_certs::jose;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_certs::keyring::{Keyring, Stage};
use fedgate_certs::public_key::{Digest, PublicKey, Scheme};
use fedgate_certs::seal::{MasterKey, Sealer};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::md::Md;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sign::{Signer, Verifier};
use rand::SeedableRng;

const MESSAGE: &[u8] = &[0x61; 800];

fn main() {
    let rsa = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
    let ec = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    signing(&rsa, &ec);
    rsa_verification(&rsa);
    ecdsa_verification(&ec);
    sealing();
}

fn signing(rsa: &SigningKey, ec: &SigningKey) {
    let claims = serde_json::json!({ "sub": "a", "exp": 1_800_000_000, "text": "x".repeat(500) });
    for (name, key, rounds) in [("RS256", rsa, 1000), ("ES256", ec, 20_000)] {
        let digest = MessageDigest::sha256;
        measure(&format!("{name} sign: openssl Signer"), rounds, || {
            Signer::new(digest(), key.private())
                .unwrap()
                .sign_oneshot_to_vec(MESSAGE)
                .unwrap()
        });
        measure(&format!("{name} sign: SigningKey::sign"), rounds, || {
            key.sign(MESSAGE).unwrap()
        });
        measure(&format!("{name} sign: jose::sign"), rounds, || {
            jose::sign(key, "JWT", &claims).unwrap()
        });
        let ring = Keyring::new(vec![(key.clone(), Stage::Active)]).unwrap();
        let token = jose::sign(key, "JWT", &claims).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        measure(&format!("{name} verify: jose::verify"), rounds, || {
            jose::verify(&token, &ring, "JWT", now).unwrap()
        });
    }
    let hash = Digest::Sha256.of(MESSAGE);
    let low = ec.private().ec_key().unwrap();
    measure(
        "ES256 sign: openssl low-level ECDSA_do_sign",
        20_000,
        || EcdsaSig::sign(&hash, &low).unwrap().to_der(),
    );
}

fn rsa_verification(key: &SigningKey) {
    let signature = key.sign(MESSAGE).unwrap();
    let public = key.public().pkey();
    let hash = Digest::Sha256.of(MESSAGE);
    let low = public.rsa().unwrap();
    let mut room = vec![0; 256];
    measure("RSA-2048 verify: raw public_decrypt", 20_000, || {
        low.public_decrypt(&signature, &mut room, Padding::NONE)
            .unwrap()
    });
    measure("RSA-2048 verify: openssl Verifier", 20_000, || {
        Verifier::new(MessageDigest::sha256(), public)
            .unwrap()
            .verify_oneshot(&signature, MESSAGE)
            .unwrap()
    });
    measure("RSA-2048 verify: fresh PkeyCtx", 20_000, || {
        let mut context = PkeyCtx::new(public).unwrap();
        context.verify_init().unwrap();
        context.set_rsa_padding(Padding::PKCS1).unwrap();
        context.set_signature_md(Md::sha256()).unwrap();
        context.verify(&hash, &signature).unwrap()
    });
    let mut context = PkeyCtx::new(public).unwrap();
    context.verify_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1).unwrap();
    context.set_signature_md(Md::sha256()).unwrap();
    measure("RSA-2048 verify: kept PkeyCtx", 20_000, || {
        context.verify(&hash, &signature).unwrap()
    });
    measure_key(
        "RSA-2048 verify",
        key.public(),
        Scheme::RsaPkcs1(Digest::Sha256),
        &signature,
    );
}

fn ecdsa_verification(key: &SigningKey) {
    let signature = key.sign(MESSAGE).unwrap();
    let low = key.public().pkey().ec_key().unwrap();
    let hash = Digest::Sha256.of(MESSAGE);
    let (r, s) = signature.split_at(32);
    measure(
        "P-256 verify: openssl low-level ECDSA_do_verify",
        10_000,
        || {
            let number = |octets| openssl::bn::BigNum::from_slice(octets).unwrap();
            EcdsaSig::from_private_components(number(r), number(s))
                .unwrap()
                .verify(&hash, &low)
                .unwrap()
        },
    );
    measure_key(
        "P-256 verify",
        key.public(),
        Scheme::Ecdsa(Digest::Sha256),
        &signature,
    );
}

fn measure_key(name: &str, key: &PublicKey, scheme: Scheme, signature: &[u8]) {
    measure(&format!("{name}: PublicKey::verify"), 20_000, || {
        key.verify(scheme, MESSAGE, signature).unwrap();
    });
}

fn sealing() {
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let sealer = Sealer::new(MasterKey::generate(&mut rng));
    let now = Timestamp::UNIX_EPOCH;
    let text = sealer
        .seal_for_day("pending", &[b"a"], MESSAGE, now, now, &mut rng)
        .unwrap();
    measure("seal_for_day, 800 octets", 20_000, || {
        sealer
            .seal_for_day("pending", &[b"a"], MESSAGE, now, now, &mut rng)
            .unwrap()
    });
    measure("open_for_day, 800 octets", 20_000, || {
        sealer.open_for_day("pending", &[b"a"], &text, now).unwrap()
    });
    measure("mac, 32 octets", 20_000, || {
        sealer.mac("token", &[7; 32]).unwrap()
    });
    measure("sha256, 800 octets", 20_000, || {
        fedgate_certs::trust::sha256(MESSAGE)
    });
}

/// The median of nine runs, after a warm-up.
fn measure<R>(name: &str, rounds: u32, mut operation: impl FnMut() -> R) {
    let mut run = || {
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(operation());
        }
        start.elapsed().as_nanos() / u128::from(rounds)
    };
    run();
    let mut times: Vec<u128> = (0..9).map(|_| run()).collect();
    times.sort_unstable();
    println!("{:>9} ns  {name}", times[4]);
}
