//! Metadata (SAML metadata 2.0): reading an identity provider's, writing our own.
//!
//! Trust rests on where the document came from, a configured https URL or an operator's paste; a signature in it is
//! not looked at. The keys are what is trusted, not the certificates around them (SAML V2.0 Metadata Interoperability
//! Profile 2.6.1): dates and chains are for showing.

pub mod beside;
pub mod certificates;
pub mod change;
mod refusal;
pub mod schedule;
mod service_provider;
#[cfg(test)]
mod simulation;
#[cfg(test)]
pub(crate) mod testing;

use fedgate_certs::Timestamp;
use fedgate_certs::error::CertError;
use fedgate_certs::trust::{Trust, TrustedKey};
use jiff::SignedDuration;
use url::{Host, Url};

use super::conditions::date_time_value;
use super::namespace::{METADATA, PROTOCOL, SIGNATURE};
use super::refusal::SamlRefusal;
use super::xml::second_reader::reads_alike;
use super::xml::{Document, Element, Mode};
use crate::connection::Binding;
use crate::error::Refusal;

pub use refusal::MetadataRefusal;
pub use service_provider::ServiceProvider;

/// The most KeyDescriptors that are read of one role.
pub const MAX_KEY_DESCRIPTORS: usize = 64;
/// The most endpoints of one kind that are kept.
pub const MAX_ENDPOINTS: usize = 32;

/// What an identity provider publishes about itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IdpMetadata {
    /// Its entityID: the Issuer of its assertions.
    pub entity_id: String,
    /// SingleSignOnService, for the bindings that this gateway speaks, in the document's order.
    pub sso: Vec<(Binding, Url)>,
    /// SingleLogoutService, likewise.
    pub slo: Vec<(Binding, Url)>,
    /// The keys it signs with, at least one.
    pub trust: Trust,
    /// Signing certificates that were passed over, and why.
    pub skipped_keys: Vec<String>,
    /// Whether it wants AuthnRequests to be signed.
    pub want_authn_requests_signed: bool,
    /// NameIDFormat, as listed.
    pub name_id_formats: Vec<String>,
    /// The earliest validUntil of the role, the entity and the groups around it.
    pub valid_until: Option<Timestamp>,
    /// The shortest cacheDuration of the same.
    pub cache_duration: Option<SignedDuration>,
}

impl IdpMetadata {
    /// Reads an EntityDescriptor, or one out of an EntitiesDescriptor: the one named `chosen`, else its only
    /// identity provider.
    ///
    /// # Errors
    /// The codes of [`MetadataRefusal`], except `metadata.expired` and those of [`IdpMetadata::sso_for`].
    pub fn parse(bytes: &[u8], chosen: Option<&str>) -> Result<Self, Refusal> {
        let document =
            Document::parse(bytes, Mode::Metadata).map_err(|refusal| unreadable(&refusal))?;
        reads_alike(document.source, &document)
            .map_err(|words| MetadataRefusal::NotXml.refuse().detail(words))?;
        let (entity, role) = identity_provider(document.root(), chosen)?;
        let (trust, skipped_keys) = signing_keys(role)?;
        let mut around = vec![role, entity];
        around.extend(std::iter::successors(entity.parent(), |element| {
            element.parent()
        }));
        Ok(Self {
            entity_id: entity_id(entity)?.to_owned(),
            sso: endpoints(role, "SingleSignOnService"),
            slo: endpoints(role, "SingleLogoutService"),
            trust,
            skipped_keys,
            want_authn_requests_signed: matches!(
                role.attribute("WantAuthnRequestsSigned"),
                Some("true" | "1")
            ),
            name_id_formats: role
                .children_named(METADATA, "NameIDFormat")
                .filter_map(Element::leaf)
                .take(MAX_ENDPOINTS)
                .map(str::to_owned)
                .collect(),
            valid_until: valid_until(&around)?,
            cache_duration: around
                .iter()
                .filter_map(|e| duration(e.attribute("cacheDuration")?))
                .min(),
        })
    }

    /// The SingleSignOnService of a binding.
    ///
    /// # Errors
    /// `metadata.sso_missing`, `metadata.sso_insecure`.
    pub fn sso_for(&self, binding: Binding) -> Result<&Url, Refusal> {
        let of_binding = || {
            self.sso
                .iter()
                .filter(|(found, _)| *found == binding)
                .map(|(_, url)| url)
        };
        if let Some(url) = of_binding().find(|url| is_secure(url)) {
            return Ok(url);
        }
        match of_binding().next() {
            Some(insecure) => Err(MetadataRefusal::SsoInsecure.refuse().found(insecure)),
            None => Err(self.sso_missing(binding)),
        }
    }

    /// Refuses metadata whose validUntil has passed.
    ///
    /// # Errors
    /// `metadata.expired`.
    pub fn valid_at(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.valid_until {
            Some(end) if end <= now => Err(MetadataRefusal::Expired
                .refuse()
                .expected(format_args!("later than {now}"))
                .found(end)),
            _ => Ok(()),
        }
    }

    /// The same with a tolerance: how long it has been expired where that is less than `grace`.
    ///
    /// # Errors
    /// `metadata.expired`.
    pub fn valid_within(
        &self,
        grace: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, Refusal> {
        let late = self.valid_until.map(|end| now.duration_since(end));
        match late.filter(|late| !late.is_negative()) {
            None => Ok(None),
            Some(late) if late < grace => Ok(Some(late)),
            Some(_) => self.valid_at(now).map(|()| None),
        }
    }

    fn sso_missing(&self, binding: Binding) -> Refusal {
        let listed: Vec<_> = self
            .sso
            .iter()
            .map(|(binding, _)| binding_name(*binding))
            .collect();
        let found = if listed.is_empty() {
            "none that is usable".to_owned()
        } else {
            listed.join(", ")
        };
        MetadataRefusal::SsoMissing
            .refuse()
            .expected(binding_name(binding))
            .found(found)
    }
}

/// Whether a browser may be sent there: https, or http on the loopback interface.
pub fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

/// `HTTP-Redirect` or `HTTP-POST`, as in the binding's URN.
pub fn binding_name(binding: Binding) -> &'static str {
    match binding {
        Binding::Redirect => "HTTP-Redirect",
        Binding::Post => "HTTP-POST",
    }
}

fn unreadable(refusal: &Refusal) -> Refusal {
    let is_large = *refusal == SamlRefusal::ResponseTooLarge;
    let leaf = if is_large {
        MetadataRefusal::TooLarge
    } else {
        MetadataRefusal::NotXml
    };
    let evidence = refusal.evidence();
    let words = [evidence.found, evidence.detail]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    leaf.refuse()
        .detail(format_args!("{} ({words})", refusal.code()))
}

fn identity_provider<'d>(
    root: Element<'d>,
    chosen: Option<&str>,
) -> Result<(Element<'d>, Element<'d>), Refusal> {
    let entities: Vec<Element<'d>> = match root.local_name() {
        "EntityDescriptor" if root.namespace() == METADATA => vec![root],
        "EntitiesDescriptor" if root.namespace() == METADATA => root
            .descendants()
            .filter(|element| element.is(METADATA, "EntityDescriptor"))
            .collect(),
        other => {
            let refusal = MetadataRefusal::NotMetadata
                .refuse()
                .expected("EntityDescriptor or EntitiesDescriptor");
            return Err(refusal.found(other));
        }
    };
    let mut candidates = entities.iter().filter(|entity| match chosen {
        Some(id) => entity.attribute("entityID") == Some(id),
        None => role(**entity).is_some(),
    });
    let found = || {
        entities
            .iter()
            .filter_map(|e| e.attribute("entityID"))
            .take(8)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (candidates.next(), candidates.next(), chosen) {
        (Some(entity), None, _) => {
            let role = role(*entity)
                .ok_or_else(|| MetadataRefusal::NoIdentityProvider.refuse().found(found()))?;
            Ok((*entity, role))
        }
        (Some(_), Some(_), _) => Err(MetadataRefusal::SeveralIdentityProviders
            .refuse()
            .found(found())),
        (None, _, Some(id)) => Err(MetadataRefusal::NoIdentityProvider
            .refuse()
            .expected(id)
            .found(found())),
        (None, _, None) => Err(MetadataRefusal::NoIdentityProvider.refuse().found(found())),
    }
}

/// The IDPSSODescriptor that speaks SAML 2.0; a document may have one for SAML 1.1 beside it.
fn role(entity: Element<'_>) -> Option<Element<'_>> {
    let speaks = |role: &Element<'_>| {
        let protocols = role
            .attribute("protocolSupportEnumeration")
            .unwrap_or_default();
        protocols
            .split_ascii_whitespace()
            .any(|protocol| protocol == PROTOCOL)
    };
    entity
        .children_named(METADATA, "IDPSSODescriptor")
        .find(speaks)
}

fn entity_id(entity: Element<'_>) -> Result<&str, Refusal> {
    // At most 1024 characters (SAML metadata 2.2.1).
    let id = entity
        .attribute("entityID")
        .filter(|id| !id.is_empty() && id.chars().count() <= 1024);
    id.ok_or_else(|| MetadataRefusal::EntityIdMissing.into())
}

/// The keys of all KeyDescriptors for signing. One that cannot be used is passed over while others remain.
fn signing_keys(role: Element<'_>) -> Result<(Trust, Vec<String>), Refusal> {
    let signing = role
        .children_named(METADATA, "KeyDescriptor")
        .filter(|descriptor| matches!(descriptor.attribute("use"), None | Some("signing")));
    // Of a chain the first certificate is the signer's; the others certify it and must not sign for it.
    let certificates = signing.take(MAX_KEY_DESCRIPTORS).flat_map(|descriptor| {
        let infos = descriptor.children_named(SIGNATURE, "KeyInfo");
        infos
            .flat_map(|info| info.children_named(SIGNATURE, "X509Data"))
            .filter_map(|data| data.child(SIGNATURE, "X509Certificate"))
    });
    let mut keys = Vec::new();
    let mut skipped = Vec::new();
    let mut first_failure = None;
    for certificate in certificates {
        match TrustedKey::from_certificate_base64(certificate.leaf().unwrap_or_default()) {
            Ok(key) => keys.push(key),
            Err(error) => {
                skipped.push(error.to_string());
                first_failure.get_or_insert(error);
            }
        }
    }
    match Trust::new(keys) {
        Ok(trust) => Ok((trust, skipped)),
        Err(CertError::TooManyKeys) => Err(MetadataRefusal::TooManyKeys.into()),
        Err(_) => Err(no_key(first_failure)),
    }
}

fn no_key(failure: Option<CertError>) -> Refusal {
    match failure {
        None => MetadataRefusal::NoKey.into(),
        Some(weak @ CertError::KeyTooWeak) => MetadataRefusal::KeyWeak.refuse().detail(weak),
        Some(other) => MetadataRefusal::CertificateUnusable.refuse().detail(other),
    }
}

fn endpoints(role: Element<'_>, name: &str) -> Vec<(Binding, Url)> {
    let read = |endpoint: Element<'_>| {
        let binding = match endpoint.attribute("Binding")? {
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" => Binding::Redirect,
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" => Binding::Post,
            _ => return None,
        };
        let location = Url::parse(endpoint.attribute("Location")?.trim()).ok()?;
        matches!(location.scheme(), "https" | "http").then_some((binding, location))
    };
    role.children_named(METADATA, name)
        .filter_map(read)
        .take(MAX_ENDPOINTS)
        .collect()
}

fn valid_until(around: &[Element<'_>]) -> Result<Option<Timestamp>, Refusal> {
    let mut earliest: Option<Timestamp> = None;
    for text in around
        .iter()
        .filter_map(|element| element.attribute("validUntil"))
    {
        // Unlike in messages, an offset does no harm here.
        let end = date_time_value(text).or_else(|| text.parse().ok());
        let end = end.ok_or_else(|| MetadataRefusal::ValidUntilMalformed.refuse().found(text))?;
        earliest = Some(earliest.map_or(end, |earlier| earlier.min(end)));
    }
    Ok(earliest)
}

/// An xs:duration, years as 365 days and months as 30. A hint only: what cannot be read counts as absent.
fn duration(text: &str) -> Option<SignedDuration> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) => (date, time),
        None => (&text[1..], ""),
    };
    let days = components(
        date,
        &[('Y', 365 * 86_400), ('M', 30 * 86_400), ('D', 86_400)],
    )?;
    let seconds = components(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
    Some(SignedDuration::from_secs(days.saturating_add(seconds)))
}

fn components(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            let whole = number.split('.').next()?.parse::<u32>().ok()?;
            total = total.saturating_add(i64::from(whole).saturating_mul(*seconds));
            text = rest;
        }
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests;
