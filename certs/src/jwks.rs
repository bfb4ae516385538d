//! JWK Sets of others (RFC 7517): upstream providers and applications.

use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use serde_json::{Map, Value};

use crate::error::CertError;
use crate::jose::JwsAlgorithm;
use crate::json;
use crate::public_key::{Curve, PublicKey};

/// The longest JWK Set that is read, in octets.
pub const JWKS_BYTES: usize = 256 * 1024;
/// The most keys that a JWK Set may hold, of any kind.
pub const JWKS_KEYS: usize = 64;

/// Members that only a private or symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The signature keys of a JWK Set.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: Vec<PublishedKey>,
    skipped: Vec<SkippedKey>,
}

/// One key that may verify signatures.
#[derive(Clone, Debug)]
pub struct PublishedKey {
    /// `kid`, where it has one.
    pub id: Option<String>,
    /// The only algorithm that it may be used with, where it says so.
    pub algorithm: Option<JwsAlgorithm>,
    /// The issuer that it is good for, where it names one (`issuer`, in Microsoft's key sets).
    pub issuer: Option<String>,
    /// The key itself.
    pub public: PublicKey,
}

/// A key that is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// `kid`, where it has one.
    pub id: Option<String>,
    /// Why it is not usable.
    pub reason: CertError,
}

impl Jwks {
    /// Reads a JWK Set. Keys for another use are left out; keys of an unknown kind or with values that are not
    /// accepted are left out and kept in [`Jwks::skipped`] (RFC 7517 §5 asks to ignore them). The set may
    /// turn out to hold no usable key.
    ///
    /// # Errors
    /// `JwksTooLarge`, `NotAJwks`, `DuplicateMember`, `TooManyKeys`, `PrivateKey`, `DuplicateKeyId`.
    pub fn parse(text: &[u8]) -> Result<Self, CertError> {
        if text.len() > JWKS_BYTES {
            return Err(CertError::JwksTooLarge);
        }
        let members = json::object(text, CertError::NotAJwks)?;
        let entries = members
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(CertError::NotAJwks)?;
        if entries.len() > JWKS_KEYS {
            return Err(CertError::TooManyKeys);
        }
        let mut jwks = Self {
            keys: Vec::new(),
            skipped: Vec::new(),
        };
        for entry in entries {
            jwks.add(entry.as_object().ok_or(CertError::NotAJwks)?)?;
        }
        Ok(jwks)
    }

    /// The usable keys.
    pub fn keys(&self) -> &[PublishedKey] {
        &self.keys
    }

    /// The signature keys that are left out.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The key for a token with that `kid` and algorithm. Without a `kid` exactly one key must fit
    /// (OpenID Connect Core §10.1).
    ///
    /// # Errors
    /// `KeyUnknown`; `KeyAmbiguous`; `AlgorithmRefused` when the named key is for another algorithm; the
    /// reason why the named key was skipped.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: JwsAlgorithm,
    ) -> Result<&PublishedKey, CertError> {
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
            let found = fitting.next().ok_or(CertError::KeyUnknown)?;
            return if fitting.next().is_some() {
                Err(CertError::KeyAmbiguous)
            } else {
                Ok(found)
            };
        };
        let named = |key: &&PublishedKey| key.id.as_deref() == Some(kid);
        if let Some(found) = self
            .keys
            .iter()
            .filter(named)
            .find(|key| key.fits(algorithm))
        {
            return Ok(found);
        }
        if self.keys.iter().any(|key| named(&key)) {
            return Err(CertError::AlgorithmRefused);
        }
        let skipped = self
            .skipped
            .iter()
            .find(|key| key.id.as_deref() == Some(kid));
        Err(skipped.map_or(CertError::KeyUnknown, |key| key.reason.clone()))
    }

    fn add(&mut self, jwk: &Map<String, Value>) -> Result<(), CertError> {
        if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
            return Err(CertError::PrivateKey);
        }
        if !is_for_verification(jwk) {
            return Ok(());
        }
        let id = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or(CertError::NotAJwks)?.to_owned()),
        };
        match read(jwk) {
            Ok((algorithm, public)) => self.publish(PublishedKey {
                id,
                algorithm,
                issuer: jwk.get("issuer").and_then(Value::as_str).map(str::to_owned),
                public,
            }),
            Err(reason) => {
                self.skipped.push(SkippedKey { id, reason });
                Ok(())
            }
        }
    }

    fn publish(&mut self, key: PublishedKey) -> Result<(), CertError> {
        let namesake = |other: &&PublishedKey| key.id.is_some() && other.id == key.id;
        if self
            .keys
            .iter()
            .filter(namesake)
            .any(|other| !other.public.same_as(&key.public))
        {
            return Err(CertError::DuplicateKeyId);
        }
        let repeated = |other: &PublishedKey| {
            other.id == key.id
                && other.algorithm == key.algorithm
                && other.public.same_as(&key.public)
        };
        if !self.keys.iter().any(repeated) {
            self.keys.push(key);
        }
        Ok(())
    }
}

impl PublishedKey {
    fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && algorithm.fits(self.public.kind())
    }
}

/// RFC 7517 §4.2 and §4.3: both members are optional; present, they bind.
fn is_for_verification(jwk: &Map<String, Value>) -> bool {
    let verifies = |operations: &Value| {
        operations
            .as_array()
            .is_some_and(|names| names.iter().any(|name| name.as_str() == Some("verify")))
    };
    jwk.get("use")
        .is_none_or(|usage| usage.as_str() == Some("sig"))
        && jwk.get("key_ops").is_none_or(verifies)
}

fn read(jwk: &Map<String, Value>) -> Result<(Option<JwsAlgorithm>, PublicKey), CertError> {
    let key = match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => rsa(jwk)?,
        Some("EC") => ec(jwk)?,
        _ => return Err(CertError::UnsupportedKey),
    };
    let public = PublicKey::new(key)?;
    let algorithm = match jwk.get("alg") {
        None => None,
        Some(name) => {
            let known = name
                .as_str()
                .and_then(JwsAlgorithm::from_name)
                .ok_or(CertError::UnsupportedKey)?;
            Some(known)
        }
    };
    if algorithm.is_some_and(|algorithm| !algorithm.fits(public.kind())) {
        return Err(CertError::AlgorithmMismatch);
    }
    Ok((algorithm, public))
}

fn rsa(jwk: &Map<String, Value>) -> Result<PKey<Public>, CertError> {
    let key = Rsa::from_public_components(number(jwk, "n")?, number(jwk, "e")?)?;
    Ok(PKey::from_rsa(key)?)
}

fn ec(jwk: &Map<String, Value>) -> Result<PKey<Public>, CertError> {
    let curve = jwk
        .get("crv")
        .and_then(Value::as_str)
        .and_then(Curve::from_name)
        .ok_or(CertError::UnsupportedKey)?;
    let (x, y) = (octets(jwk, "x")?, octets(jwk, "y")?);
    // The width is fixed (RFC 7518 §6.2.1.2).
    if x.len() != curve.octets() || y.len() != curve.octets() {
        return Err(CertError::NotAKey);
    }
    let group = EcGroup::from_curve_name(curve.nid())?;
    let (x, y) = (BigNum::from_slice(&x)?, BigNum::from_slice(&y)?);
    let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y)
        .map_err(|_| CertError::UnsoundKey)?;
    Ok(PKey::from_ec_key(key)?)
}

fn number(jwk: &Map<String, Value>, name: &str) -> Result<BigNum, CertError> {
    Ok(BigNum::from_slice(&octets(jwk, name)?)?)
}

fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, CertError> {
    jwk.get(name)
        .and_then(Value::as_str)
        .and_then(json::base64url)
        .ok_or(CertError::NotAKey)
}

#[cfg(test)]
mod tests;
