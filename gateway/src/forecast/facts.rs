//! What is known of everything that ends.

use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::certificate_end;
use fedgate_certs::forecast::{Care, Fact, History, Kind};
use fedgate_certs::keyring::Stage;
use fedgate_certs::rotation::{KeyState, due};
use fedgate_certs::trust::TrustedKey;
use fedgate_providers::saml::metadata::IdpMetadata;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::limits::Limits;
use crate::rotation::Lane;
use crate::store::connection::StoredConnection;
use crate::store::{Store, StoreError};

/// Connections that are read at once.
const AT_ONCE: i64 = 100;

/// Every fact.
pub(super) async fn gather(store: &Store, limits: &Limits) -> Result<Vec<Fact>, StoreError> {
    let mut facts = own(store, limits).await?;
    let mut after = String::new();
    loop {
        let connections = store.active_connections_after(&after, AT_ONCE).await?;
        let Some(last) = connections.last() else {
            return Ok(facts);
        };
        after = last.id.to_string();
        for connection in &connections {
            facts.extend(entered(connection));
            facts.extend(published(store, connection).await?);
        }
    }
}

/// Our own keys.
async fn own(store: &Store, limits: &Limits) -> Result<Vec<Fact>, StoreError> {
    let rows = store.keys().await?;
    let mut facts = Vec::new();
    for lane in Lane::all() {
        let (states, policy) = (lane.states(&rows)?, lane.policy(limits));
        let announced = states.iter().any(|state| state.stage == Stage::Announced);
        let active = states.iter().filter(|state| state.stage == Stage::Active);
        facts.extend(active.map(|KeyState { id, ends_at, .. }| {
            let state = states.iter().find(|state| state.id == *id);
            Fact {
                id: format!("key:{id}"),
                kind: Kind::Key,
                connection: None,
                name: format!("{} {id}", lane.purpose()),
                ends_at: *ends_at,
                care: Care::Gateway {
                    takes_over: state.map_or(Timestamp::MAX, |state| due(state, &policy)),
                    announced,
                },
            }
        }));
    }
    Ok(facts)
}

/// What a person entered for a connection.
fn entered(connection: &StoredConnection) -> Vec<Fact> {
    let fact = |kind: Kind, name: String, ends_at| Fact {
        id: format!("{}:{}", connection.id, kind.as_str()),
        kind,
        connection: Some(connection.id.to_string()),
        name,
        ends_at,
        care: Care::Person,
    };
    let text = |name: &str| connection.options[name].as_str();
    let pair = text("saml_signing_certificate").map(|pem| {
        let name = format!("signing certificate of {}", connection.display_name);
        fact(Kind::ConnectionPair, name, certificate_end(pem.as_bytes()))
    });
    let secret = text("client_secret_expires_at").map(|date| {
        let name = format!("client secret of {}", connection.display_name);
        fact(Kind::ClientSecret, name, end_of(date))
    });
    pair.into_iter().chain(secret).collect()
}

/// The end of a day, in UTC.
fn end_of(date: &str) -> Option<Timestamp> {
    let next = date.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
    Some(next.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
}

/// What a connection's identity provider published.
async fn published(store: &Store, connection: &StoredConnection) -> Result<Vec<Fact>, StoreError> {
    let Some(live) = store.live_metadata(&connection.id).await? else {
        return Ok(Vec::new());
    };
    let Ok(metadata) = IdpMetadata::parse(live.document.as_bytes(), None) else {
        return Ok(Vec::new());
    };
    let is_refreshed = connection.options["saml_idp_metadata_url"].is_string()
        && !connection.options["saml_idp_metadata_xml"].is_string();
    let care = if is_refreshed {
        Care::Refreshed
    } else {
        Care::Unheard
    };
    let keys = metadata.trust.keys();
    let arrivals = came(store, connection).await?;
    let latest = keys.iter().filter_map(|key| key.not_after).max();
    let mut facts: Vec<Fact> = keys
        .iter()
        .map(|key| Fact {
            id: format!("{}:idp:{}", connection.id, key.fingerprint_sha256),
            kind: Kind::IdpCertificate,
            connection: Some(connection.id.to_string()),
            name: format!("{} {}", key.subject, key.fingerprint_sha256),
            ends_at: key.not_after,
            care: care(History {
                came: arrivals.clone(),
                begins_at: key.not_before,
                has_successor: key.not_after < latest,
            }),
        })
        .collect();
    if let Some(end) = metadata.valid_until {
        facts.push(Fact {
            id: format!("{}:metadata", connection.id),
            kind: Kind::Metadata,
            connection: Some(connection.id.to_string()),
            name: metadata.entity_id,
            ends_at: Some(end),
            care: care(History::default()),
        });
    }
    Ok(facts)
}

/// When keys came that were not there before, oldest first.
async fn came(store: &Store, connection: &StoredConnection) -> Result<Vec<Timestamp>, StoreError> {
    let mut known: Vec<String> = Vec::new();
    let mut came = Vec::new();
    for (at, document) in store.metadata_documents(&connection.id).await? {
        let Ok(metadata) = IdpMetadata::parse(document.as_bytes(), None) else {
            continue;
        };
        let is_known = |key: &&TrustedKey| !known.contains(&key.fingerprint_sha256);
        let new: Vec<String> = metadata
            .trust
            .keys()
            .iter()
            .filter(is_known)
            .map(|key| key.fingerprint_sha256.clone())
            .collect();
        if !new.is_empty() {
            came.push(at);
            known.extend(new);
        }
    }
    Ok(came)
}
