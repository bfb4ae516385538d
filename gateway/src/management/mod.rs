//! The Management API: Kinde's shapes, so that its published client drives it unchanged.
//!
//! Every request is authorized by scope before anything of it is read. Every problem of a body is told at once.
//! Secrets go in and never come out.

pub(crate) mod activation;
pub(crate) mod answer;
mod api;
mod application;
mod application_connection;
mod application_input;
mod application_secret;
mod application_view;
mod body;
mod caller;
mod certificate;
pub(crate) mod change;
mod connection;
mod document;
mod identity;
mod idp_metadata;
mod input;
mod key;
mod key_input;
mod key_refusal;
mod key_view;
mod login;
mod membership;
mod metadata;
mod operation;
mod organization;
mod organization_connection;
mod precondition;
mod query;
mod refusal;
mod replaced;
pub mod scope;
mod setup_link;
mod user;
mod user_input;
mod user_view;
mod view;

pub use key_refusal::KeyRefusal;
pub(crate) use operation::words;
pub use refusal::ApiRefusal;
pub(crate) use view::setup as setup_values;

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use http::header::CONTENT_TYPE;

use fedgate_providers::error::Refusal;

use crate::app::Shared;
use answer::ApiError;
use api::{Api, BASE};

/// The paths of the Management API, their document, and the service provider's metadata of each SAML connection.
pub fn routes(app: &Shared) -> Router<Shared> {
    let nouns = [
        connection::routes,
        idp_metadata::routes,
        setup_link::routes,
        application::routes,
        application_secret::routes,
        application_connection::routes,
        organization::routes,
        organization_connection::routes,
        membership::routes,
        user::routes,
        identity::routes,
        login::routes,
        key::routes,
        certificate::routes,
    ];
    let mut api = nouns
        .into_iter()
        .fold(Api::new(app), |api, routes| routes(api));
    let (router, paths) = api.finish();
    let document = document::document(&app.site, paths, api).to_string();
    let document = Bytes::from(document);
    let unknown = async || unknown_path();
    let told = async move || ([(CONTENT_TYPE, "application/json")], document);
    let refused = async || ApiError::whole(ApiRefusal::MethodNotAllowed);
    router
        .route(&format!("{BASE}/openapi.json"), get(told).fallback(refused))
        .route(&format!("{BASE}/{{*path}}"), any(unknown))
        .route("/saml/{connection_id}/metadata", get(metadata::read))
}

/// What is answered to a request that is refused before it is read.
pub fn refused(refusal: Refusal) -> Response {
    ApiError::whole(refusal).into_response()
}

/// What is answered below `/api` where there is nothing.
pub fn unknown_path() -> Response {
    ApiError::whole(ApiRefusal::PathUnknown).into_response()
}

#[cfg(test)]
mod tests;
