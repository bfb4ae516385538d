//! Where a connection's metadata comes from.

use fedgate_certs::{Timestamp, hex};
use fedgate_providers::connection::{ConnectionRefusal, SamlOptions};
use fedgate_providers::egress::{Egress, Purpose};
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::metadata::certificates::BareCertificates;
use fedgate_providers::saml::metadata::schedule::{self, Facts};
use fedgate_providers::saml::metadata::{IdpMetadata, MetadataRefusal};
use openssl::sha::sha256;
use rand::CryptoRng;
use url::Url;

use crate::store::metadata_revision::{Revision, RevisionSource};

/// A document as it was read, with its entity tag.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) etag: Option<String>,
}

/// The text wins over the address, as with Kinde, and the address over certificates. With the option that is to blame.
pub(crate) fn source(options: &SamlOptions) -> (RevisionSource, &'static str) {
    if options.idp_metadata_xml.is_some() {
        (RevisionSource::Xml, "options.saml_idp_metadata_xml")
    } else if options.idp_metadata_url.is_some() || options.idp_certificates.is_none() {
        (RevisionSource::Url, "options.saml_idp_metadata_url")
    } else {
        (
            RevisionSource::Certificates,
            "options.saml_idp_certificates",
        )
    }
}

/// The document that the options name, over the network where they give an address.
///
/// # Errors
/// What the egress guard refuses, `connection.option_url`, and the codes of certificates in metadata.
pub(crate) async fn read(options: &SamlOptions, egress: &Egress) -> Result<Document, Refusal> {
    let given = match (source(options).0, &options.idp_metadata_xml) {
        (RevisionSource::Xml, Some(document)) => Some(document.clone()),
        (RevisionSource::Certificates, _) => Some(of_certificates(options)?),
        _ => None,
    };
    if let Some(text) = given {
        return Ok(Document { text, etag: None });
    }
    let changed = fetch(&url(options)?, egress, None).await?;
    changed.ok_or_else(|| MetadataRefusal::NotXml.into())
}

/// Fetches a document unless it still has this entity tag.
///
/// # Errors
/// What the egress guard refuses; `metadata.not_xml`.
pub(crate) async fn fetch(
    url: &Url,
    egress: &Egress,
    etag: Option<&str>,
) -> Result<Option<Document>, Refusal> {
    let fetched = egress.get_changed(url, Purpose::SamlMetadata, etag).await?;
    let Some(fetched) = fetched else {
        return Ok(None);
    };
    let text = String::from_utf8(fetched.body).map_err(|_| {
        MetadataRefusal::NotXml
            .refuse()
            .found("octets that are no UTF-8")
    })?;
    let etag = fetched.etag;
    Ok(Some(Document { text, etag }))
}

/// The address of the options.
///
/// # Errors
/// `connection.option_url`
pub(crate) fn url(options: &SamlOptions) -> Result<Url, Refusal> {
    let text = options.idp_metadata_url.as_deref().unwrap_or_default();
    Url::parse(text).map_err(|_| ConnectionRefusal::OptionUrl.refuse().found(text))
}

/// A document as a revision.
pub(crate) fn revision(
    document: String,
    source: RevisionSource,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Revision {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Revision {
        id: hex::with_prefix("rev_", &bytes),
        source,
        sha256: sha256(document.as_bytes()),
        document,
        fetched_at: now,
    }
}

/// When it is read again; where there is no address, when it will have expired.
pub(crate) fn next_refresh(
    source: RevisionSource,
    live: &IdpMetadata,
    failures: u32,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Option<Timestamp> {
    if source != RevisionSource::Url {
        return live.valid_until.filter(|end| *end > now);
    }
    let facts = Facts {
        cache_duration: live.cache_duration,
        valid_until: live.valid_until,
        failures,
    };
    Some(schedule::next_refresh(&facts, now, rng))
}

fn of_certificates(options: &SamlOptions) -> Result<String, Refusal> {
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    BareCertificates {
        entity_id: &text(&options.idp_entity_id),
        sign_in_url: &text(&options.sign_in_url),
        certificates: &text(&options.idp_certificates),
    }
    .to_metadata()
}
