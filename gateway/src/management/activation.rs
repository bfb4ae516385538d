//! From a draft to a connection that people can sign in through: complete, and its upstream has been read.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use fedgate_certs::hex;
use fedgate_certs::sp_keys::SpKeys;
use fedgate_providers::connection::{
    Connection, ConnectionRefusal, Problem, ProtocolOptions, SamlOptions,
};
use fedgate_providers::egress::{Egress, Purpose};
use fedgate_providers::error::Refusal;
use fedgate_providers::provider::{Opening, Provider};
use fedgate_providers::saml::metadata::MetadataRefusal;
use openssl::sha::sha256;
use rand::CryptoRng;
use url::Url;

use crate::store::metadata_revision::{Revision, RevisionSource};

/// Checks that a connection can be used, over the network where its upstream is described there. A SAML connection's
/// metadata comes back, to be stored with it as the live revision.
///
/// # Errors
/// Every problem.
pub(crate) async fn activate(
    connection: &Connection,
    keys: &SpKeys,
    egress: &Arc<Egress>,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<Option<Revision>, Vec<Problem>> {
    let mut missing = connection.missing();
    missing.extend(connection.problem_at(now));
    if !missing.is_empty() {
        return Err(missing);
    }
    let (metadata, field) = match &connection.options.protocol {
        ProtocolOptions::Saml(options) => {
            let (source, field) = source(options);
            let document = document(options, source, egress)
                .await
                .map_err(|refusal| problem(refusal, field))?;
            (Some((document, source)), field)
        }
        ProtocolOptions::Oauth(_) => (None, "options.issuer"),
    };
    let document = metadata.as_ref().map(|(document, _)| document.as_bytes());
    let opening = Opening {
        connection,
        metadata: document,
        keys,
        egress,
        now,
    };
    let provider = Provider::open(opening)
        .await
        .map_err(|refusal| problem(refusal, field))?;
    if let Provider::Saml(provider) = &provider {
        provider
            .metadata()
            .valid_at(now)
            .map_err(|refusal| problem(refusal, field))?;
    }
    Ok(metadata.map(|(document, source)| Revision {
        id: revision_id(rng),
        source,
        sha256: sha256(document.as_bytes()),
        document,
        fetched_at: now,
    }))
}

/// The text wins over the address, as with Kinde.
fn source(options: &SamlOptions) -> (RevisionSource, &'static str) {
    if options.idp_metadata_xml.is_some() {
        (RevisionSource::Xml, "options.saml_idp_metadata_xml")
    } else {
        (RevisionSource::Url, "options.saml_idp_metadata_url")
    }
}

async fn document(
    options: &SamlOptions,
    source: RevisionSource,
    egress: &Egress,
) -> Result<String, Refusal> {
    if let (RevisionSource::Xml, Some(document)) = (source, &options.idp_metadata_xml) {
        return Ok(document.clone());
    }
    let text = options.idp_metadata_url.as_deref().unwrap_or_default();
    let url = Url::parse(text).map_err(|_| ConnectionRefusal::OptionUrl.refuse().found(text))?;
    let fetched = egress.get(&url, Purpose::SamlMetadata).await?;
    String::from_utf8(fetched.body).map_err(|_| {
        MetadataRefusal::NotXml
            .refuse()
            .found("octets that are no UTF-8")
    })
}

fn problem(refusal: Refusal, field: &str) -> Vec<Problem> {
    vec![Problem::new(refusal, field)]
}

fn revision_id(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    hex::with_prefix("rev_", &bytes)
}
