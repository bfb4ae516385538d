//! JSON in which a repeated member is an error, and strict base64url.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::error::CertError;

/// Reads one JSON object. `malformed` is the leaf for anything else; nesting is bounded by `serde_json` (128).
///
/// # Errors
/// `malformed`, or `DuplicateMember` at any depth: two parsers that choose different ones would see two
/// documents (RFC 7515 §10.12).
pub fn object(text: &[u8], malformed: CertError) -> Result<Map<String, Value>, CertError> {
    match serde_json::from_slice(text) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        // The visitor takes every type, so that a repeated member is its only error of data.
        Err(error) if error.classify() == Category::Data => Err(CertError::DuplicateMember),
        _ => Err(malformed),
    }
}

/// Decodes base64url without padding, line breaks or stray bits (RFC 7515 §2).
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_comes_back_as_written_and_in_order() {
        let text = r#"{"b":[1,-2,3.5,true,null,"\u00e4"],"a":{"":{}}}"#;
        let expected = json!({ "b": [1, -2, 3.5, true, null, "ä"], "a": { "": {} } });
        let read = Value::Object(object(text.as_bytes(), CertError::NotAToken).unwrap());
        assert_eq!(read, expected);
        assert_eq!(read.to_string(), text.replace("\\u00e4", "ä"));
    }

    #[test]
    fn a_member_is_the_same_however_its_name_is_escaped() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":[[{"a":1,"a":null}]]}"#,
        ] {
            assert_eq!(
                object(text.as_bytes(), CertError::NotAToken),
                Err(CertError::DuplicateMember)
            );
        }
        assert!(object(br#"{"a":{"a":{"a":1}},"A":2}"#, CertError::NotAToken).is_ok());
    }

    #[test]
    fn anything_else_is_the_callers_leaf() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "[]",
            "{} {}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{\"a\":1e999}",
            r#"{"a":"\ud800"}"#,
            &deep,
        ] {
            assert_eq!(
                object(text.as_bytes(), CertError::NotAJwks),
                Err(CertError::NotAJwks),
                "{text:.40}"
            );
        }
        assert_eq!(
            object(b"{\"a\":\"\xff\"}", CertError::NotAJwks),
            Err(CertError::NotAJwks)
        );
    }

    #[test]
    fn base64url_has_one_spelling() {
        assert_eq!(base64url("-_8").as_deref(), Some(&[0xfb, 0xff][..]));
        for text in ["-_9", "-_8=", "+/8", "-_8\n", " -_8", "A"] {
            assert_eq!(base64url(text), None, "{text}");
        }
    }
}
