//! The cryptography of a document, and nothing else.

use std::hint::black_box;

use openssl::md::Md;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;

use crate::document::{Case, Keys};

pub(crate) fn of<'c>(case: &'c Case, keys: &Keys) -> impl FnMut() + use<'c> {
    let public = PKey::public_key_from_pem(&keys.idp.public_key_to_pem().expect("PEM"));
    let public = public.expect("a key");
    let mut context = PkeyCtx::new(&public).expect("a context");
    context.verify_init().expect("a context");
    context.set_rsa_padding(Padding::PKCS1).expect("a context");
    context.set_signature_md(Md::sha256()).expect("a context");
    let signed_info = "x".repeat(800);
    let signature = signature(&keys.idp, signed_info.as_bytes());
    let mut private = unwrapping(&keys.sp);
    move || {
        if let Some(wrapped) = &case.wrapped_key {
            let mut key = [0; 256];
            let written = private.decrypt(black_box(wrapped), Some(&mut key));
            black_box(written.expect("a key"));
        }
        for octets in &case.signed {
            let hash = openssl::sha::sha256(black_box(signed_info.as_bytes()));
            assert!(context.verify(&hash, &signature).expect("a verdict"));
            black_box(openssl::sha::sha256(black_box(octets.as_bytes())));
        }
    }
}

fn signature(key: &PKey<Private>, octets: &[u8]) -> Vec<u8> {
    let mut signing = PkeyCtx::new(key).expect("a context");
    signing.sign_init().expect("a context");
    signing.set_rsa_padding(Padding::PKCS1).expect("a context");
    signing.set_signature_md(Md::sha256()).expect("a context");
    let mut signature = Vec::new();
    signing
        .sign_to_vec(&openssl::sha::sha256(octets), &mut signature)
        .expect("a signature");
    signature
}

fn unwrapping(key: &PKey<Private>) -> PkeyCtx<Private> {
    let mut context = PkeyCtx::new(key).expect("a context");
    context.decrypt_init().expect("a context");
    context
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .expect("a context");
    context
}
