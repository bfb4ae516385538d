//! A response, explained: who, for whom, when, what is signed and what is encrypted.

use fedgate_providers::saml::namespace::{ASSERTION, ENCRYPTION, PROTOCOL};
use fedgate_providers::saml::xml::Element;
use serde_json::{Value, json};

use super::{object, short, signature};

pub(super) fn response(response: Element<'_>) -> Value {
    let below = |namespace, name| {
        response
            .descendants()
            .filter(move |inner| inner.is(namespace, name))
    };
    object([
        ("kind", json!("response")),
        ("id", json!(response.attribute("ID"))),
        ("issuer", json!(leaf(response, "Issuer"))),
        ("issue_instant", json!(response.attribute("IssueInstant"))),
        ("destination", json!(response.attribute("Destination"))),
        ("in_response_to", json!(response.attribute("InResponseTo"))),
        (
            "status",
            below(PROTOCOL, "StatusCode")
                .filter_map(|code| code.attribute("Value"))
                .map(|c| json!(short(c)))
                .collect(),
        ),
        (
            "status_message",
            json!(below(PROTOCOL, "StatusMessage").find_map(Element::leaf)),
        ),
        ("signed", json!(what_is_signed(response))),
        ("signature", signature(response)),
        (
            "assertions",
            below(ASSERTION, "Assertion").map(assertion).collect(),
        ),
        ("encrypted", encrypted(response)),
    ])
}

/// Any other message, or a bare assertion.
pub(super) fn other(root: Element<'_>) -> Value {
    if root.is(ASSERTION, "Assertion") {
        return object([
            ("kind", json!("assertion")),
            ("assertions", json!([assertion(root)])),
            ("encrypted", encrypted(root)),
        ]);
    }
    object([
        ("kind", json!(root.local_name())),
        ("namespace", json!(root.namespace())),
        ("id", json!(root.attribute("ID"))),
        ("issuer", json!(leaf(root, "Issuer"))),
        ("issue_instant", json!(root.attribute("IssueInstant"))),
        ("destination", json!(root.attribute("Destination"))),
        ("acs", json!(root.attribute("AssertionConsumerServiceURL"))),
        ("signature", signature(root)),
        ("encrypted", encrypted(root)),
    ])
}

fn what_is_signed(response: Element<'_>) -> String {
    let mut signed = Vec::new();
    if !signature(response).is_null() {
        signed.push("the response");
    }
    if response
        .children_named(ASSERTION, "Assertion")
        .any(|assertion| !signature(assertion).is_null())
    {
        signed.push("the assertion");
    }
    if signed.is_empty() {
        "nothing".to_owned()
    } else {
        signed.join(" and ")
    }
}

fn assertion(assertion: Element<'_>) -> Value {
    let below = |name| {
        assertion
            .descendants()
            .filter(move |inner| inner.is(ASSERTION, name))
    };
    let first = |name, attribute| below(name).find_map(move |inner| inner.attribute(attribute));
    let name_id = assertion
        .child(ASSERTION, "Subject")
        .and_then(|subject| subject.child(ASSERTION, "NameID"));
    object([
        ("id", json!(assertion.attribute("ID"))),
        ("issuer", json!(leaf(assertion, "Issuer"))),
        ("issue_instant", json!(assertion.attribute("IssueInstant"))),
        ("signature", signature(assertion)),
        ("name_id", json!(name_id.and_then(Element::leaf))),
        (
            "name_id_format",
            json!(
                name_id
                    .and_then(|name_id| name_id.attribute("Format"))
                    .map(short)
            ),
        ),
        (
            "confirmation",
            json!(first("SubjectConfirmation", "Method").map(short)),
        ),
        (
            "recipient",
            json!(first("SubjectConfirmationData", "Recipient")),
        ),
        (
            "answers",
            json!(first("SubjectConfirmationData", "InResponseTo")),
        ),
        (
            "confirmed_until",
            json!(first("SubjectConfirmationData", "NotOnOrAfter")),
        ),
        (
            "audiences",
            below("Audience")
                .filter_map(Element::leaf)
                .map(|audience| json!(audience))
                .collect(),
        ),
        ("not_before", json!(first("Conditions", "NotBefore"))),
        (
            "not_on_or_after",
            json!(first("Conditions", "NotOnOrAfter")),
        ),
        (
            "authenticated_at",
            json!(first("AuthnStatement", "AuthnInstant")),
        ),
        (
            "session_index",
            json!(first("AuthnStatement", "SessionIndex")),
        ),
        (
            "authentication_context",
            json!(below("AuthnContextClassRef").find_map(Element::leaf)),
        ),
        ("attributes", below("Attribute").map(attribute).collect()),
    ])
}

fn attribute(attribute: Element<'_>) -> Value {
    let values = attribute.children_named(ASSERTION, "AttributeValue");
    object([
        ("name", json!(attribute.attribute("Name"))),
        (
            "values",
            values
                .map(|value| json!(value.leaf().unwrap_or("(structured)")))
                .collect(),
        ),
    ])
}

/// Everything encrypted: what stands around it, and by which algorithms.
fn encrypted(root: Element<'_>) -> Value {
    let data = root
        .descendants()
        .filter(|inner| inner.is(ENCRYPTION, "EncryptedData"));
    let one = |data: Element<'_>| {
        let around = data.parent().unwrap_or(data);
        let key = around
            .descendants()
            .find(|inner| inner.is(ENCRYPTION, "EncryptedKey"));
        object([
            ("element", json!(around.local_name())),
            ("algorithm", json!(method(data))),
            ("key_transport", json!(key.and_then(method))),
        ])
    };
    data.map(one).collect()
}

fn method(element: Element<'_>) -> Option<&str> {
    element
        .child(ENCRYPTION, "EncryptionMethod")?
        .attribute("Algorithm")
        .map(short)
}

fn leaf(parent: Element<'_>, name: &str) -> Option<String> {
    parent
        .child(ASSERTION, name)
        .and_then(Element::leaf)
        .map(str::to_owned)
}
