//! Encrypts what stands between the first start and the last end of an assertion, as anybody can who has our certificate.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::decryption::DecryptionKey;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt, encrypt_aead};

/// Our key. Its public half encrypts.
pub static KEY: LazyLock<DecryptionKey> = LazyLock::new(|| {
    let pem = include_bytes!("../../../testdata/saml/keys/sp.key.pem");
    DecryptionKey::from_pem(pem, false).expect("a key")
});

const CONTENT_KEY: [u8; 32] = [7; 32];
const START: &str = "<saml:Assertion";
const END: &str = "</saml:Assertion>";

/// Wrapped once: the target is what follows.
static WRAPPED: LazyLock<String> = LazyLock::new(|| {
    let mut context = PkeyCtx::new(KEY.private()).expect("a context");
    context.encrypt_init().expect("a context");
    context
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .expect("padding");
    let mut wrapped = Vec::new();
    context
        .encrypt_to_vec(&CONTENT_KEY, &mut wrapped)
        .expect("wrapped");
    STANDARD.encode(wrapped)
});

/// The response with its assertion encrypted; as it is where it has none.
pub fn encrypted(response: &str, is_cbc: bool) -> String {
    let (Some(start), Some(end)) = (response.find(START), response.rfind(END)) else {
        return response.to_owned();
    };
    let end = end + END.len();
    if end <= start {
        return response.to_owned();
    }
    let content = sealed(response[start..end].as_bytes(), is_cbc);
    placed(response, (start, end), &content, is_cbc)
}

/// The response with these octets as the cipher text of its assertion.
pub fn with_content(response: &str, content: &[u8], is_cbc: bool) -> String {
    let start = response.find(START).unwrap_or_default();
    let end = response.rfind(END).map_or(start, |end| end + END.len());
    placed(response, (start, end), content, is_cbc)
}

fn sealed(plain: &[u8], is_cbc: bool) -> Vec<u8> {
    if is_cbc {
        let iv = [1; 16];
        let sealed = encrypt(Cipher::aes_256_cbc(), &CONTENT_KEY, Some(&iv), plain);
        return [&iv[..], &sealed.expect("sealed")].concat();
    }
    let (iv, mut tag) = ([1; 12], [0; 16]);
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, &CONTENT_KEY, Some(&iv), b"", plain, &mut tag);
    [&iv[..], &sealed.expect("sealed"), &tag].concat()
}

fn placed(response: &str, (start, end): (usize, usize), content: &[u8], is_cbc: bool) -> String {
    let cipher = if is_cbc {
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
    } else {
        "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    };
    let (before, after) = (&response[..start], &response[end..]);
    let (wrapped, content) = (&*WRAPPED, STANDARD.encode(content));
    format!(
        "{before}<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"><xenc:EncryptionMethod Algorithm=\"{cipher}\"/>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>\
         <xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>\
         </saml:EncryptedAssertion>{after}"
    )
}
