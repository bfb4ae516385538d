//! Metadata, explained: entities, roles, endpoints, keys.

use fedgate_providers::saml::namespace::{METADATA, SIGNATURE};
use fedgate_providers::saml::xml::Element;
use serde_json::{Value, json};

use super::{certificate, object, short, signature};

/// The most entities that are told of one document.
const MAX_ENTITIES: usize = 50;

pub(super) fn entities(root: Element<'_>) -> Value {
    let all: Vec<_> = root
        .descendants()
        .filter(|element| element.is(METADATA, "EntityDescriptor"))
        .collect();
    object([
        ("kind", json!("metadata of several entities")),
        ("name", json!(root.attribute("Name"))),
        ("count", json!(all.len())),
        ("valid_until", json!(root.attribute("validUntil"))),
        ("cache_duration", json!(root.attribute("cacheDuration"))),
        ("signature", signature(root)),
        (
            "entities",
            all.into_iter().take(MAX_ENTITIES).map(entity).collect(),
        ),
    ])
}

pub(super) fn entity(entity: Element<'_>) -> Value {
    let roles = entity
        .children()
        .filter(|child| child.namespace() == METADATA && is_role(child.local_name()));
    object([
        ("kind", json!("metadata")),
        ("entity_id", json!(entity.attribute("entityID"))),
        ("valid_until", json!(entity.attribute("validUntil"))),
        ("cache_duration", json!(entity.attribute("cacheDuration"))),
        ("signature", signature(entity)),
        ("roles", roles.map(role).collect()),
    ])
}

fn is_role(name: &str) -> bool {
    name.ends_with("Descriptor")
}

fn role(role: Element<'_>) -> Value {
    let children = || {
        role.children()
            .filter(|child| child.namespace() == METADATA)
    };
    let keys = children().filter(|child| child.local_name() == "KeyDescriptor");
    let formats = children().filter(|child| child.local_name() == "NameIDFormat");
    object([
        ("role", json!(role_name(role.local_name()))),
        (
            "wants_signed_requests",
            json!(role.attribute("WantAuthnRequestsSigned")),
        ),
        (
            "signs_requests",
            json!(role.attribute("AuthnRequestsSigned")),
        ),
        (
            "wants_signed_assertions",
            json!(role.attribute("WantAssertionsSigned")),
        ),
        (
            "name_id_formats",
            formats
                .filter_map(Element::leaf)
                .map(|format| json!(format))
                .collect(),
        ),
        ("endpoints", children().filter_map(endpoint).collect()),
        ("keys", keys.map(key).collect()),
    ])
}

fn role_name(descriptor: &str) -> &str {
    match descriptor {
        "IDPSSODescriptor" => "identity provider",
        "SPSSODescriptor" => "service provider",
        other => other,
    }
}

fn endpoint(element: Element<'_>) -> Option<Value> {
    let location = element.attribute("Location")?;
    Some(object([
        ("service", json!(element.local_name())),
        ("binding", json!(element.attribute("Binding").map(short))),
        ("location", json!(location)),
        (
            "response_location",
            json!(element.attribute("ResponseLocation")),
        ),
    ]))
}

fn key(descriptor: Element<'_>) -> Value {
    let certificates = descriptor
        .descendants()
        .filter(|inner| inner.is(SIGNATURE, "X509Certificate"));
    object([
        (
            "use",
            json!(
                descriptor
                    .attribute("use")
                    .unwrap_or("signing and encryption")
            ),
        ),
        ("certificates", certificates.map(certificate).collect()),
    ])
}
