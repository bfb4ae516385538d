//! A SAML 2.0 identity provider: honest, or told for one login how to lie.
//!
//! It signs by construction: what it writes is in exclusive canonical form already, so that digest and signature are
//! computed over the very octets that are sent, and no canonicalization of ours can hide a mistake of another. It
//! answers every service provider that asks, at the address that the request names: it is a lab.

mod delivery;
mod dialect;
mod draft;
mod lie;
mod page;
mod request;
mod sign;
mod write;

pub use dialect::Dialect;
pub use lie::Lie;
pub use request::{AuthnRequest, INFLATED_BYTES};

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate::app::{Clock, Randomness};
use jiff::Timestamp;
use openssl::x509::X509;
use rand::CryptoRng;

use crate::error::LabError;
use crate::key::{KeyKind, LabKey};
use crate::person::Person;

/// What is signed of an honest response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signed {
    /// The assertion alone, as Entra, Okta and Google do.
    #[default]
    Assertion,
    /// The Response alone, as Keycloak and Shibboleth often do.
    Response,
    /// Each.
    Both,
}

/// How an identity provider is set up.
#[derive(Clone, Debug)]
pub struct SamlIdpOptions {
    /// Where people and gateways reach it, without a trailing slash: `http://127.0.0.1:8081`.
    pub base_url: String,
    /// What its pages call it.
    pub name: String,
    /// Who can sign in.
    pub people: Vec<Person>,
    /// What it signs with.
    pub key: KeyKind,
    /// What it signs.
    pub signed: Signed,
}

/// Everything that one response depends on.
#[derive(Clone, Copy, Debug)]
pub struct ResponseParameters<'a> {
    /// Destination and Recipient.
    pub acs: &'a str,
    /// The service provider's entityID.
    pub audience: &'a str,
    /// The request that is answered; none: unsolicited.
    pub in_response_to: Option<&'a str>,
    /// Who signed in.
    pub person: &'a Person,
    /// AuthnContextClassRef; none: `PasswordProtectedTransport`.
    pub context: Option<&'a str>,
    /// The lie, or none.
    pub lie: Lie,
}

/// The identity provider. Share it behind an [`Arc`].
#[derive(Debug)]
pub struct SamlIdp {
    options: SamlIdpOptions,
    dialect: Dialect,
    clock: Arc<Clock>,
    keys: RwLock<Keys>,
    requests: RwLock<Requests>,
    disguise: RwLock<Option<String>>,
}

/// Which requests are taken.
#[derive(Debug, Default)]
enum Requests {
    /// All.
    #[default]
    Any,
    /// Signed ones, and the service provider is not known yet.
    Signed,
    /// Those that this certificate's key signed.
    SignedBy(X509),
}

/// The key in the metadata, and the one that will follow it.
#[derive(Debug)]
struct Keys {
    current: Arc<LabKey>,
    next: Arc<LabKey>,
    /// What its metadata names; none: the current one.
    published: Option<Vec<Arc<LabKey>>>,
}

impl SamlIdp {
    /// Makes its keys.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn new(options: SamlIdpOptions, clock: Arc<Clock>) -> Result<Self, LabError> {
        let key = || LabKey::generate(options.key, &options.name, &clock).map(Arc::new);
        let keys = RwLock::new(Keys {
            current: key()?,
            next: key()?,
            published: None,
        });
        Ok(Self {
            options,
            dialect: Dialect::default(),
            clock,
            keys,
            requests: RwLock::default(),
            disguise: RwLock::default(),
        })
    }

    /// The same provider with the same keys, which from now on signs this.
    #[must_use]
    pub fn signing(mut self, signed: Signed) -> Self {
        self.options.signed = signed;
        self
    }

    /// From now on takes signed requests alone, and says so in its metadata: none, until it knows who signs them.
    pub fn require_signed_requests(&self) {
        *self
            .requests
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Requests::Signed;
    }

    /// From now on takes requests alone that this certificate's key signed; PEM, or base64 as in metadata.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn require_requests_signed_by(&self, certificate: &str) -> Result<(), LabError> {
        let certificate = if certificate.contains("BEGIN") {
            X509::from_pem(certificate.as_bytes())?
        } else {
            X509::from_der(&STANDARD.decode(certificate.trim()).unwrap_or_default())?
        };
        let mut requests = self
            .requests
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *requests = Requests::SignedBy(certificate);
        Ok(())
    }

    /// The same provider with the same keys, which from now on speaks, and signs, as a product does.
    #[must_use]
    pub fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self.signing(dialect.signs())
    }

    /// Its entityID: the address of its metadata.
    pub fn entity_id(&self) -> String {
        self.at("/metadata")
    }

    /// Where AuthnRequests go, by Redirect and by POST.
    pub fn sso_url(&self) -> String {
        self.at("/sso")
    }

    /// Who can sign in.
    pub fn people(&self) -> &[Person] {
        &self.options.people
    }

    /// Its metadata with the current key.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn metadata(&self) -> Result<String, LabError> {
        let certificates: Result<Vec<_>, _> = self
            .published_keys()
            .iter()
            .map(|key| key.certificate_base64())
            .collect();
        Ok(write::metadata(
            &self.entity_id(),
            &self.sso_url(),
            &certificates?,
            !matches!(*self.read_requests(), Requests::Any),
        ))
    }

    /// The keys that its metadata names.
    pub fn published_keys(&self) -> Vec<Arc<LabKey>> {
        let keys = self.read_keys();
        let published = keys.published.clone();
        published.unwrap_or_else(|| vec![keys.current.clone()])
    }

    /// From now on answers this in place of its metadata; none: its metadata again.
    pub fn disguise(&self, document: Option<String>) {
        *self
            .disguise
            .write()
            .unwrap_or_else(PoisonError::into_inner) = document;
    }

    /// What is answered in place of its metadata.
    fn disguised(&self) -> Option<String> {
        let disguise = self.disguise.read().unwrap_or_else(PoisonError::into_inner);
        disguise.clone()
    }

    /// A key that it neither signs with nor names.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn fresh_key(&self) -> Result<Arc<LabKey>, LabError> {
        let key = LabKey::generate(self.options.key, &self.options.name, &self.clock)?;
        Ok(Arc::new(key))
    }

    /// From now on signs with this key, whatever its metadata names.
    pub fn sign_with(&self, key: &Arc<LabKey>) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let signed = std::mem::replace(&mut keys.current, Arc::clone(key));
        keys.published.get_or_insert_with(|| vec![signed]);
    }

    /// From now on its metadata names these keys, whatever it signs with.
    pub fn publish(&self, published: &[Arc<LabKey>]) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.published = Some(published.to_vec());
    }

    /// The key that it signs with, which is what its metadata names unless it was told otherwise.
    pub fn current_key(&self) -> Arc<LabKey> {
        self.read_keys().current.clone()
    }

    /// Rolls to a new key at once: metadata that was read before does not have it.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn roll(&self) -> Result<(), LabError> {
        let fresh = Arc::new(LabKey::generate(
            self.options.key,
            &self.options.name,
            &self.clock,
        )?);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.current = std::mem::replace(&mut keys.next, fresh);
        Ok(())
    }

    /// A response in base64, as the form field `SAMLResponse` carries it.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn response(&self, parameters: &ResponseParameters<'_>) -> Result<String, LabError> {
        self.response_octets(parameters)
            .map(|octets| STANDARD.encode(octets))
    }

    /// A response as it was signed.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn response_octets(
        &self,
        parameters: &ResponseParameters<'_>,
    ) -> Result<Vec<u8>, LabError> {
        self.written(parameters, self.clock.now(), &mut Randomness.rng())
    }

    /// `/metadata`, `/sso`, `/login` and the look of its pages.
    pub fn router(self: Arc<Self>) -> Router {
        page::router(self)
    }

    fn written(
        &self,
        parameters: &ResponseParameters<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, LabError> {
        let draft = draft::Draft::new((&self.entity_id(), self.dialect), parameters, now, rng);
        let key = match parameters.lie {
            Lie::RolledKey => self.read_keys().next.clone(),
            _ => self.current_key(),
        };
        let xml = sign::signed(&draft, parameters.lie, self.options.signed, &key)?;
        Ok(lie::after_signing(parameters.lie, xml))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.options.base_url)
    }

    /// Whether a request is signed as it must be; `check` compares it with a certificate.
    fn check_request(&self, check: impl FnOnce(&X509) -> Result<(), String>) -> Result<(), String> {
        match &*self.read_requests() {
            Requests::Any => Ok(()),
            Requests::Signed => Err("nobody's signature is known here yet".to_owned()),
            Requests::SignedBy(certificate) => check(certificate),
        }
    }

    fn read_requests(&self) -> std::sync::RwLockReadGuard<'_, Requests> {
        self.requests.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_keys(&self) -> std::sync::RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
