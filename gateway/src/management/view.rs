//! A connection as callers see it: never with its secrets.

use fedgate_providers::connection::{Connection, ConnectionId, Problem};
use fedgate_providers::login::Site;
use fedgate_providers::spec::Spec;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::answer::ProblemView;
use super::operation::words;
use crate::store::connection::StoredConnection;
use crate::store::page::Page;

/// The words of a connection's status.
pub(super) const STATUSES: [&str; 3] = ["draft", "active", "disabled"];

/// An entry of a list, in Kinde's members and ours beside them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionEntry {
    #[schema(example = "conn_0192b194f6156fb7452fe38cfb144958")]
    id: String,
    /// Internal name.
    name: String,
    /// What people read on its button.
    display_name: String,
    #[schema(schema_with = strategy_schema)]
    strategy: String,
    #[schema(schema_with = status_schema)]
    status: &'static str,
    /// The organization whose people come through it.
    organization_code: Option<String>,
}

/// A page of connections, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionList {
    connections: Vec<ConnectionEntry>,
    /// Whether the list goes on in the direction of paging.
    has_more: bool,
}

impl ConnectionList {
    pub(super) fn of(page: &Page<StoredConnection>) -> Self {
        Self {
            connections: page.items.iter().map(entry).collect(),
            has_more: page.has_more,
        }
    }
}

/// The values to copy into the identity provider's console; `null` where that protocol has no such thing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Setup {
    /// SAML: assertion consumer service.
    pub(crate) acs_url: Option<String>,
    /// SAML: our entityID towards this identity provider.
    pub(crate) sp_entity_id: Option<String>,
    /// SAML: our metadata.
    pub(crate) metadata_url: Option<String>,
    /// OpenID Connect: redirect URI.
    pub(crate) redirect_uri: Option<String>,
    /// SAML: single logout.
    pub(crate) logout_url: Option<String>,
}

/// What a creation answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionCreated {
    pub(super) connection: Created,
}

/// A new connection.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Created {
    id: String,
    #[schema(schema_with = status_schema)]
    status: &'static str,
    setup: Setup,
    /// What keeps a draft from being activated.
    missing: Vec<ProblemView>,
}

impl Created {
    pub(super) fn of(stored: &StoredConnection, missing: &[Problem], site: &Site) -> Self {
        Self {
            id: stored.id.to_string(),
            status: stored.status.as_str(),
            setup: setup(site, &stored.id, &stored.strategy, &stored.options),
            missing: self::missing(missing, &stored.strategy),
        }
    }
}

/// What a change answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionChanged {
    pub(super) connection: Changed,
}

/// A connection as a change left it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {
    id: String,
    #[schema(schema_with = status_schema)]
    status: &'static str,
    /// What keeps a draft from being activated.
    missing: Vec<ProblemView>,
}

impl Changed {
    pub(super) fn of(stored: &StoredConnection, missing: &[Problem]) -> Self {
        Self {
            id: stored.id.to_string(),
            status: stored.status.as_str(),
            missing: self::missing(missing, &stored.strategy),
        }
    }
}

/// What a reading answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionRead {
    pub(super) connection: Whole,
}

/// Everything of a connection but its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Whole {
    #[serde(flatten)]
    entry: ConnectionEntry,
    /// Grows by one at each change; also the `ETag`.
    version: i64,
    /// Applications that it is enabled for, by `client_id`.
    enabled_applications: Vec<String>,
    /// Options that are set, without secrets.
    #[schema(value_type = Object)]
    options: Value,
    /// Names of the secret options that are set; `null` where they cannot be opened.
    secrets: Option<Vec<String>>,
    setup: Setup,
    /// What keeps a draft from being activated.
    missing: Vec<ProblemView>,
}

impl Whole {
    /// `opened` is the connection with its options read, if they can be.
    pub(super) fn of(
        stored: &StoredConnection,
        opened: Option<&Connection>,
        applications: Vec<String>,
        site: &Site,
    ) -> Self {
        let secrets = opened.map(|connection| connection.options.secrets());
        let problems = opened.map(Connection::missing).unwrap_or_default();
        Self {
            entry: entry(stored),
            version: stored.version,
            enabled_applications: applications,
            options: stored.options.clone(),
            secrets: secrets.map(|secrets| secrets.keys().cloned().collect()),
            setup: setup(site, &stored.id, &stored.strategy, &stored.options),
            missing: missing(&problems, &stored.strategy),
        }
    }
}

fn entry(stored: &StoredConnection) -> ConnectionEntry {
    ConnectionEntry {
        id: stored.id.to_string(),
        name: stored.name.clone(),
        display_name: stored.display_name.clone(),
        strategy: stored.strategy.clone(),
        status: stored.status.as_str(),
        organization_code: stored.organization_code.clone(),
    }
}

fn missing(problems: &[Problem], strategy: &str) -> Vec<ProblemView> {
    problems
        .iter()
        .map(|problem| ProblemView::of(problem, Spec::of(strategy)))
        .collect()
}

pub(crate) fn setup(site: &Site, id: &ConnectionId, strategy: &str, options: &Value) -> Setup {
    let is_saml = Spec::of(strategy).is_some_and(|spec| spec.protocol() == "saml");
    let saml = |path: &str| is_saml.then(|| site.url(&format!("/saml/{id}/{path}")));
    Setup {
        acs_url: saml("acs"),
        sp_entity_id: options["saml_entity_id"].as_str().map(str::to_owned),
        metadata_url: saml("metadata"),
        redirect_uri: (!is_saml).then(|| site.url(&format!("/login/callback/{id}"))),
        logout_url: saml("slo"),
    }
}

fn status_schema() -> Object {
    words(STATUSES)
}

fn strategy_schema() -> Object {
    words(Spec::all().map(|spec| spec.strategy.as_str()))
}
