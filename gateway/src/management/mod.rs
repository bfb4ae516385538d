//! The Management API: Kinde's shapes, so that its published client drives it unchanged.
//!
//! Every request is authorized by scope before anything of it is read. Every problem of a body is told at once.
//! Secrets go in and never come out.

mod activation;
mod answer;
mod application_connection;
mod body;
mod caller;
mod connection;
mod input;
mod login;
mod metadata;
mod organization;
mod query;
mod refusal;
pub mod scope;
mod view;

pub use refusal::ApiRefusal;

use axum::Router;
use axum::routing::get;

use crate::app::Shared;

/// The paths of the Management API, and the service provider's metadata of each SAML connection.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v1/connections",
            get(connection::list).post(connection::create),
        )
        .route(
            "/api/v1/connections/{id}",
            get(connection::read)
                .patch(connection::change)
                .put(connection::replace)
                .delete(connection::delete),
        )
        .route(
            "/api/v1/applications/{application_id}/connections",
            get(application_connection::list),
        )
        .route(
            "/api/v1/applications/{application_id}/connections/{id}",
            axum::routing::post(application_connection::enable)
                .delete(application_connection::disable),
        )
        .route(
            "/api/v1/organization",
            get(organization::read).post(organization::create),
        )
        .route("/api/v1/logins/{reference}", get(login::read))
        .route("/saml/{connection_id}/metadata", get(metadata::read))
}

#[cfg(test)]
mod tests;
