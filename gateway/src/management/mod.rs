//! The Management API: Kinde's shapes, so that its published client drives it unchanged.
//!
//! Every request is authorized by scope before anything of it is read. Every problem of a body is told at once.
//! Secrets go in and never come out.

pub(crate) mod activation;
pub(crate) mod answer;
mod application_connection;
mod body;
mod caller;
pub(crate) mod change;
mod connection;
mod input;
mod login;
mod metadata;
mod organization;
mod organization_connection;
mod precondition;
mod query;
mod refusal;
pub mod scope;
mod view;

pub use refusal::ApiRefusal;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, patch, post};

use crate::app::Shared;
use answer::ApiError;

/// The paths of the Management API, and the service provider's metadata of each SAML connection.
pub fn routes() -> Router<Shared> {
    let api: [(&str, MethodRouter<Shared>); 10] = [
        (
            "/connections",
            get(connection::list).post(connection::create),
        ),
        (
            "/connections/{id}",
            get(connection::read)
                .patch(connection::change)
                .put(connection::replace)
                .delete(connection::delete),
        ),
        (
            "/applications/{application_id}/connections",
            get(application_connection::list),
        ),
        (
            "/applications/{application_id}/connections/{id}",
            post(application_connection::enable).delete(application_connection::disable),
        ),
        ("/organizations", get(organization::list)),
        (
            "/organizations/{org_code}/connections",
            get(organization_connection::list),
        ),
        (
            "/organizations/{org_code}/connections/{id}",
            post(organization_connection::enable).delete(organization_connection::disable),
        ),
        (
            "/organization",
            get(organization::read).post(organization::create),
        ),
        (
            "/organization/{org_code}",
            patch(organization::change).delete(organization::delete),
        ),
        ("/logins/{reference}", get(login::read)),
    ];
    let unknown = async || unknown_path();
    let beside = Router::new()
        .route("/saml/{connection_id}/metadata", get(metadata::read))
        .route("/api/v1/{*path}", any(unknown));
    api.into_iter().fold(beside, |router, (path, methods)| {
        let refused = async || ApiError::whole(ApiRefusal::MethodNotAllowed);
        router.route(&format!("/api/v1{path}"), methods.fallback(refused))
    })
}

/// What is answered below `/api` where there is nothing.
pub fn unknown_path() -> Response {
    ApiError::whole(ApiRefusal::PathUnknown).into_response()
}

#[cfg(test)]
mod tests;
