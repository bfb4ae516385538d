//! The options that a spec's `[oauth.options]` table adds to its connections.

use std::collections::BTreeMap;

use openssl::ec::EcKey;
use openssl::nid::Nid;
use serde_json::{Value, json};

use super::reader::Reader;
use super::{ConnectionRefusal, OauthOptions, Problem};
use crate::spec::Spec;
use crate::spec::oauth::{OauthSpec, OptionKind, OptionSpec};

/// The most entries of one list.
const ENTRIES_MOST: usize = 100;
/// The longest name, in bytes (that of a host name).
const NAME_BYTES: usize = 253;
/// The longest path inside a document, in bytes.
const PATH_BYTES: usize = 256;

/// Reads them all. A value that is not set is absent; its default stays in the spec.
pub(super) fn settings(reader: &mut Reader<'_>, spec: &'static Spec) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    for (name, option) in &spec.oauth.options {
        if let Some(value) = setting(reader, name, option) {
            settings.insert(name.clone(), value);
        }
    }
    settings
}

fn setting(
    reader: &mut Reader<'_>,
    name: &'static str,
    option: &'static OptionSpec,
) -> Option<Value> {
    match option.kind {
        OptionKind::Text => reader.text(name).map(Value::from),
        OptionKind::Url => reader.url(name).map(|url| url.trim_end_matches('/').into()),
        OptionKind::Name => {
            let text = reader.text(name)?;
            checked(reader, name, &text, "letters, digits, . - _", is_name)
        }
        OptionKind::Path => {
            let text = reader.text(name)?;
            checked(
                reader,
                name,
                &text,
                "names between slashes: data/user/id",
                is_path,
            )
        }
        OptionKind::Choice => {
            let text = reader.text(name)?;
            let known = |text: &str| option.choices.iter().any(|choice| choice == text);
            checked(reader, name, &text, &option.choices.join(" | "), known)
        }
        OptionKind::Names => names(reader, name),
        OptionKind::Flag => reader.boolean(name, false).then_some(Value::Bool(true)),
    }
}

/// What is still missing of them before the connection can be activated.
pub(super) fn missing(options: &OauthOptions, spec: &OauthSpec) -> Vec<Problem> {
    let is_set = |name: &String| {
        options.settings.contains_key(name)
            || (name == "private_key" && options.private_key.is_some())
    };
    let is_wanted = |option: &OptionSpec| {
        option.required
            || option.required_with.as_ref().is_some_and(is_set)
            || option
                .required_without
                .as_ref()
                .is_some_and(|name| !is_set(name))
    };
    let absent = spec
        .options
        .iter()
        .filter(|(name, option)| is_wanted(option) && !is_set(name));
    absent
        .map(|(name, _)| {
            let refusal = ConnectionRefusal::OptionMissing.refuse().expected(name);
            Problem::new(refusal, format!("options.{name}"))
        })
        .collect()
}

/// A key that signs client secrets is for ES256 (RFC 7518 section 3.4): a private one on P-256.
pub(super) fn check_client_key(reader: &mut Reader<'_>, options: &OauthOptions) {
    let Some(key) = &options.private_key else {
        return;
    };
    // The empty passphrase keeps OpenSSL from asking for one at the terminal.
    let read = openssl::pkey::PKey::private_key_from_pem_passphrase(key.reveal().as_bytes(), b"")
        .and_then(|key| key.ec_key());
    let sound = |key: &EcKey<_>| key.group().curve_name() == Some(Nid::X9_62_PRIME256V1);
    if !read.is_ok_and(|key| sound(&key)) {
        reader.problem(ConnectionRefusal::ClientKey.into(), "private_key");
    }
}

fn names(reader: &mut Reader<'_>, name: &'static str) -> Option<Value> {
    let mut all = Vec::new();
    for (index, text) in reader.texts(name, ENTRIES_MOST) {
        let field = format!("{name}.{index}");
        if is_name(text) {
            all.push(text.to_ascii_lowercase());
        } else {
            let refusal = ConnectionRefusal::OptionValue
                .refuse()
                .expected("letters, digits, . - _")
                .found(text);
            reader.problem(refusal, &field);
        }
    }
    (!all.is_empty()).then(|| json!(all))
}

fn checked(
    reader: &mut Reader<'_>,
    name: &'static str,
    text: &str,
    expected: &str,
    sound: impl Fn(&str) -> bool,
) -> Option<Value> {
    if sound(text) {
        return Some(text.into());
    }
    let refusal = ConnectionRefusal::OptionValue
        .refuse()
        .expected(expected)
        .found(text);
    reader.problem(refusal, name);
    None
}

/// Nothing that could lead elsewhere in a URL: two dots in a row would climb out of a path.
fn is_name(text: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !text.is_empty()
        && text.len() <= NAME_BYTES
        && text.bytes().all(sound)
        && !text.starts_with('.')
        && !text.contains("..")
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.len() <= PATH_BYTES && !text.contains(['{', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Options;

    fn problems(strategy: &str, options: &Value) -> Vec<(&'static str, String)> {
        let spec = Spec::of(strategy).unwrap();
        let read = Options::from_json(spec, options.as_object().unwrap());
        let problems = read.err().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| (problem.code(), problem.field))
            .collect()
    }

    #[test]
    fn a_name_that_could_climb_out_of_a_path_is_refused() {
        for bad in [
            "a/b",
            "..",
            "a..b",
            ".",
            "a b",
            "a?b",
            "a#b",
            "a%2fb",
            "é",
            &"a".repeat(254),
        ] {
            let found = problems("oauth2:azure_ad", &json!({ "entra_id_domain": bad }));
            let expected = (
                "connection.option_value",
                "options.entra_id_domain".to_owned(),
            );
            assert_eq!(found, [expected], "{bad}");
        }
        for good in ["contoso.com", "1c2d3e4f-0000-4aaa-8bbb-123456789abc"] {
            let found = problems("oauth2:azure_ad", &json!({ "entra_id_domain": good }));
            assert!(found.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn an_option_is_of_the_strategies_that_have_it() {
        let found = problems(
            "oauth2:google",
            &json!({ "base_url": "https://gitlab.example" }),
        );
        assert_eq!(found[0].0, "connection.option_unknown");
        let found = problems(
            "oauth2:google",
            &json!({ "issuer": "https://evil.example" }),
        );
        assert_eq!(found[0].0, "connection.option_unknown");
        let found = problems("oauth2:microsoft", &json!({ "tenant": "anybody" }));
        assert_eq!(found[0].0, "connection.option_value");
    }

    #[test]
    fn a_key_that_cannot_sign_es256_is_refused() {
        let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
        let pem = String::from_utf8(rsa.private_key_to_pem().unwrap()).unwrap();
        for key in ["no key", pem.as_str()] {
            let found = problems("oauth2:apple", &json!({ "private_key": key }));
            assert_eq!(
                found,
                [("connection.client_key", "options.private_key".to_owned())]
            );
        }
    }
}
