//! `fedgate saml verify`: one response, one verdict.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use fedgate_certs::Timestamp;
use fedgate_certs::decryption::DecryptionKey;
use fedgate_certs::error::CertError;
use fedgate_certs::trust::{Trust, TrustedKey};
use fedgate_providers::connection::{SamlOptions, SignaturePolicy};
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Steps;
use fedgate_providers::mapping;
use fedgate_providers::saml::decrypt::{Cbc, Decryption};
use fedgate_providers::saml::metadata::{IdpMetadata, MetadataRefusal};
use fedgate_providers::saml::namespace::ASSERTION;
use fedgate_providers::saml::signature::{Algorithms, Verified};
use fedgate_providers::saml::xml::Element;
use fedgate_providers::saml::{
    Asserted, Authentication, Expectation, InResponseTo, SamlRefusal, signed, verify_response,
};
use fedgate_providers::spec::Spec;
use jiff::SignedDuration;
use openssl::x509::X509;
use serde_json::{Value, json};

use super::{Outcome, Usage, decoded, read, refused};

/// The most repetitions that are timed.
const MAX_REPEAT: u32 = 1_000_000;
/// Verifications before the timed ones.
const WARM_UP: u32 = 20;

/// Arguments of `fedgate saml verify`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of the command line"
)]
#[derive(Args, Debug)]
pub struct Verify {
    /// The identity provider's metadata
    #[arg(
        long,
        value_name = "IDP.xml",
        required_unless_present = "idp_cert",
        conflicts_with = "idp_cert"
    )]
    metadata: Option<PathBuf>,
    /// A certificate of the identity provider, instead of metadata (then the issuer is not compared); may be repeated
    #[arg(long, value_name = "CERT.pem")]
    idp_cert: Vec<PathBuf>,
    /// Our entityID: the audience
    #[arg(long, value_name = "ID")]
    sp_entity_id: String,
    /// Our assertion consumer service: destination and recipient
    #[arg(long, value_name = "URL")]
    acs: String,
    /// The ID of the request that is answered; without it and without --unsolicited it is not compared
    #[arg(long, value_name = "ID", conflicts_with = "unsolicited")]
    in_response_to: Option<String>,
    /// The response must not answer any request
    #[arg(long)]
    unsolicited: bool,
    /// The moment to verify at, instead of now
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// A private key for encrypted assertions, the likelier first; may be given twice
    #[arg(long, value_name = "KEY.pem")]
    sp_key: Vec<PathBuf>,
    /// The tolerance for clocks
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=300))]
    skew: u32,
    /// Accept what the server never does: SHA-1, and the RSA keys of 1024 bits of its time
    #[arg(long)]
    allow_sha1: bool,
    /// Decrypt AES-CBC, as a connection with `saml_allow_aes_cbc` does
    #[arg(long)]
    allow_cbc: bool,
    /// Check the signature and the keys, none of the SAML conditions
    #[arg(long)]
    signature_only: bool,
    /// Verify so many times after a warm-up, and tell the times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_REPEAT)))]
    repeat: Option<u32>,
    /// Whose attribute names and console's words are used, and whose audience prefix, as in a connection
    #[arg(long, value_name = "saml:NAME", default_value = "saml:custom", value_parser = flavour)]
    strategy: &'static Spec,
    /// The response, as XML or base64; - for standard input
    #[arg(value_name = "RESPONSE")]
    response: PathBuf,
}

/// Whom to trust: from metadata with an issuer, from certificates without.
struct Anchor {
    trust: Trust,
    issuer: Option<String>,
}

impl Verify {
    /// Verifies, and answers the JSON line.
    ///
    /// # Errors
    /// [`Usage`] when a file cannot be read.
    pub fn execute(&self, now: Timestamp) -> Result<Outcome, Usage> {
        let now = self.at.unwrap_or(now);
        let input = read(&self.response)?;
        let keys: Result<Vec<_>, _> = self.sp_key.iter().map(|path| self.key(path)).collect();
        let keys = keys?;
        let anchor = if let Some(path) = &self.metadata {
            from_metadata(&read(path)?, (!self.signature_only).then_some(now))
        } else {
            let files: Result<Vec<_>, _> = self.idp_cert.iter().map(|path| read(path)).collect();
            from_certificates(&files?, self.allow_sha1)
        };
        let (result, timing) = match anchor {
            Ok(anchor) => {
                let once = || self.verify(&input, &anchor, &keys, now);
                (
                    once(),
                    self.repeat.map(|iterations| timing(iterations, &once)),
                )
            }
            Err(refusal) => (Err(refusal), None),
        };
        let code = u8::from(result.is_err());
        let mut answer = result.unwrap_or_else(|refusal| refused(&refusal, Some(self.strategy)));
        if let (Some(timing), Some(object)) = (timing, answer.as_object_mut()) {
            object.insert("timing".to_owned(), timing);
        }
        Ok(Outcome {
            text: format!("{answer}\n"),
            code,
        })
    }

    fn key(&self, path: &Path) -> Result<DecryptionKey, Usage> {
        let key = DecryptionKey::from_pem(&read(path)?, self.allow_sha1);
        key.map_err(|error| Usage(format!("{}: {error}", path.display())))
    }

    fn verify(
        &self,
        input: &[u8],
        anchor: &Anchor,
        keys: &[DecryptionKey],
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let xml = decoded(input)?;
        let in_response_to = match &self.in_response_to {
            Some(id) => InResponseTo::Exactly(id),
            None if self.unsolicited => InResponseTo::Absent,
            None => InResponseTo::Unchecked,
        };
        let habits = self.strategy.saml.as_ref();
        let expectation = Expectation {
            trust: &anchor.trust,
            issuer: anchor.issuer.as_deref(),
            sp_entity_id: &self.sp_entity_id,
            audience_prefix: habits.and_then(|saml| saml.audience_prefix.as_deref()),
            acs: &self.acs,
            in_response_to,
            skew: SignedDuration::from_secs(self.skew.into()),
            algorithms: Algorithms {
                sha1: self.allow_sha1,
            },
            signature_policy: SignaturePolicy::Any,
            decryption: Decryption {
                keys,
                cbc: if self.allow_cbc {
                    Cbc::Allowed
                } else {
                    Cbc::Refused
                },
            },
            authentication: Authentication::default(),
        };
        if self.signature_only {
            return signed(&xml, &expectation, now, |verified| {
                Ok(signature_only(verified))
            });
        }
        let asserted = verify_response(&xml, &expectation, now, &mut Steps::default())?;
        accepted(&asserted, self.strategy)
    }
}

fn from_metadata(xml: &[u8], valid_at: Option<Timestamp>) -> Result<Anchor, Refusal> {
    let metadata = IdpMetadata::parse(xml, None)?;
    if let Some(now) = valid_at {
        metadata.valid_at(now)?;
    }
    Ok(Anchor {
        trust: metadata.trust,
        issuer: Some(metadata.entity_id),
    })
}

fn from_certificates(files: &[Vec<u8>], legacy: bool) -> Result<Anchor, Refusal> {
    let mut keys = Vec::new();
    for file in files {
        keys.extend(certificates(file, legacy).map_err(unusable)?);
    }
    Ok(Anchor {
        trust: Trust::new(keys).map_err(unusable)?,
        issuer: None,
    })
}

/// PEM, DER, or the bare base64 of metadata.
fn certificates(file: &[u8], legacy: bool) -> Result<Vec<TrustedKey>, CertError> {
    if file.windows(10).any(|window| window == b"-----BEGIN") {
        if !legacy {
            return TrustedKey::from_certificate_pem(file);
        }
        let certificates = X509::stack_from_pem(file).map_err(|_| CertError::NotACertificate)?;
        let ders = certificates.iter().map(|certificate| certificate.to_der());
        return ders
            .map(|der| TrustedKey::from_legacy_certificate_der(&der?))
            .collect();
    }
    let key = match std::str::from_utf8(file) {
        Ok(text) => TrustedKey::from_certificate_base64(text),
        Err(_) if legacy => TrustedKey::from_legacy_certificate_der(file),
        Err(_) => TrustedKey::from_certificate_der(file),
    };
    key.map(|key| vec![key])
}

fn unusable(error: CertError) -> Refusal {
    let leaf = match error {
        CertError::KeyTooWeak => MetadataRefusal::KeyWeak,
        CertError::TooManyKeys => MetadataRefusal::TooManyKeys,
        _ => MetadataRefusal::CertificateUnusable,
    };
    leaf.refuse().detail(error)
}

/// Reads a SAML strategy.
fn flavour(text: &str) -> Result<&'static Spec, String> {
    let known = || Spec::all().filter(|spec| spec.protocol() == "saml");
    known().find(|spec| spec.strategy == text).ok_or_else(|| {
        let known: Vec<_> = known().map(|spec| spec.strategy.as_str()).collect();
        format!("one of {}", known.join(", "))
    })
}

fn accepted(asserted: &Asserted, spec: &Spec) -> Result<Value, Refusal> {
    let options = SamlOptions::default();
    let name_id = asserted.name_id.as_ref();
    let email = mapping::email(asserted, spec, &options);
    let subject = match mapping::subject(asserted, &options) {
        Ok((subject, _)) => Some(subject),
        // A connection that keys by an attribute takes it; which one is unknown here.
        Err(refusal) if refusal == SamlRefusal::NameIdTransient => {
            name_id.map(|name_id| name_id.value.clone())
        }
        Err(refusal) => return Err(refusal),
    };
    Ok(json!({
        "ok": true,
        "signed": asserted.signed.as_str(),
        "identity": {
            "issuer": asserted.issuer,
            "subject": subject,
            "name_id_format": name_id.and_then(|name_id| name_id.format.clone()),
            "email": email,
            "attributes": asserted.attributes,
            "session_index": asserted.session_index,
            "valid_until": asserted.valid_until.to_string(),
        },
    }))
}

/// The signature profile and the keys alone. What stands in the assertion is shown, not checked.
fn signature_only(verified: &Verified<'_>) -> Value {
    let assertion = verified.assertion();
    let subject = assertion.child(ASSERTION, "Subject");
    let name_id = subject.and_then(|subject| subject.child(ASSERTION, "NameID"));
    json!({
        "ok": true,
        "signed": verified.signed().as_str(),
        "identity": {
            "issuer": assertion.child(ASSERTION, "Issuer").and_then(Element::leaf),
            "subject": name_id.and_then(Element::leaf),
            "name_id_format": name_id.and_then(|name_id| name_id.attribute("Format")),
            "email": null,
            "attributes": {},
            "session_index": null,
            "valid_until": null,
        },
    })
}

/// Times `iterations` verifications, in microseconds.
fn timing<T>(iterations: u32, once: &impl Fn() -> T) -> Value {
    for _ in 0..WARM_UP.min(iterations) {
        std::hint::black_box(once());
    }
    let mut micros: Vec<f64> = (0..iterations)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(once());
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    micros.sort_by(f64::total_cmp);
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    let percentile = |percent: usize| rounded(micros[(micros.len() - 1) * percent / 100]);
    json!({
        "iterations": iterations,
        "mean_us": rounded(micros.iter().sum::<f64>() / f64::from(iterations)),
        "p50_us": percentile(50),
        "p99_us": percentile(99),
    })
}
