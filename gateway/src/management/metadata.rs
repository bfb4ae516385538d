//! `/saml/{connection_id}/metadata`: what a SAML identity provider imports, of a draft too.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use fedgate_providers::connection::ProtocolOptions;
use fedgate_providers::saml::acs_path;
use fedgate_providers::saml::metadata::service_provider_metadata;
use http::header;

use super::ApiRefusal;
use super::answer::ApiError;
use super::connection::stored;
use crate::app::Shared;
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
    let acs = app.site.url(&acs_path(&stored.id));
    let document = service_provider_metadata(&saml.entity_id, &acs, None, saml.name_id_format);
    Ok((
        [(header::CONTENT_TYPE, "application/samlmetadata+xml")],
        document,
    )
        .into_response())
}
