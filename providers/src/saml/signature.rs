//! Verification: from the shape of a message and the keys of its connection to the one element to be read.
//!
//! Keys come from the connection alone. The signature is verified over SignedInfo first, then the digest over
//! the canonical form of the very element that is handed on: by pointer, never by a look-up.

mod profile;

use fedgate_certs::trust::{Trust, TrustedKey, verify_signature};

use self::profile::Profile;
use super::c14n::canonicalize;
use super::decrypt;
use super::namespace::SIGNATURE;
use super::refusal::SamlRefusal;
use super::shape::{DecryptedShape, ResponseShape};
use super::xml::Element;
use crate::connection::SignaturePolicy;
use crate::error::Refusal;

/// What is found where no certificate says whose signature it might be.
pub(super) const WITHOUT_CERTIFICATE: &str = "a signature without a certificate";

/// Algorithms beyond the accepted ones. The gateway accepts none; the offline tool may, to explain a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Algorithms {
    /// RSA with SHA-1, and SHA-1 digests.
    pub sha1: bool,
}

/// Which elements of a Response carried a signature, each of them verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The assertion.
    Assertion,
    /// The Response around it.
    Response,
    /// Each of them.
    Both,
}

impl Signed {
    /// `assertion`, `response` or `both`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Response => "response",
            Self::Both => "both",
        }
    }

    /// Whether the Response's own attributes are signed.
    pub fn covers_response(self) -> bool {
        matches!(self, Self::Response | Self::Both)
    }
}

/// An element that a trusted key has signed as it stands. Only [`verify_enveloped`] makes one.
#[derive(Clone, Debug)]
pub struct Covered<'d> {
    element: Element<'d>,
    trust: Trust,
    key: usize,
    octets: Vec<u8>,
}

impl<'d> Covered<'d> {
    /// The signed element; all that is below it is signed too, its own signature aside.
    pub fn element(&self) -> Element<'d> {
        self.element
    }

    /// The key that verified.
    pub fn key(&self) -> &TrustedKey {
        &self.trust.keys()[self.key]
    }
}

/// The assertion of a Response, covered by a signature. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified<'d> {
    assertion: Element<'d>,
    signed: Signed,
    covered: Covered<'d>,
    /// The Response, where it is signed beside the assertion.
    around: Option<Covered<'d>>,
}

impl<'d> Verified<'d> {
    /// The signed assertion.
    pub fn assertion(&self) -> Element<'d> {
        self.assertion
    }

    /// What was signed.
    pub fn signed(&self) -> Signed {
        self.signed
    }

    /// The key that verified; of two signatures, the key of the assertion's own.
    pub fn key(&self) -> &TrustedKey {
        self.covered.key()
    }

    /// Every key that verified.
    pub fn keys(&self) -> impl Iterator<Item = &TrustedKey> {
        let around = self.around.iter().map(Covered::key);
        std::iter::once(self.key()).chain(around)
    }

    /// The very octets whose digest was compared; of two signatures, those of the Response's, which hold the other's.
    pub fn signed_octets(&self) -> &[u8] {
        &self.around.as_ref().unwrap_or(&self.covered).octets
    }
}

/// Verifies every signature of a Response, and that they cover what the policy asks for.
///
/// # Errors
/// `saml.encrypted_assertion`, `saml.assertion_missing`, `saml.signature_missing`,
/// `saml.assertion_not_signed`, `saml.response_not_signed`, and those of [`verify_enveloped`].
pub fn verify<'d>(
    shape: &ResponseShape<'d>,
    trust: &Trust,
    policy: SignaturePolicy,
    algorithms: Algorithms,
) -> Result<Verified<'d>, Refusal> {
    if let Some(encrypted) = shape.encrypted {
        return Err(decrypt::refuse(encrypted));
    }
    let assertion = shape.assertion.ok_or(SamlRefusal::AssertionMissing)?;
    let signed = signed(
        shape.response_signature.is_some(),
        shape.assertion_signature.is_some(),
    )?;
    check_policy(policy, signed)?;
    let check = |element: Element<'d>, signature: Option<Element<'d>>| {
        signature
            .map(|signature| verify_signature_of(element, signature, trust, algorithms))
            .transpose()
    };
    let response = check(shape.response, shape.response_signature)?;
    let own = check(assertion, shape.assertion_signature)?;
    let (covered, around) = one_or_both(own, response)?;
    Ok(Verified {
        assertion,
        signed,
        covered,
        around,
    })
}

/// Verifies the Response's own signature where its assertion is still encrypted, before any private key is used.
///
/// # Errors
/// `saml.response_not_signed` where the policy demands it, and those of [`verify_enveloped`].
pub fn verify_around<'d>(
    shape: &ResponseShape<'d>,
    trust: &Trust,
    policy: SignaturePolicy,
    algorithms: Algorithms,
) -> Result<Option<Covered<'d>>, Refusal> {
    match shape.response_signature {
        Some(signature) => {
            verify_signature_of(shape.response, signature, trust, algorithms).map(Some)
        }
        None => check_policy(policy, Signed::Assertion).map(|()| None),
    }
}

/// Verifies that the assertion which was encrypted is covered: by its own signature, or by that of the Response in
/// which its cipher text stood (`response`, from [`verify_around`]).
///
/// # Errors
/// `saml.signature_missing`, `saml.assertion_not_signed`, and those of [`verify_enveloped`].
pub fn verify_decrypted<'d>(
    shape: &DecryptedShape<'d>,
    response: Option<Covered<'d>>,
    trust: &Trust,
    policy: SignaturePolicy,
    algorithms: Algorithms,
) -> Result<Verified<'d>, Refusal> {
    let signed = signed(response.is_some(), shape.signature.is_some())?;
    check_policy(policy, signed)?;
    let own = shape
        .signature
        .map(|signature| verify_signature_of(shape.assertion, signature, trust, algorithms))
        .transpose()?;
    let (covered, around) = one_or_both(own, response)?;
    Ok(Verified {
        assertion: shape.assertion,
        signed,
        covered,
        around,
    })
}

/// Verifies the one signature that is enveloped in an element, for any kind of message.
///
/// The caller makes sure that it goes on with the returned element, and that IDs are unique where others
/// might look them up ([`check_ids`](super::shape::check_ids)).
///
/// # Errors
/// `saml.signature_missing`, `saml.signatures_several`, `saml.signature_profile`, `saml.algorithm_forbidden`,
/// `saml.key_unknown`, `saml.signature_invalid`, `saml.digest_mismatch`.
pub fn verify_enveloped<'d>(
    element: Element<'d>,
    trust: &Trust,
    algorithms: Algorithms,
) -> Result<Covered<'d>, Refusal> {
    let mut signatures = element.children_named(SIGNATURE, "Signature");
    let signature = signatures.next().ok_or(SamlRefusal::SignatureMissing)?;
    if signatures.next().is_some() {
        return Err(SamlRefusal::SignaturesSeveral
            .refuse()
            .detail(element.local_name()));
    }
    verify_signature_of(element, signature, trust, algorithms)
}

fn check_policy(policy: SignaturePolicy, signed: Signed) -> Result<(), Refusal> {
    let assertion_demanded = matches!(policy, SignaturePolicy::Assertion | SignaturePolicy::Both);
    let response_demanded = matches!(policy, SignaturePolicy::Response | SignaturePolicy::Both);
    match signed {
        Signed::Response if assertion_demanded => Err(SamlRefusal::AssertionNotSigned
            .refuse()
            .expected("a signature of the assertion")
            .found("one of the response alone")),
        Signed::Assertion if response_demanded => Err(SamlRefusal::ResponseNotSigned
            .refuse()
            .expected("a signature of the response")
            .found("one of the assertion alone")),
        _ => Ok(()),
    }
}

/// What is signed, by which signatures are there.
fn signed(response: bool, assertion: bool) -> Result<Signed, Refusal> {
    match (response, assertion) {
        (false, false) => Err(SamlRefusal::SignatureMissing
            .refuse()
            .expected("a signature of the assertion or of the response")
            .found("none")),
        (false, true) => Ok(Signed::Assertion),
        (true, false) => Ok(Signed::Response),
        (true, true) => Ok(Signed::Both),
    }
}

/// What covers the assertion most closely, and the Response where it is signed too.
fn one_or_both<'d>(
    own: Option<Covered<'d>>,
    response: Option<Covered<'d>>,
) -> Result<(Covered<'d>, Option<Covered<'d>>), Refusal> {
    match (own, response) {
        (Some(own), around) => Ok((own, around)),
        (None, Some(response)) => Ok((response, None)),
        (None, None) => Err(SamlRefusal::SignatureMissing.into()),
    }
}

fn verify_signature_of<'d>(
    element: Element<'d>,
    signature: Element<'d>,
    trust: &Trust,
    algorithms: Algorithms,
) -> Result<Covered<'d>, Refusal> {
    let profile = Profile::read(signature, element, algorithms)?;
    let mut octets = Vec::with_capacity(element.source_length());
    canonicalize(
        profile.signed_info,
        None,
        &profile.signed_info_prefixes,
        &mut octets,
    );
    let verifies = |key: &TrustedKey| {
        verify_signature(key, profile.algorithm, &octets, &profile.signature_value).is_ok()
    };
    let key = trust.keys().iter().position(verifies);
    let key = key.ok_or_else(|| no_key_verifies(element, signature, trust))?;
    octets.clear();
    canonicalize(
        element,
        Some(signature),
        &profile.reference_prefixes,
        &mut octets,
    );
    let digest = profile.digest.of(&octets);
    if digest.len() != profile.digest_value.len()
        || !openssl::memcmp::eq(&digest, &profile.digest_value)
    {
        return Err(SamlRefusal::DigestMismatch
            .refuse()
            .detail(element.local_name()));
    }
    Ok(Covered {
        element,
        trust: trust.clone(),
        key,
        octets,
    })
}

/// Explains a failure by the certificate that the message carries. It is looked at for this alone.
fn no_key_verifies(element: Element<'_>, signature: Element<'_>, trust: &Trust) -> Refusal {
    let trusted = trust
        .keys()
        .iter()
        .map(|key| &*key.fingerprint_sha256)
        .collect::<Vec<_>>()
        .join(", ");
    let carried = signature
        .descendants()
        .find(|inner| inner.is(SIGNATURE, "X509Certificate"))
        .and_then(|certificate| TrustedKey::from_certificate_base64(certificate.leaf()?).ok());
    let leaf = match &carried {
        Some(carried)
            if !trust
                .keys()
                .iter()
                .any(|key| key.public.same_as(&carried.public)) =>
        {
            SamlRefusal::KeyUnknown
        }
        _ => SamlRefusal::SignatureInvalid,
    };
    let refusal = leaf.refuse().expected(trusted).detail(element.local_name());
    match carried {
        Some(carried) => refusal.found(carried.fingerprint_sha256),
        None => refusal.found(WITHOUT_CERTIFICATE),
    }
}

#[cfg(test)]
mod tests;
