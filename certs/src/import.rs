//! Pairs that an operator brings: PEM, or PKCS #12 (RFC 7292).

use openssl::error::Error;
use openssl::pkcs12::Pkcs12;
use zeroize::Zeroizing;

use crate::certified_key::CertifiedKey;
use crate::error::CertError;

/// The longest PKCS #12 file that is read, in octets.
pub const PKCS12_BYTES: usize = 64 * 1024;
/// The most rounds by which a PKCS #12 file may stretch its password: a few seconds, and no more.
pub const PKCS12_ROUNDS: u32 = 5_000_000;
/// How deep a PKCS #12 file may nest.
const DEPTH: u32 = 32;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;
const INDEFINITE: u8 = 0x80;

/// Reads the pair of a PKCS #12 file. It stretches the password: not for an async thread.
///
/// # Errors
/// `NotPkcs12`, `WrongPassword`; `NotAKey` or `NotACertificate` where one half is missing; those of
/// [`CertifiedKey::from_pem`].
pub fn from_pkcs12(der: &[u8], password: &str) -> Result<CertifiedKey, CertError> {
    if der.len() > PKCS12_BYTES || !is_cheap(der, DEPTH) {
        return Err(CertError::NotPkcs12);
    }
    let file = Pkcs12::from_der(der).map_err(|_| CertError::NotPkcs12)?;
    let parsed = file.parse2(password).map_err(|errors| {
        let reasons = || errors.errors().iter().filter_map(Error::reason);
        // The password is proved by the file's MAC before anything is decrypted (RFC 7292 §4).
        if reasons().any(|reason| reason.contains("mac verify")) {
            CertError::WrongPassword
        } else {
            CertError::NotPkcs12
        }
    })?;
    let key = parsed.pkey.ok_or(CertError::NotAKey)?;
    let certificate = parsed.cert.ok_or(CertError::NotACertificate)?;
    let key = Zeroizing::new(key.private_key_to_pkcs8().map_err(|_| CertError::NotAKey)?);
    CertifiedKey::from_pkcs8_der(&key, &certificate.to_pem()?)
}

/// Whether no round count in the file is beyond [`PKCS12_ROUNDS`]. In each of its structures (`MacData`, `PBEParameter`,
/// PBKDF2-params) the count stands right behind the salt, an OCTET STRING (RFC 7292 §4, RFC 8018 §A).
fn is_cheap(der: &[u8], depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let (mut rest, mut before) = (der, 0);
    // What has no definite length could hide a count from this walk (X.690 §8.1.3.6).
    while let Some((tag, content, after)) = element(rest) {
        if tag == INTEGER && before == OCTET_STRING && number(content) > PKCS12_ROUNDS {
            return false;
        }
        // An OCTET STRING may hold more of the same.
        let is_nested =
            tag & CONSTRUCTED != 0 || (tag == OCTET_STRING && content.first() == Some(&SEQUENCE));
        if is_nested && !is_cheap(content, depth) {
            return false;
        }
        (rest, before) = (after, tag);
    }
    !matches!(rest, [tag, INDEFINITE, ..] if tag & CONSTRUCTED != 0)
}

fn number(content: &[u8]) -> u32 {
    let fold = |number: u32, octet: &u8| {
        let shifted = number.checked_mul(256)?;
        shifted.checked_add(u32::from(*octet))
    };
    content.iter().try_fold(0, fold).unwrap_or(u32::MAX)
}

/// The first element of DER: its tag, its content, and what follows (X.690 §8.1). BER's indefinite length is none of it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first & 0x7f);
    if first >= 0x80 {
        let (width, after) = rest
            .split_at_checked(length)
            .filter(|_| (1..=4).contains(&length))?;
        length = width
            .iter()
            .fold(0, |length, octet| length << 8 | usize::from(*octet));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::x509::X509;

    use super::*;
    use crate::samples;

    fn file(key: &PKey<Private>, certificate: &X509, rounds: u32) -> Vec<u8> {
        Pkcs12::builder()
            .pkey(key)
            .cert(certificate)
            .key_algorithm(Nid::AES_256_CBC)
            .cert_algorithm(Nid::AES_256_CBC)
            .key_iter(rounds)
            .mac_iter(rounds)
            .mac_md(MessageDigest::sha256())
            .build2("secret")
            .unwrap()
            .to_der()
            .unwrap()
    }

    fn pair() -> (PKey<Private>, X509) {
        let key = samples::ec(Nid::X9_62_PRIME256V1);
        let certificate = X509::from_der(&samples::certificate(&key, "sp")).unwrap();
        (key, certificate)
    }

    #[test]
    fn the_pair_of_a_file_is_read_with_its_password_alone() {
        let (key, certificate) = pair();
        let file = file(&key, &certificate, 2048);
        let read = from_pkcs12(&file, "secret").unwrap();
        assert_eq!(read.certificate_der(), certificate.to_der().unwrap());
        for wrong in ["", "Secret"] {
            assert_eq!(
                from_pkcs12(&file, wrong).unwrap_err(),
                CertError::WrongPassword
            );
        }
    }

    #[test]
    fn what_is_no_such_file_is_refused_for_what_it_is() {
        let (key, certificate) = pair();
        let whole = file(&key, &certificate, 2048);
        for cut in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
            assert_eq!(
                from_pkcs12(&whole[..cut], "secret").unwrap_err(),
                CertError::NotPkcs12
            );
        }
        let large = vec![SEQUENCE; PKCS12_BYTES + 1];
        assert_eq!(
            from_pkcs12(&large, "secret").unwrap_err(),
            CertError::NotPkcs12
        );
        let bare = Pkcs12::builder()
            .pkey(&key)
            .build2("secret")
            .unwrap()
            .to_der()
            .unwrap();
        assert_eq!(
            from_pkcs12(&bare, "secret").unwrap_err(),
            CertError::NotACertificate
        );
        let lone = Pkcs12::builder()
            .cert(&certificate)
            .build2("secret")
            .unwrap()
            .to_der()
            .unwrap();
        assert_eq!(
            from_pkcs12(&lone, "secret").unwrap_err(),
            CertError::NotAKey
        );
    }

    /// The count is altered in the file, since making such a file takes as long as reading it.
    #[test]
    fn a_file_that_would_take_minutes_is_not_opened() {
        let (key, certificate) = pair();
        let mut file = file(&key, &certificate, 0x0012_3456);
        let at = file
            .windows(5)
            .position(|window| window == [INTEGER, 3, 0x12, 0x34, 0x56])
            .expect("a count");
        file[at + 2] = 0x7f;
        let began = std::time::Instant::now();
        assert_eq!(
            from_pkcs12(&file, "secret").unwrap_err(),
            CertError::NotPkcs12
        );
        assert!(began.elapsed().as_millis() < 500);
        let deep: Vec<u8> = (0..60_u8)
            .rev()
            .flat_map(|depth| [SEQUENCE, 2 * depth])
            .collect();
        assert!(!is_cheap(&deep, DEPTH));
        assert!(!is_cheap(&[SEQUENCE, INDEFINITE, 0, 0], DEPTH));
    }
}
