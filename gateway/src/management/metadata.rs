//! `/saml/{connection_id}/metadata`: what a SAML identity provider imports, of a draft too.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use fedgate_providers::connection::{ConnectionId, ProtocolOptions, SamlOptions, Status};
use fedgate_providers::provider::Provider;
use fedgate_providers::saml::acs_path;
use fedgate_providers::saml::metadata::ServiceProvider;
use fedgate_providers::saml::request::signs_requests;
use http::header;

use super::ApiRefusal;
use super::answer::ApiError;
use super::connection::stored;
use super::replaced;
use crate::app::{App, Shared};
use crate::registry;

/// Open to everybody: it holds what a browser sees at a login anyway.
pub(super) async fn read(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let stored = stored(&app, &id).await?;
    let connection = registry::from_row(&stored, &app.sealer).map_err(ApiError::whole)?;
    let ProtocolOptions::Saml(saml) = connection.options.protocol else {
        return Err(ApiError::whole(ApiRefusal::ConnectionUnknown));
    };
    let keys = app.saml_keys.keys();
    let document = ServiceProvider {
        entity_id: &saml.entity_id,
        acs: &app.site.url(&acs_path(&stored.id)),
        slo: None,
        name_id_format: saml.name_id_format,
        signs_requests: signs(&app, &stored.id, stored.status, &saml).await,
        signing: match saml.signing_pair() {
            Some(own) => {
                let mut pairs = vec![own];
                pairs.extend(replaced::shown(&app, &stored.id).await?);
                pairs
            }
            None => keys.signing().cloned().collect(),
        },
        encryption: keys.encryption().cloned().collect(),
    };
    Ok((
        [(header::CONTENT_TYPE, "application/samlmetadata+xml")],
        document.to_xml(),
    )
        .into_response())
}

/// What the connection says itself, or else what the identity provider of one in use wants.
async fn signs(app: &App, id: &ConnectionId, status: Status, options: &SamlOptions) -> bool {
    if let Some(decided) = signs_requests(options) {
        return decided;
    }
    if status != Status::Active {
        return false;
    }
    let ready = app
        .registry
        .provider(&app.store, &app.sealer, &app.egress, id, app.clock.now())
        .await;
    ready.is_ok_and(|ready| match &ready.provider {
        Provider::Saml(provider) => provider.signs_requests(),
        Provider::Oauth(_) => false,
    })
}
