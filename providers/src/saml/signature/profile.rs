//! The one form of XML signature that is read: SignedInfo, `SignatureValue`, and a KeyInfo that decides nothing.

use fedgate_certs::public_key::Digest;
use fedgate_certs::trust::SignatureAlgorithm;

use super::Algorithms;
use crate::error::Refusal;
use crate::saml::decode::base64_leaf;
use crate::saml::namespace::{EXCLUSIVE_C14N, SIGNATURE};
use crate::saml::refusal::SamlRefusal;
use crate::saml::xml::{Attribute, Element, is_ncname};

/// The most tokens of one `PrefixList`.
const PREFIX_TOKENS: usize = 16;

/// The longest SignedInfo and the longest value of a signature or digest, in bytes as they are written: many times what any
/// product writes. They are read before anybody has vouched for them.
const PART_BYTES: usize = 16 * 1024;

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// A signature in that form, with all that verification needs.
pub(super) struct Profile<'d> {
    pub(super) signed_info: Element<'d>,
    /// The `PrefixList` for the canonical form of SignedInfo.
    pub(super) signed_info_prefixes: Vec<&'d str>,
    /// The `PrefixList` for the canonical form of the signed element.
    pub(super) reference_prefixes: Vec<&'d str>,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) digest: Digest,
    pub(super) digest_value: Vec<u8>,
    pub(super) signature_value: Vec<u8>,
}

impl<'d> Profile<'d> {
    /// Reads a signature that must cover `parent`. Every child and attribute has its place; what has none
    /// is refused.
    pub(super) fn read(
        signature: Element<'d>,
        parent: Element<'d>,
        algorithms: Algorithms,
    ) -> Result<Self, Refusal> {
        let mut children = Sequence::of(signature, &["Id"])?;
        let signed_info = children.next("SignedInfo")?;
        let signature_value = children.next("SignatureValue")?;
        // KeyInfo is not read: the sender of a message does not choose the key.
        children.optional(SIGNATURE, "KeyInfo");
        children.end()?;
        check_length(signed_info)?;
        check_length(signature_value)?;
        check_leaf(signature_value, &["Id"])?;

        let mut children = Sequence::of(signed_info, &["Id"])?;
        let canonicalization = children.next("CanonicalizationMethod")?;
        let method = children.next("SignatureMethod")?;
        let reference = children.next("Reference")?;
        children.end()?;
        let uri = algorithm_of(canonicalization)?;
        if uri != EXCLUSIVE_C14N {
            return Err(forbidden(EXCLUSIVE_C14N, uri, canonicalization));
        }
        let signed_info_prefixes = inclusive_prefixes(canonicalization)?;
        check_empty(method, &["Algorithm"])?;
        let (digest, digest_value, reference_prefixes) =
            read_reference(reference, parent, algorithms)?;
        Ok(Self {
            signed_info,
            signed_info_prefixes,
            reference_prefixes,
            algorithm: signature_algorithm(method, algorithms)?,
            digest,
            digest_value,
            signature_value: octets(signature_value)?,
        })
    }
}

fn read_reference<'d>(
    reference: Element<'d>,
    parent: Element<'d>,
    algorithms: Algorithms,
) -> Result<(Digest, Vec<u8>, Vec<&'d str>), Refusal> {
    let mut children = Sequence::of(reference, &["URI", "Id"])?;
    // The reference is compared, never resolved: there is nothing to look up and nothing to fetch.
    let id = parent.attribute("ID").unwrap_or_default();
    let uri = reference.attribute("URI").unwrap_or_default();
    if id.is_empty() || uri.strip_prefix('#') != Some(id) {
        return Err(
            unaccepted(reference, format_args!("URI \"{uri}\"")).expected(format_args!(
                "URI \"#{id}\", the element around the signature"
            )),
        );
    }
    let transforms = children.next("Transforms")?;
    let method = children.next("DigestMethod")?;
    let value = children.next("DigestValue")?;
    children.end()?;
    check_empty(method, &["Algorithm"])?;
    check_leaf(value, &[])?;
    let prefixes = read_transforms(transforms)?;
    Ok((digest_method(method, algorithms)?, octets(value)?, prefixes))
}

/// Exactly the enveloped signature transform, then exclusive canonicalization.
fn read_transforms(transforms: Element<'_>) -> Result<Vec<&str>, Refusal> {
    let mut children = Sequence::of(transforms, &[])?;
    let enveloped = children.next("Transform")?;
    let canonicalization = children.next("Transform")?;
    children.end()?;
    for (transform, uri) in [(enveloped, ENVELOPED), (canonicalization, EXCLUSIVE_C14N)] {
        let found = algorithm_of(transform)?;
        if found != uri {
            return Err(unaccepted(transform, found).expected(uri));
        }
    }
    check_empty(enveloped, &["Algorithm"])?;
    inclusive_prefixes(canonicalization)
}

/// The `PrefixList` of a canonicalization (Exclusive XML Canonicalization 4), empty without one.
fn inclusive_prefixes(canonicalization: Element<'_>) -> Result<Vec<&str>, Refusal> {
    let mut children = Sequence::of(canonicalization, &["Algorithm"])?;
    let parameters = children.optional(EXCLUSIVE_C14N, "InclusiveNamespaces");
    children.end()?;
    let Some(parameters) = parameters else {
        return Ok(Vec::new());
    };
    check_empty(parameters, &["PrefixList"])?;
    let list = parameters.attribute("PrefixList").unwrap_or_default();
    let tokens: Vec<&str> = list
        .split_ascii_whitespace()
        .take(PREFIX_TOKENS + 1)
        .collect();
    let sound = |token: &&str| is_ncname(token) || **token == *"#default";
    if tokens.len() > PREFIX_TOKENS || !tokens.iter().all(sound) {
        return Err(
            unaccepted(parameters, format_args!("PrefixList \"{list}\""))
                .expected(format_args!("at most {PREFIX_TOKENS} prefixes")),
        );
    }
    Ok(tokens)
}

/// RFC 9231 2.3.
fn signature_algorithm(
    method: Element<'_>,
    algorithms: Algorithms,
) -> Result<SignatureAlgorithm, Refusal> {
    match algorithm_of(method)? {
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => Ok(SignatureAlgorithm::RsaSha256),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => Ok(SignatureAlgorithm::RsaSha384),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => Ok(SignatureAlgorithm::RsaSha512),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => {
            Ok(SignatureAlgorithm::EcdsaSha256)
        }
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => {
            Ok(SignatureAlgorithm::EcdsaSha384)
        }
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512" => {
            Ok(SignatureAlgorithm::EcdsaSha512)
        }
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1" if algorithms.sha1 => {
            Ok(SignatureAlgorithm::RsaSha1)
        }
        uri => Err(forbidden(
            "RSA or ECDSA with SHA-256, SHA-384 or SHA-512",
            uri,
            method,
        )),
    }
}

/// RFC 9231 2.1, XML Encryption 5.8.
fn digest_method(method: Element<'_>, algorithms: Algorithms) -> Result<Digest, Refusal> {
    match algorithm_of(method)? {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Ok(Digest::Sha256),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Ok(Digest::Sha384),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Ok(Digest::Sha512),
        "http://www.w3.org/2000/09/xmldsig#sha1" if algorithms.sha1 => Ok(Digest::Sha1),
        uri => Err(forbidden("SHA-256, SHA-384 or SHA-512", uri, method)),
    }
}

fn algorithm_of(element: Element<'_>) -> Result<&str, Refusal> {
    element
        .attribute("Algorithm")
        .ok_or_else(|| unaccepted(element, "no Algorithm"))
}

fn octets(element: Element<'_>) -> Result<Vec<u8>, Refusal> {
    let text = element.leaf().unwrap_or_default();
    base64_leaf(text).ok_or_else(|| unaccepted(element, "not base64"))
}

fn forbidden(expected: &str, found: &str, element: Element<'_>) -> Refusal {
    SamlRefusal::AlgorithmForbidden
        .refuse()
        .expected(expected)
        .found(found)
        .detail(element.local_name())
}

fn unaccepted(element: Element<'_>, found: impl std::fmt::Display) -> Refusal {
    SamlRefusal::SignatureProfile
        .refuse()
        .found(found)
        .detail(format_args!(
            "{} at byte {}",
            element.local_name(),
            element.position()
        ))
}

/// The children of an element, each of which must be asked for in its order.
struct Sequence<'d> {
    parent: Element<'d>,
    next: Option<Element<'d>>,
}

impl<'d> Sequence<'d> {
    fn of(parent: Element<'d>, attributes: &[&str]) -> Result<Self, Refusal> {
        check_attributes(parent, attributes)?;
        if parent.has_text() {
            return Err(unaccepted(parent, "text between the elements"));
        }
        Ok(Self {
            parent,
            next: parent.children().next(),
        })
    }

    fn next(&mut self, local: &str) -> Result<Element<'d>, Refusal> {
        self.optional(SIGNATURE, local)
            .ok_or_else(|| self.unexpected().expected(local))
    }

    fn optional(&mut self, namespace: &str, local: &str) -> Option<Element<'d>> {
        let found = self.next.filter(|element| element.is(namespace, local))?;
        self.next = found.next_sibling();
        Some(found)
    }

    fn end(self) -> Result<(), Refusal> {
        match self.next {
            None => Ok(()),
            Some(_) => Err(self.unexpected().expected("nothing more")),
        }
    }

    fn unexpected(&self) -> Refusal {
        match self.next {
            Some(element) => unaccepted(self.parent, element.local_name()),
            None => unaccepted(self.parent, "nothing"),
        }
    }
}

fn check_length(element: Element<'_>) -> Result<(), Refusal> {
    if element.source_length() <= PART_BYTES {
        return Ok(());
    }
    let refusal = unaccepted(element, format_args!("{} bytes", element.source_length()));
    Err(refusal.expected(format_args!("at most {PART_BYTES} bytes")))
}

/// Checks an element that holds text at most.
fn check_leaf(element: Element<'_>, attributes: &[&str]) -> Result<(), Refusal> {
    check_attributes(element, attributes)?;
    match element.leaf() {
        Some(_) => Ok(()),
        None => Err(unaccepted(element, "elements inside")),
    }
}

/// Checks an element that holds nothing.
fn check_empty(element: Element<'_>, attributes: &[&str]) -> Result<(), Refusal> {
    check_leaf(element, attributes)?;
    match element.leaf() {
        Some("") => Ok(()),
        _ => Err(unaccepted(element, "text inside")),
    }
}

fn check_attributes(element: Element<'_>, allowed: &[&str]) -> Result<(), Refusal> {
    let known = |a: &Attribute<'_>| a.namespace.is_empty() && allowed.contains(&a.local_name);
    match element.attributes().find(|a| !known(a)) {
        None => Ok(()),
        Some(attribute) => Err(unaccepted(
            element,
            format_args!("attribute {}", attribute.local_name),
        )),
    }
}
