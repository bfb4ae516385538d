//! An application as callers see it: never with its secret.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::application_input::{ALGORITHMS, GRANT_TYPES, TYPES};
use super::operation::words;
use crate::op::application::is_public;
use crate::store::application::{Application, Registered, Source};
use crate::store::page::Page;

/// A page of applications, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationList {
    applications: Vec<ApplicationEntry>,
    /// Whether the list goes on in the direction of paging.
    has_more: bool,
}

impl ApplicationList {
    pub(super) fn of(page: &Page<Registered>) -> Self {
        Self {
            applications: page.items.iter().map(entry).collect(),
            has_more: page.has_more,
        }
    }
}

/// An entry of a list, in Kinde's members and ours beside them.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationEntry {
    /// The `client_id` once more, under Kinde's name.
    #[schema(example = "3b0b5c6c8fcc464fab397f4969b5f482")]
    id: String,
    client_id: String,
    name: String,
    /// Signs people in with a secret (`reg`) or without one (`spa`), or only calls this API (`m2m`).
    #[schema(schema_with = type_schema)]
    r#type: &'static str,
    /// `config`: described in fedgate.toml, and read-only here.
    #[schema(schema_with = source_schema)]
    source: &'static str,
}

/// What a creation answers.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationCreated {
    pub(super) application: NewCredentials,
}

/// Who the new application is.
#[derive(Serialize, ToSchema)]
pub(super) struct NewCredentials {
    pub(super) id: String,
    pub(super) client_id: String,
    /// Shown this once; absent where the application has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<String>,
}

/// What a new secret answers.
#[derive(Serialize, ToSchema)]
pub(super) struct SecretCreated {
    pub(super) application: NewSecret,
}

/// A secret in place of the one before.
#[derive(Serialize, ToSchema)]
pub(super) struct NewSecret {
    pub(super) id: String,
    pub(super) client_id: String,
    /// Shown this once.
    pub(super) client_secret: String,
    /// Until when the secret before proves the application too; RFC 3339.
    pub(super) previous_secret_expires_at: Option<String>,
}

/// What a reading answers.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationRead {
    pub(super) application: ApplicationWhole,
}

/// Everything of an application but its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationWhole {
    #[serde(flatten)]
    entry: ApplicationEntry,
    /// Grows by one at each change; also the `ETag`.
    version: i64,
    /// Whether it has a client secret.
    has_client_secret: bool,
    /// Until when the secret before proves the application too; RFC 3339.
    previous_secret_expires_at: Option<String>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    initiate_login_uri: Option<String>,
    /// The connection where an unknown e-mail domain goes.
    fallback_connection: Option<String>,
    #[schema(schema_with = algorithm_schema)]
    id_token_signed_response_alg: &'static str,
    #[schema(schema_with = grants_schema)]
    grant_types: Vec<String>,
    /// Scopes of this API that it may ask for.
    scopes: Vec<String>,
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    /// RFC 3339.
    created_on: String,
}

impl ApplicationWhole {
    pub(super) fn of(registered: Registered) -> Self {
        let entry = entry(&registered);
        let application = registered.application;
        let previous = application.previous_secret;
        Self {
            entry,
            version: registered.version,
            has_client_secret: application.secret_hash.is_some(),
            previous_secret_expires_at: previous.map(|previous| previous.expires_at.to_string()),
            redirect_uris: application.redirect_uris,
            post_logout_redirect_uris: application.post_logout_redirect_uris,
            backchannel_logout_uri: application.backchannel_logout_uri,
            initiate_login_uri: application.initiate_login_uri,
            fallback_connection: application.fallback_connection.map(|id| id.to_string()),
            id_token_signed_response_alg: application.id_token_signed_response_alg.as_str(),
            grant_types: application.grant_types,
            scopes: application.scopes,
            jwks: application.jwks,
            jwks_uri: application.jwks_uri,
            created_on: registered.created_at.to_string(),
        }
    }
}

fn entry(registered: &Registered) -> ApplicationEntry {
    let application = &registered.application;
    ApplicationEntry {
        id: application.client_id.clone(),
        client_id: application.client_id.clone(),
        name: application.name.clone(),
        r#type: kind(application),
        source: registered.source.as_str(),
    }
}

/// The type that Kinde would call it.
fn kind(application: &Application) -> &'static str {
    let [regular, single_page, machine] = TYPES;
    if application.grant_types == ["client_credentials"] {
        machine
    } else if is_public(application) {
        single_page
    } else {
        regular
    }
}

fn type_schema() -> Object {
    words(TYPES)
}

fn source_schema() -> Object {
    words([Source::Config.as_str(), Source::Api.as_str()])
}

fn algorithm_schema() -> Object {
    words(ALGORITHMS)
}

fn grants_schema() -> utoipa::openapi::schema::Array {
    utoipa::openapi::schema::ArrayBuilder::new()
        .items(words(GRANT_TYPES))
        .build()
}
