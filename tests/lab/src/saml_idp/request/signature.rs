//! Signatures of AuthnRequests, verified with OpenSSL alone: over the raw octets of a query (SAML bindings 3.4.4.1), or
//! enveloped in a document that its sender wrote in exclusive canonical form, as this gateway does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{Id, PKey, Public};
use openssl::sign::Verifier;
use openssl::x509::X509;
use percent_encoding::percent_decode_str;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Verifies the signature of a raw query.
///
/// # Errors
/// What is wrong, for people.
pub(in crate::saml_idp) fn check_query(query: &str, certificate: &X509) -> Result<(), String> {
    let raw = |name: &str| {
        let mut found = query
            .split('&')
            .filter(|pair| pair.split('=').next() == Some(name));
        match (found.next(), found.next()) {
            (Some(pair), None) => Ok(pair),
            (None, _) => Err(format!("the query has no {name}")),
            (Some(_), Some(_)) => Err(format!("the query has {name} twice")),
        }
    };
    let value = |name: &str| {
        let pair = raw(name)?;
        let (_, value) = pair.split_once('=').unwrap_or_default();
        let decoded = percent_decode_str(value).decode_utf8();
        decoded.map_or_else(
            |_| Err(format!("{name} is not UTF-8")),
            |text| Ok(text.into_owned()),
        )
    };
    let octets = [raw("SAMLRequest")?, raw("RelayState")?, raw("SigAlg")?].join("&");
    let signature = decoded(&value("Signature")?)?;
    verify(
        certificate,
        &value("SigAlg")?,
        octets.as_bytes(),
        &signature,
    )
}

/// Verifies the enveloped signature of a document whose root has that ID.
///
/// # Errors
/// What is wrong, for people.
pub(in crate::saml_idp) fn check_document(
    xml: &str,
    id: &str,
    certificate: &X509,
) -> Result<(), String> {
    let (head, rest) = xml
        .split_once(&format!("<ds:Signature xmlns:ds=\"{DS}\">"))
        .ok_or("the request has no signature")?;
    let (signature, tail) = rest
        .split_once("</ds:Signature>")
        .ok_or("the signature has no end")?;
    if !head.ends_with("</saml:Issuer>") || tail.contains("<ds:Signature") {
        return Err("the signature is not the one behind the Issuer".to_owned());
    }
    let between = |begin: &str, end: &str| {
        let rest = signature.split_once(begin).map(|(_, rest)| rest);
        let found = rest.and_then(|rest| rest.split_once(end));
        found
            .map(|(found, _)| found)
            .ok_or(format!("the signature has no {begin}"))
    };
    if between("<ds:Reference URI=\"", "\"")? != format!("#{id}") {
        return Err("the signature is about another element".to_owned());
    }
    let digest = digest_of(between("<ds:DigestMethod Algorithm=\"", "\"")?)?;
    let octets = hash(digest, format!("{head}{tail}").as_bytes()).map_err(told)?;
    if decoded(between("<ds:DigestValue>", "</ds:DigestValue>")?)? != *octets {
        return Err("the request is not the one that was signed".to_owned());
    }
    let signed_info = between("<ds:SignedInfo>", "</ds:SignedInfo>")?;
    let canonical = format!("<ds:SignedInfo xmlns:ds=\"{DS}\">{signed_info}</ds:SignedInfo>");
    let method = between("<ds:SignatureMethod Algorithm=\"", "\"")?;
    let value = decoded(between("<ds:SignatureValue>", "</ds:SignatureValue>")?)?;
    verify(certificate, method, canonical.as_bytes(), &value)
}

fn verify(certificate: &X509, algorithm: &str, octets: &[u8], value: &[u8]) -> Result<(), String> {
    let key = certificate.public_key().map_err(told)?;
    let is_elliptic = key.id() == Id::EC;
    if algorithm.contains("#ecdsa-") != is_elliptic {
        return Err(format!(
            "{algorithm} does not go with the key that is known"
        ));
    }
    let digest = digest_of(algorithm)?;
    let verified = || {
        let der = if is_elliptic {
            der_of(value)?
        } else {
            value.to_vec()
        };
        verified(&key, digest, octets, &der)
    };
    match verified() {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err("the signature does not verify".to_owned()),
    }
}

fn verified(
    key: &PKey<Public>,
    digest: MessageDigest,
    octets: &[u8],
    value: &[u8],
) -> Result<bool, ErrorStack> {
    Verifier::new(digest, key)?.verify_oneshot(value, octets)
}

/// The DER of r‖s.
fn der_of(value: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let (r, s) = value.split_at(value.len() / 2);
    EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?.to_der()
}

fn digest_of(algorithm: &str) -> Result<MessageDigest, String> {
    let name = algorithm.rsplit(['#', '-']).next().unwrap_or_default();
    match name {
        "sha1" => Ok(MessageDigest::sha1()),
        "sha256" => Ok(MessageDigest::sha256()),
        "sha384" => Ok(MessageDigest::sha384()),
        "sha512" => Ok(MessageDigest::sha512()),
        _ => Err(format!("{algorithm} is not known here")),
    }
}

fn decoded(base64: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(base64)
        .map_err(|error| format!("the signature is not base64: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn told(error: ErrorStack) -> String {
    error.to_string()
}
