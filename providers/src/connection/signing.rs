//! How a connection signs its requests: the pair that an operator brings, the algorithm, and how long SHA-1 may go on.

use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::CertifiedKey;
use fedgate_certs::error::CertError;
use fedgate_certs::public_key::{Digest, KeyKind, Scheme};
use fedgate_certs::trust::{SignatureAlgorithm, TrustedKey};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use super::reader::Reader;
use super::{ConnectionRefusal, Problem, SamlOptions};
use crate::error::Refusal;

/// How far ahead the end of SHA-1 may lie, in days.
pub const LEGACY_DAYS: i64 = 180;

/// The names of `sign_request_algorithm`; the first and the last one are Kinde's.
pub(super) const REQUEST_SIGNATURES: [(&str, SignatureAlgorithm); 7] = [
    ("RSA-SHA256", SignatureAlgorithm::RsaSha256),
    ("RSA-SHA384", SignatureAlgorithm::RsaSha384),
    ("RSA-SHA512", SignatureAlgorithm::RsaSha512),
    ("ECDSA-SHA256", SignatureAlgorithm::EcdsaSha256),
    ("ECDSA-SHA384", SignatureAlgorithm::EcdsaSha384),
    ("ECDSA-SHA512", SignatureAlgorithm::EcdsaSha512),
    ("RSA-SHA1", SignatureAlgorithm::RsaSha1),
];

const CERTIFICATE: &str = "saml_signing_certificate";
const PRIVATE_KEY: &str = "saml_signing_private_key";
const ALGORITHM: &str = "sign_request_algorithm";
const UNTIL: &str = "saml_legacy_sha1_until";

impl SamlOptions {
    /// The connection's own pair, which takes the place of the gateway's.
    pub fn signing_pair(&self) -> Option<CertifiedKey> {
        let (certificate, key) = (
            self.signing_certificate.as_ref()?,
            self.signing_private_key.as_ref()?,
        );
        CertifiedKey::from_pem(key.reveal().as_bytes(), certificate.as_bytes()).ok()
    }

    /// The moment from which SHA-1 is not used any more: the end of its last day, in UTC.
    pub fn legacy_sha1_end(&self) -> Option<Timestamp> {
        let next = self.legacy_sha1_until?.checked_add(1.day()).ok()?;
        Some(next.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
    }

    /// What would keep the connection from being used now, though its settings are sound.
    pub fn problem_at(&self, now: Timestamp) -> Option<Problem> {
        if self.sign_request_algorithm != Some(SignatureAlgorithm::RsaSha1) {
            return None;
        }
        let last = now.saturating_add(SignedDuration::from_hours(24 * (LEGACY_DAYS + 1)));
        let end = self.legacy_sha1_end();
        let fits = end.is_some_and(|end| now < end && last.is_ok_and(|last| end <= last));
        let day = |at: Timestamp| at.to_zoned_datetime(TimeZone::UTC).date();
        let latest = day(now).saturating_add(LEGACY_DAYS.days());
        let refusal = ConnectionRefusal::LegacySignatureDate
            .refuse()
            .expected(format_args!("{} to {latest}", day(now)))
            .found(
                self.legacy_sha1_until
                    .map_or_else(String::new, |date| date.to_string()),
            );
        (!fits).then(|| Problem::new(refusal, format!("options.{UNTIL}")))
    }
}

/// The day after which SHA-1 is not used any more.
pub(super) fn legacy_sha1_until(reader: &mut Reader<'_>) -> Option<Date> {
    date(reader, UNTIL)
}

/// A day.
pub(super) fn date(reader: &mut Reader<'_>, name: &'static str) -> Option<Date> {
    let text = reader.text(name)?;
    let date = text.parse().ok();
    if date.is_none() {
        let refusal = ConnectionRefusal::OptionValue
            .refuse()
            .expected("a date such as 2026-12-31")
            .found(&text);
        reader.problem(refusal, name);
    }
    date
}

/// Certificate and key come together, can be read, belong to each other, and go with the algorithm: Kinde notices only
/// at a sign-in.
pub(super) fn check_signing(reader: &mut Reader<'_>, options: &SamlOptions) {
    let kind = match (&options.signing_certificate, &options.signing_private_key) {
        (None, None) => None,
        (Some(_), None) => return absent(reader, PRIVATE_KEY),
        (None, Some(_)) => return absent(reader, CERTIFICATE),
        (Some(certificate), Some(key)) => {
            match CertifiedKey::from_pem(key.reveal().as_bytes(), certificate.as_bytes()) {
                Ok(pair) => Some(pair.kind()),
                Err(error) => return unusable(reader, &error, certificate),
            }
        }
    };
    if let Some(algorithm) = options.sign_request_algorithm {
        check_algorithm(reader, options, algorithm, kind);
    }
}

fn check_algorithm(
    reader: &mut Reader<'_>,
    options: &SamlOptions,
    algorithm: SignatureAlgorithm,
    kind: Option<KeyKind>,
) {
    let is_elliptic = matches!(kind, Some(KeyKind::Ec { .. }));
    if matches!(algorithm.scheme(), Scheme::Ecdsa(_)) != is_elliptic {
        let found = match kind {
            None => "the gateway's own key, which is an RSA key",
            Some(KeyKind::Rsa { .. }) => "an RSA key",
            Some(KeyKind::Ec { .. }) => "an elliptic-curve key",
        };
        let refusal = ConnectionRefusal::SigningAlgorithm.refuse();
        let family = if is_elliptic {
            "ECDSA-SHA256"
        } else {
            "RSA-SHA256"
        };
        reader.problem(refusal.expected(family).found(found), ALGORITHM);
    } else if algorithm.scheme().digest() == Digest::Sha1 && options.legacy_sha1_until.is_none() {
        let refusal = ConnectionRefusal::WeakSignature.refuse();
        reader.problem(refusal.expected("RSA-SHA256").found("RSA-SHA1"), ALGORITHM);
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

/// What OpenSSL says of a key goes into no problem.
fn unusable(reader: &mut Reader<'_>, error: &CertError, certificate: &str) {
    let (refusal, name): (Refusal, _) = match error {
        CertError::KeyMismatch => (ConnectionRefusal::SigningKeyMismatch.into(), CERTIFICATE),
        CertError::NotACertificate => (ConnectionRefusal::SigningKey.into(), CERTIFICATE),
        other => (
            ConnectionRefusal::SigningKey.refuse().detail(other),
            PRIVATE_KEY,
        ),
    };
    reader.problem(refusal, name);
    let certificate = TrustedKey::from_certificate_pem(certificate.as_bytes());
    if name == PRIVATE_KEY && matches!(certificate, Err(CertError::NotACertificate)) {
        reader.problem(ConnectionRefusal::SigningKey.into(), CERTIFICATE);
    }
}
