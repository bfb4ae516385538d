use openssl::nid::Nid;
use openssl::rsa::Rsa;
use openssl::symm::{self, encrypt, encrypt_aead};

use super::*;
use crate::samples;

const SHA1: Oaep = Oaep {
    digest: Digest::Sha1,
    mask: Digest::Sha1,
};
const SHA256: Oaep = Oaep {
    digest: Digest::Sha256,
    mask: Digest::Sha256,
};

fn key() -> DecryptionKey {
    DecryptionKey::from_pkcs8_der(&samples::rsa().to_pkcs8_der().unwrap()).unwrap()
}

fn wrapped(key: &DecryptionKey, oaep: Oaep, octets: &[u8]) -> Vec<u8> {
    let mut context = PkeyCtx::new(key.private()).unwrap();
    context.encrypt_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    context.set_rsa_oaep_md(oaep.digest.md()).unwrap();
    context.set_rsa_mgf1_md(oaep.mask.md()).unwrap();
    let mut wrapped = Vec::new();
    context.encrypt_to_vec(octets, &mut wrapped).unwrap();
    wrapped
}

#[test]
fn a_content_key_is_unwrapped_by_each_hash_and_each_use_is_counted() {
    let key = key();
    let mixed = Oaep {
        digest: Digest::Sha256,
        mask: Digest::Sha1,
    };
    for (used, oaep) in [SHA1, SHA256, mixed, SHA1].into_iter().enumerate() {
        assert_eq!(key.operations(), used as u64);
        let opened = key.unwrap_key(oaep, &wrapped(&key, oaep, b"0123456789abcdef"));
        assert_eq!(&**opened.unwrap(), b"0123456789abcdef");
    }
}

#[test]
fn whatever_fails_is_one_error() {
    let key = key();
    let mut changed = wrapped(&key, SHA1, b"0123456789abcdef");
    assert_eq!(
        key.unwrap_key(SHA256, &changed).unwrap_err(),
        CertError::Undecryptable
    );
    changed[100] ^= 1;
    for octets in [&changed[..], &changed[1..], &[0; 256], &[0xff; 256], &[]] {
        assert_eq!(
            key.unwrap_key(SHA1, octets).unwrap_err(),
            CertError::Undecryptable
        );
    }
    assert_eq!(key.clone().operations(), 6);
}

#[test]
fn gcm_wants_its_whole_tag_vector_and_key() {
    for (size, cipher) in [
        (AesKey::Bits128, symm::Cipher::aes_128_gcm()),
        (AesKey::Bits192, symm::Cipher::aes_192_gcm()),
        (AesKey::Bits256, symm::Cipher::aes_256_gcm()),
    ] {
        let (key, iv, mut tag) = (vec![7; size.octets()], [1; GCM_IV], [0; GCM_TAG]);
        let sealed = encrypt_aead(cipher, &key, Some(&iv), b"", b"<a/>", &mut tag).unwrap();
        let whole = [&iv[..], &sealed, &tag].concat();
        let gcm = ContentCipher::Gcm(size);
        assert_eq!(&**gcm.open(&key, &whole).unwrap(), b"<a/>");
        for cut in 1..=whole.len() {
            let short = gcm.open(&key, &whole[..whole.len() - cut]);
            assert_eq!(short.unwrap_err(), CertError::Undecryptable, "{cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(
                gcm.open(&key, &changed).unwrap_err(),
                CertError::Undecryptable
            );
        }
        for other in [&key[1..], &[&key[..], &[7]].concat(), &[]] {
            assert_eq!(
                gcm.open(other, &whole).unwrap_err(),
                CertError::Undecryptable
            );
        }
    }
}

#[test]
fn cbc_takes_arbitrary_padding_of_one_block_at_most() {
    let cbc = ContentCipher::Cbc(AesKey::Bits128);
    let (key, iv) = ([7; 16], [1; AES_BLOCK]);
    let sealed = |padding: &[u8]| {
        let plain = [&b"<a/>"[..], padding].concat();
        let mut crypter = symm::Crypter::new(
            symm::Cipher::aes_128_cbc(),
            symm::Mode::Encrypt,
            &key,
            Some(&iv),
        )
        .unwrap();
        crypter.pad(false);
        let mut out = vec![0; plain.len() + AES_BLOCK];
        let mut written = crypter.update(&plain, &mut out).unwrap();
        written += crypter.finalize(&mut out[written..]).unwrap();
        [&iv[..], &out[..written]].concat()
    };
    for good in [[12; 12], *b"random....!\x0c"] {
        assert_eq!(&**cbc.open(&key, &sealed(&good)).unwrap(), b"<a/>");
    }
    // A text of whole blocks is followed by one of padding.
    let whole = [[b' '; 12].as_slice(), &[16; 16]].concat();
    let opened = cbc.open(&key, &sealed(&whole)).unwrap();
    assert_eq!(&**opened, b"<a/>            ");
    let standard = encrypt(symm::Cipher::aes_128_cbc(), &key, Some(&iv), b"<a/>").unwrap();
    assert_eq!(
        &**cbc.open(&key, &[&iv[..], &standard].concat()).unwrap(),
        b"<a/>"
    );
    for bad in [0, 17, 255] {
        let mut padding = [bad; 12];
        padding[0] = 1;
        assert_eq!(
            cbc.open(&key, &sealed(&padding)).unwrap_err(),
            CertError::Undecryptable
        );
    }
    // Octets behind the last whole block.
    for more in 1..AES_BLOCK {
        let broken = [sealed(&[12; 12]), vec![0; more]].concat();
        assert_eq!(
            cbc.open(&key, &broken).unwrap_err(),
            CertError::Undecryptable
        );
    }
    for length in [0, 15, 16, 17, 31] {
        assert_eq!(
            cbc.open(&key, &sealed(&[12; 12])[..length]).unwrap_err(),
            CertError::Undecryptable
        );
    }
}

#[test]
fn keys_that_cannot_decrypt_are_refused() {
    let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    assert_eq!(
        DecryptionKey::new(weak.clone()).unwrap_err(),
        CertError::KeyTooWeak
    );
    let pem = weak.private_key_to_pem_pkcs8().unwrap();
    assert!(DecryptionKey::from_pem(&pem, true).is_ok());
    assert_eq!(
        DecryptionKey::from_pem(&pem, false).unwrap_err(),
        CertError::KeyTooWeak
    );
    assert!(DecryptionKey::new_legacy(weak).is_ok());
    assert_eq!(
        DecryptionKey::new(samples::ec(Nid::X9_62_PRIME256V1)).unwrap_err(),
        CertError::UnsupportedKey
    );
    for junk in [&b""[..], b"junk"] {
        assert_eq!(
            DecryptionKey::from_pkcs8_der(junk).unwrap_err(),
            CertError::NotAKey
        );
        assert_eq!(
            DecryptionKey::from_pem(junk, false).unwrap_err(),
            CertError::NotAKey
        );
    }
    let pem = samples::rsa().private().private_key_to_pem_pkcs8().unwrap();
    let key = DecryptionKey::from_pem(&pem, false).unwrap();
    assert_eq!(format!("{key:?}"), "DecryptionKey(2048 bits)");
}
