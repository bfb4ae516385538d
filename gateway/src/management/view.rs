//! A connection as callers see it: never with its secrets.

use fedgate_providers::connection::{Connection, ConnectionId, Problem};
use fedgate_providers::login::Site;
use fedgate_providers::spec::Spec;
use serde_json::{Map, Value, json};

use super::answer::problem_json;
use crate::store::connection::StoredConnection;

/// An entry of a list, in Kinde's members and ours beside them.
pub(super) fn entry(stored: &StoredConnection) -> Value {
    json!({
        "id": stored.id.as_str(),
        "name": stored.name,
        "display_name": stored.display_name,
        "strategy": stored.strategy,
        "status": stored.status.as_str(),
        "organization_code": stored.organization_code,
    })
}

/// Everything but secrets. `opened` is the connection with its options read, if they can be.
pub(super) fn whole(
    stored: &StoredConnection,
    opened: Option<&Connection>,
    applications: &[String],
    site: &Site,
) -> Value {
    let mut view = entry(stored);
    view["version"] = stored.version.into();
    view["enabled_applications"] = json!(applications);
    view["options"] = stored.options.clone();
    view["secrets"] = json!(opened.map(|connection| {
        connection
            .options
            .secrets()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    }));
    view["setup"] = setup(site, &stored.id, &stored.strategy, &stored.options);
    view["missing"] = missing(
        &opened.map(Connection::missing).unwrap_or_default(),
        &stored.strategy,
    );
    view
}

/// What keeps a draft from being activated.
pub(super) fn missing(problems: &[Problem], strategy: &str) -> Value {
    problems
        .iter()
        .map(|problem| problem_json(problem, Spec::of(strategy)))
        .collect()
}

/// The values to copy into the identity provider's console; `null` where that protocol has no such thing.
pub(super) fn setup(site: &Site, id: &ConnectionId, strategy: &str, options: &Value) -> Value {
    let protocol = Spec::of(strategy).map_or("", Spec::protocol);
    let mut values = Map::new();
    let mut set = |name: &str, value: Option<String>| values.insert(name.to_owned(), value.into());
    let saml = |path: &str| (protocol == "saml").then(|| site.url(&format!("/saml/{id}/{path}")));
    set("acs_url", saml("acs"));
    set(
        "sp_entity_id",
        options["saml_entity_id"].as_str().map(str::to_owned),
    );
    set("metadata_url", saml("metadata"));
    set(
        "redirect_uri",
        (protocol != "saml").then(|| site.url(&format!("/login/callback/{id}"))),
    );
    set("logout_url", saml("slo"));
    Value::Object(values)
}
