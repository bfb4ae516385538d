//! `upstream_params`: what a connection adds to the request that it sends upstream.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::reader::Reader;
use super::{ConnectionRefusal, UpstreamParam};

/// The most parameters of one connection.
const PARAMETERS_MOST: usize = 30;
/// The longest name of a parameter, in bytes.
const NAME_BYTES: usize = 64;
/// The longest value of a parameter, in bytes.
const VALUE_BYTES: usize = 512;
/// What a login can fill in.
pub const ALIASES: [&str; 5] = [
    "login_hint",
    "prompt",
    "ui_locales",
    "acr_values",
    "max_age",
];
/// Names of the SAML bindings (bindings 3.4 and 3.5), which only the gateway writes.
const SAML_RESERVED: [&str; 6] = [
    "SAMLRequest",
    "SAMLResponse",
    "RelayState",
    "SigAlg",
    "Signature",
    "SAMLEncoding",
];
/// Names of the authorization request (RFC 6749, 7636, 9101; OpenID Connect core 3.1.2.1), likewise.
const OAUTH_RESERVED: [&str; 20] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "claims",
    "request",
    "request_uri",
    "registration",
    "client_assertion",
    "client_assertion_type",
    "id_token_hint",
];

pub(super) fn upstream_params(
    reader: &mut Reader<'_>,
    protocol: &str,
) -> BTreeMap<String, UpstreamParam> {
    let name = "upstream_params";
    let mut parameters = BTreeMap::new();
    reader.note(name, shape);
    let members = match reader.value(name) {
        None => return parameters,
        Some(Value::Object(members)) => members,
        Some(other) => {
            reader.wrong_type(name, "an object", other);
            return parameters;
        }
    };
    if members.len() > PARAMETERS_MOST {
        reader.too_large(name, format_args!("at most {PARAMETERS_MOST} parameters"));
        return parameters;
    }
    for (key, value) in members {
        let shown: String = key.chars().take(NAME_BYTES).collect();
        match parameter(protocol, key, value) {
            Ok(parameter) => {
                parameters.insert(key.clone(), parameter);
            }
            Err(refusal) => reader.problem(refusal, &format!("{name}.{shown}")),
        }
    }
    parameters
}

fn shape() -> Value {
    let one = |name: &str, schema: Value| {
        json!({
            "type": "object", "properties": { name: schema },
            "required": [name], "additionalProperties": false,
        })
    };
    json!({
        "type": ["object", "null"],
        "maxProperties": PARAMETERS_MOST,
        "propertyNames": { "maxLength": NAME_BYTES, "pattern": "^[A-Za-z0-9_.-]+$" },
        "additionalProperties": { "oneOf": [
            one("value", json!({ "type": "string", "maxLength": VALUE_BYTES })),
            one("alias", json!({ "enum": ALIASES })),
        ] },
        "examples": [{ "login_hint": { "alias": "login_hint" } }],
    })
}

pub(super) fn upstream_params_json(parameters: &BTreeMap<String, UpstreamParam>) -> Value {
    let members: Map<String, Value> = parameters
        .iter()
        .map(|(name, parameter)| {
            let value = match parameter {
                UpstreamParam::Value(value) => json!({ "value": value }),
                UpstreamParam::Alias(alias) => json!({ "alias": alias }),
            };
            (name.clone(), value)
        })
        .collect();
    Value::Object(members)
}

fn parameter(
    protocol: &str,
    name: &str,
    value: &Value,
) -> Result<UpstreamParam, crate::error::Refusal> {
    if is_reserved_parameter(protocol, name) {
        return Err(ConnectionRefusal::ReservedParameter.refuse().found(name));
    }
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(sound) {
        let expected = format_args!("1 to {NAME_BYTES} letters, digits, _ - .").to_string();
        return Err(ConnectionRefusal::OptionValue
            .refuse()
            .expected(expected)
            .found(name));
    }
    let members = value.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.iter().next());
    let Some((kind, Value::String(text))) = member else {
        return Err(ConnectionRefusal::ParameterShape.into());
    };
    match kind.as_str() {
        "alias" if ALIASES.contains(&text.as_str()) => Ok(UpstreamParam::Alias(text.clone())),
        "alias" => Err(ConnectionRefusal::ParameterAlias
            .refuse()
            .expected(ALIASES.join(" | "))
            .found(text)),
        "value" => fixed(text),
        _ => Err(ConnectionRefusal::ParameterShape.into()),
    }
}

fn fixed(text: &str) -> Result<UpstreamParam, crate::error::Refusal> {
    if text.len() > VALUE_BYTES {
        return Err(ConnectionRefusal::OptionTooLarge
            .refuse()
            .expected(format_args!("at most {VALUE_BYTES} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(ConnectionRefusal::OptionText
            .refuse()
            .found(format_args!("{text:?}")));
    }
    Ok(UpstreamParam::Value(text.to_owned()))
}

/// Upper and lower case are the same here: some servers read their parameters so.
/// Whether an upstream parameter of that name would touch the protocol itself (`saml`, `oidc` or `oauth2`).
pub fn is_reserved_parameter(protocol: &str, name: &str) -> bool {
    let reserved: &[&str] = if protocol == "saml" {
        &SAML_RESERVED
    } else {
        &OAUTH_RESERVED
    };
    reserved
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Options;
    use crate::spec::Spec;

    fn read(strategy: &str, name: &str, value: &Value) -> (&'static str, String) {
        let members = json!({ "upstream_params": { name: value } });
        let problems =
            Options::from_json(Spec::of(strategy).unwrap(), members.as_object().unwrap());
        let problems = problems.err().unwrap_or_default();
        problems.first().map_or(("OK", String::new()), |problem| {
            (problem.code(), problem.field.clone())
        })
    }

    #[test]
    fn a_parameter_has_exactly_one_source() {
        for value in [
            json!({}),
            json!({"value": "a", "alias": "prompt"}),
            json!({"value": 1}),
            json!({"other": "a"}),
            json!("a"),
            json!(null),
        ] {
            let expected = (
                "connection.parameter_shape",
                "options.upstream_params.x".to_owned(),
            );
            assert_eq!(read("saml:custom", "x", &value), expected, "{value}");
        }
        assert_eq!(
            read("saml:custom", "x", &json!({"alias": "client_secret"})).0,
            "connection.parameter_alias"
        );
        for alias in ALIASES {
            assert_eq!(
                read("oidc:custom", "x", &json!({ "alias": alias })).0,
                "OK",
                "{alias}"
            );
        }
    }

    #[test]
    fn names_of_the_protocol_are_reserved_in_any_case() {
        for (strategy, name) in [
            ("saml:custom", "RelayState"),
            ("saml:custom", "samlrequest"),
            ("oidc:custom", "redirect_uri"),
            ("oidc:custom", "State"),
        ] {
            assert_eq!(
                read(strategy, name, &json!({"value": "a"})).0,
                "connection.reserved_parameter",
                "{name}"
            );
        }
    }

    #[test]
    fn names_and_values_are_plain_and_short() {
        let value = |text: &str| json!({ "value": text });
        for (name, value, code) in [
            ("a&b", value("a"), "connection.option_value"),
            ("", value("a"), "connection.option_value"),
            (&"n".repeat(65), value("a"), "connection.option_value"),
            ("x", value("a\r\nb"), "connection.option_text"),
            ("x", value(&"a".repeat(513)), "connection.option_too_large"),
        ] {
            assert_eq!(read("saml:custom", name, &value).0, code, "{name}");
        }
    }
}
