//! The pair that signs requests, where an operator brings one.

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::reader::Reader;
use super::{ConnectionRefusal, SamlOptions};

/// The shortest RSA modulus that signs a request, in bits.
const RSA_BITS_LEAST: u32 = 2048;

/// Certificate and key come together, can be read, and belong to each other: Kinde notices only at a sign-in.
pub(super) fn check_signing_pair(reader: &mut Reader<'_>, options: &SamlOptions) {
    let (certificate_name, key_name) = ("saml_signing_certificate", "saml_signing_private_key");
    match (&options.signing_certificate, &options.signing_private_key) {
        (None, None) => {}
        (Some(_), None) => absent(reader, key_name),
        (None, Some(_)) => absent(reader, certificate_name),
        (Some(certificate), Some(key)) => {
            let certificate = X509::from_pem(certificate.as_bytes())
                .and_then(|found| found.public_key())
                .ok();
            let key = private_key(key.reveal());
            match (&certificate, &key) {
                (Some(public), Some(private)) if !public.public_eq(private) => {
                    reader.problem(
                        ConnectionRefusal::SigningKeyMismatch.into(),
                        certificate_name,
                    );
                }
                _ => {}
            }
            if certificate.is_none() {
                reader.problem(ConnectionRefusal::SigningKey.into(), certificate_name);
            }
            if key.is_none() {
                reader.problem(ConnectionRefusal::SigningKey.into(), key_name);
            }
        }
    }
}

fn absent(reader: &mut Reader<'_>, name: &str) {
    reader.problem(
        ConnectionRefusal::SigningKey
            .refuse()
            .found("nothing, beside the other half of the pair"),
        name,
    );
}

/// The empty passphrase keeps OpenSSL from asking for one at the terminal.
fn private_key(pem: &str) -> Option<PKey<Private>> {
    let key = PKey::private_key_from_pem_passphrase(pem.as_bytes(), b"").ok()?;
    let bits = key.rsa().ok()?.n().num_bits();
    (u32::try_from(bits).ok()? >= RSA_BITS_LEAST).then_some(key)
}
