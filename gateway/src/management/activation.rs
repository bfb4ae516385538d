//! From a draft to a connection that people can sign in through: complete, and its upstream has been read.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use fedgate_certs::sp_keys::SpKeys;
use fedgate_providers::connection::{Connection, Problem, ProtocolOptions};
use fedgate_providers::egress::Egress;
use fedgate_providers::error::Refusal;
use fedgate_providers::provider::{Opening, Provider, Trusting};
use rand::CryptoRng;

use crate::idp_metadata::source;
use crate::store::metadata_revision::Adopted;

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
) -> Result<Option<Adopted>, Vec<Problem>> {
    let mut missing = connection.missing();
    missing.extend(connection.problem_at(now));
    if !missing.is_empty() {
        return Err(missing);
    }
    let (document, field) = match &connection.options.protocol {
        ProtocolOptions::Saml(options) => {
            let (_, field) = source::source(options);
            let document = source::read(options, egress).await;
            (
                Some(document.map_err(|refusal| problem(refusal, field))?),
                field,
            )
        }
        ProtocolOptions::Oauth(_) => (None, "options.issuer"),
    };
    let opening = Opening {
        connection,
        metadata: document.as_ref().map(|document| document.text.as_bytes()),
        keys,
        trusting: &Trusting::default(),
        egress,
        now,
    };
    let opened = Provider::open(opening).await;
    let provider = opened.map_err(|refusal| problem(refusal, field))?;
    let (Provider::Saml(provider), Some(document)) = (provider, document) else {
        return Ok(None);
    };
    let metadata = provider.metadata();
    metadata
        .valid_at(now)
        .map_err(|refusal| problem(refusal, field))?;
    let ProtocolOptions::Saml(options) = &connection.options.protocol else {
        return Ok(None);
    };
    let (source, _) = source::source(options);
    Ok(Some(Adopted {
        next_refresh_at: source::next_refresh(source, metadata, 0, now, rng),
        etag: document.etag,
        ..source::revision(document.text, source, now, rng).into()
    }))
}

fn problem(refusal: Refusal, field: &str) -> Vec<Problem> {
    vec![Problem::new(refusal, field)]
}
