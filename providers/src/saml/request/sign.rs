//! Signatures of our requests: an enveloped one (SAML core 5), or one over the octets of a query (SAML bindings 3.4.4.1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::CertifiedKey;
use fedgate_certs::public_key::{Curve, Digest, KeyKind};
use fedgate_certs::sp_keys::SpKeys;
use fedgate_certs::trust::SignatureAlgorithm;

use super::Written;
use crate::connection::SamlOptions;
use crate::error::Refusal;
use crate::saml::namespace::{EXCLUSIVE_C14N, SIGNATURE};
use crate::saml::refusal::SamlRefusal;

/// Whether a connection signs its requests, where its own settings decide that: a switch, or else an algorithm or a pair
/// of its own. `None` leaves it to the identity provider's metadata.
pub fn signs_requests(options: &SamlOptions) -> Option<bool> {
    let named = options.sign_request_algorithm.is_some() || options.signing_certificate.is_some();
    options.sign_requests.or(named.then_some(true))
}

/// How the requests of a connection leave.
#[derive(Clone, Debug)]
pub(in crate::saml) enum Signing {
    /// As they are.
    Unsigned,
    /// Signed.
    Signed(RequestSigner),
    /// They should be signed, and there is nothing to sign with.
    Impossible,
}

/// Signs requests with one key and algorithm.
#[derive(Clone, Debug)]
pub(in crate::saml) struct RequestSigner {
    key: CertifiedKey,
    algorithm: SignatureAlgorithm,
    /// SHA-1: from when on it is not used any more.
    end: Option<Timestamp>,
}

impl Signing {
    /// What the settings, or else the identity provider's wish, come to with these keys.
    pub(in crate::saml) fn of(options: &SamlOptions, is_wanted: bool, keys: &SpKeys) -> Self {
        if !signs_requests(options).unwrap_or(is_wanted) {
            return Self::Unsigned;
        }
        let Some(key) = options.signing_pair().or_else(|| keys.signer().cloned()) else {
            return Self::Impossible;
        };
        let algorithm = options
            .sign_request_algorithm
            .unwrap_or_else(|| usual(key.kind()));
        let end = match algorithm {
            SignatureAlgorithm::RsaSha1 => options.legacy_sha1_end().or(Some(Timestamp::MIN)),
            _ => None,
        };
        Self::Signed(RequestSigner {
            key,
            algorithm,
            end,
        })
    }

    /// The signer of a request that leaves now; none where it leaves unsigned.
    ///
    /// # Errors
    /// `saml.request_unsigned`, `saml.request_signature_expired`.
    pub(in crate::saml) fn signer(
        &self,
        now: Timestamp,
    ) -> Result<Option<&RequestSigner>, Refusal> {
        match self {
            Self::Unsigned => Ok(None),
            Self::Impossible => Err(SamlRefusal::RequestUnsigned.into()),
            Self::Signed(signer) => match signer.end {
                Some(end) if end <= now => Err(SamlRefusal::RequestSignatureExpired
                    .refuse()
                    .expected(format_args!("a time before {end}"))
                    .found(now)
                    .detail("RSA-SHA1")),
                _ => Ok(Some(signer)),
            },
        }
    }
}

/// The hash that goes with a key where none is chosen: SHA-256, or as wide as the curve (NIST SP 800-57, table 3).
fn usual(kind: KeyKind) -> SignatureAlgorithm {
    match kind {
        KeyKind::Rsa { .. } => SignatureAlgorithm::RsaSha256,
        KeyKind::Ec { curve: Curve::P256 } => SignatureAlgorithm::EcdsaSha256,
        KeyKind::Ec { curve: Curve::P384 } => SignatureAlgorithm::EcdsaSha384,
        KeyKind::Ec { curve: Curve::P521 } => SignatureAlgorithm::EcdsaSha512,
    }
}

impl RequestSigner {
    /// The algorithm's identifier (RFC 9231 2.3), which a query carries too.
    pub(super) fn uri(&self) -> &'static str {
        match self.algorithm {
            SignatureAlgorithm::RsaSha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            SignatureAlgorithm::RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            SignatureAlgorithm::RsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            SignatureAlgorithm::RsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            SignatureAlgorithm::EcdsaSha256 => {
                "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
            }
            SignatureAlgorithm::EcdsaSha384 => {
                "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
            }
            SignatureAlgorithm::EcdsaSha512 => {
                "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
            }
        }
    }

    /// The signature over `octets`, in base64.
    ///
    /// # Errors
    /// `saml.request_unsigned`, where OpenSSL's policy on this host forbids the algorithm.
    pub(super) fn value(&self, octets: &[u8]) -> Result<String, Refusal> {
        let signature = self.key.sign(self.algorithm.scheme(), octets);
        signature
            .map(|signature| STANDARD.encode(signature))
            .map_err(|error| SamlRefusal::RequestUnsigned.refuse().detail(error))
    }

    /// The request with an enveloped signature of one Reference, by its ID, and the certificate for whoever keeps several.
    ///
    /// # Errors
    /// `saml.request_unsigned`.
    pub(super) fn enveloped(&self, request: &Written) -> Result<String, Refusal> {
        let digest = self.algorithm.scheme().digest();
        let value = STANDARD.encode(digest.of(request.to_xml().as_bytes()));
        let signed_info = format!(
            r##"<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{}"></ds:SignatureMethod><ds:Reference URI="#{}"><ds:Transforms><ds:Transform Algorithm="{SIGNATURE}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="{}"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##,
            self.uri(),
            request.id,
            digest_uri(digest),
        );
        // On its own the element declares its prefix; inside the Signature it inherits the declaration.
        let canonical = format!(r#"<ds:SignedInfo xmlns:ds="{SIGNATURE}">{signed_info}"#);
        let signature = format!(
            r#"<ds:Signature xmlns:ds="{SIGNATURE}"><ds:SignedInfo>{signed_info}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"#,
            self.value(canonical.as_bytes())?,
            STANDARD.encode(self.key.certificate_der()),
        );
        Ok(request.with_signature(&signature))
    }
}

/// A digest's identifier (RFC 9231 2.1, XML Encryption 5.7).
fn digest_uri(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
        Digest::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
        Digest::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
        Digest::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
    }
}
