//! Request bodies: one JSON object, no member twice, every unknown member refused.

use std::collections::HashSet;
use std::fmt;

use axum::body::Body;
use fedgate_providers::connection::Problem;
use fedgate_providers::error::Refusal;
use fedgate_providers::nearest::nearest;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};

use super::ApiRefusal;
use super::answer::ApiError;
use super::document::Shape;

/// The most problems that one answer lists.
pub(super) const PROBLEMS_MOST: usize = 100;
/// The longest word among a few, in bytes.
const CHOICE_BYTES: usize = 256;
/// What a repeated member is reported as, within the parser's own error text.
const REPEATED: &str = "repeated member ";
/// What a text that no database keeps is reported as, likewise.
const ZERO: &str = "a text holds the character U+0000";

/// Reads a body as one JSON object.
///
/// # Errors
/// `api.body_too_large`, `api.body_malformed`, `api.member_repeated`.
pub(super) async fn object(body: Body, most: usize) -> Result<Map<String, Value>, ApiError> {
    let bytes = axum::body::to_bytes(body, most).await;
    let bytes = bytes.map_err(|_| {
        ApiError::whole(
            ApiRefusal::BodyTooLarge
                .refuse()
                .expected(format_args!("at most {most} bytes")),
        )
    })?;
    parse(&bytes).map_err(ApiError::whole)
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice::<Once>(bytes) {
        Ok(Once(Value::Object(members))) => Ok(members),
        Ok(_) => Err(ApiRefusal::BodyMalformed.refuse().expected("a JSON object")),
        Err(error) => {
            let text = error.to_string();
            match text.strip_prefix(REPEATED) {
                Some(name) => Err(ApiRefusal::MemberRepeated.refuse().found(name)),
                // Well-formed JSON it is, and no schema tells it from other texts.
                None if text.starts_with(ZERO) => Err(ApiRefusal::MemberValue
                    .refuse()
                    .expected("texts without U+0000")),
                None => Err(ApiRefusal::BodyMalformed.refuse().detail(text)),
            }
        }
    }
}

/// A JSON value in which no object names a member twice. Depth is the parser's limit: 128.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    /// No database's text holds U+0000, and no name or address means it.
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            return Err(E::custom(ZERO));
        }
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Once(value))) = members.next_entry::<String, Once>()? {
            if object.contains_key(&name) {
                let shown: String = name.chars().take(64).collect();
                return Err(A::Error::custom(format!("{REPEATED}{shown}")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// Reads members one by one and keeps every problem.
pub(super) struct Members<'a> {
    body: &'a Map<String, Value>,
    known: HashSet<&'static str>,
    problems: Vec<Problem>,
    shape: Option<Shape>,
}

impl<'a> Members<'a> {
    pub(super) fn new(body: &'a Map<String, Value>) -> Self {
        Self {
            body,
            known: HashSet::new(),
            problems: Vec::new(),
            shape: None,
        }
    }

    /// What `read` reads, as a JSON Schema for the document: every call notes what it takes.
    pub(super) fn schema(read: impl FnOnce(&mut Members<'_>)) -> Value {
        let nothing = Map::new();
        let mut members = Members::new(&nothing);
        members.shape = Some(Shape::default());
        read(&mut members);
        members.shape.unwrap_or_default().schema()
    }

    /// Notes the schema of a member, in place of what the call that reads it noted.
    pub(super) fn note(&mut self, name: &'static str, schema: impl FnOnce() -> Value) {
        if let Some(shape) = &mut self.shape {
            shape.note(name, schema());
        }
    }

    /// The member as it is; `null` is absent.
    pub(super) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// Refuses a body without this member, which has been read.
    pub(super) fn require(&mut self, name: &'static str) {
        if let Some(shape) = &mut self.shape {
            shape.require(name);
        }
        if self.is_blank(name) {
            self.refuse(ApiRefusal::MemberMissing, name);
        }
    }

    /// Whether the member is there, `null` included.
    pub(super) fn names(&self, name: &str) -> bool {
        self.body.contains_key(name)
    }

    /// Whether the member is there and `null`.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.body.get(name).is_some_and(Value::is_null)
    }

    /// Whether the member is absent, `null` or blank.
    pub(super) fn is_blank(&self, name: &str) -> bool {
        match self.body.get(name) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        }
    }

    /// A text of one line; blank is absent.
    pub(super) fn text(&mut self, name: &'static str, most: usize) -> Option<&'a str> {
        self.note(
            name,
            || json!({ "type": ["string", "null"], "maxLength": most }),
        );
        let Value::String(text) = self.value(name)? else {
            self.refuse(ApiRefusal::MemberType.refuse().expected("a string"), name);
            return None;
        };
        let (length, text) = (text.len(), text.trim());
        if length > most || text.chars().any(char::is_control) {
            let expected = format!("one line of at most {most} bytes");
            self.refuse(ApiRefusal::MemberValue.refuse().expected(expected), name);
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// One of a few words.
    pub(super) fn choice(
        &mut self,
        name: &'static str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let given = self.text(name, CHOICE_BYTES);
        self.note(name, || choices(words));
        let text = given?;
        let chosen = words.iter().find(|word| **word == text).copied();
        if chosen.is_none() {
            let refusal = ApiRefusal::MemberValue.refuse();
            self.refuse(refusal.expected(words.join(" | ")).found(text), name);
        }
        chosen
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> bool {
        self.note(
            name,
            || json!({ "type": ["boolean", "null"], "default": false }),
        );
        match self.value(name) {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.refuse(ApiRefusal::MemberType.refuse().expected("a boolean"), name);
                false
            }
        }
    }

    /// A boolean that may be absent.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.boolean(name);
        self.note(name, || json!({ "type": ["boolean", "null"] }));
        self.value(name)?;
        Some(value)
    }

    /// A whole number within limits.
    pub(super) fn number(&mut self, name: &'static str, most: u64, default: u64) -> u64 {
        self.note(name, || {
            json!({ "type": ["integer", "null"], "minimum": 0, "maximum": most, "default": default })
        });
        let Some(value) = self.value(name) else {
            return default;
        };
        if !value.is_number() {
            self.refuse(ApiRefusal::MemberType.refuse().expected("a number"), name);
            return default;
        }
        let number = value.as_u64().filter(|number| *number <= most);
        number.unwrap_or_else(|| {
            let expected = format!("a whole number from 0 to {most}");
            self.refuse(
                ApiRefusal::MemberValue
                    .refuse()
                    .expected(expected)
                    .found(value),
                name,
            );
            default
        })
    }

    pub(super) fn object(&mut self, name: &'static str) -> Option<&'a Map<String, Value>> {
        self.note(name, || json!({ "type": ["object", "null"] }));
        let value = self.value(name)?;
        if value.as_object().is_none() {
            self.refuse(ApiRefusal::MemberType.refuse().expected("an object"), name);
        }
        value.as_object()
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str, most: usize) -> Option<Vec<&'a str>> {
        self.note(name, || {
            json!({ "type": ["array", "null"], "maxItems": most, "items": { "type": "string" } })
        });
        let Value::Array(items) = self.value(name)? else {
            self.refuse(
                ApiRefusal::MemberType
                    .refuse()
                    .expected("a list of strings"),
                name,
            );
            return None;
        };
        if items.len() > most {
            self.refuse(
                ApiRefusal::MemberValue
                    .refuse()
                    .expected(format_args!("at most {most} entries")),
                name,
            );
            return None;
        }
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(text) = item.as_str() {
                texts.push(text);
            } else {
                self.refuse(
                    ApiRefusal::MemberType.refuse().expected("a string"),
                    &format!("{name}.{index}"),
                );
            }
        }
        Some(texts)
    }

    /// An object whose members `read` reads; their problems are told with the path to them.
    pub(super) fn within(&mut self, name: &'static str, read: impl FnOnce(&mut Members<'_>)) {
        if self.shape.is_some() {
            let mut schema = Members::schema(read);
            schema["type"] = json!(["object", "null"]);
            self.note(name, || schema);
        } else if let Some(object) = self.object(name) {
            let mut within = Members::new(object);
            read(&mut within);
            self.absorb(name, within);
        }
    }

    /// A list of objects of which `read` reads each, told its index.
    pub(super) fn each(
        &mut self,
        name: &'static str,
        most: usize,
        mut read: impl FnMut(usize, &mut Members<'_>),
    ) {
        if self.shape.is_some() {
            let items = Members::schema(|within| read(0, within));
            self.note(
                name,
                || json!({ "type": ["array", "null"], "maxItems": most, "items": items }),
            );
            return;
        }
        for (index, object) in self.objects(name, most).into_iter().enumerate() {
            let mut within = Members::new(object);
            read(index, &mut within);
            self.absorb(&format!("{name}.{index}"), within);
        }
    }

    fn objects(&mut self, name: &'static str, most: usize) -> Vec<&'a Map<String, Value>> {
        let Some(value) = self.value(name) else {
            return Vec::new();
        };
        let objects: Option<Vec<_>> = value
            .as_array()
            .and_then(|items| items.iter().map(Value::as_object).collect());
        let Some(objects) = objects else {
            let refusal = ApiRefusal::MemberType.refuse();
            self.refuse(refusal.expected("a list of objects"), name);
            return Vec::new();
        };
        if objects.len() > most {
            let expected = format!("at most {most} entries");
            self.refuse(ApiRefusal::MemberValue.refuse().expected(expected), name);
            return Vec::new();
        }
        objects
    }

    /// Takes over the problems of an object within this one, which stands at `path`.
    fn absorb(&mut self, path: &str, within: Members<'_>) {
        let problems = within.problems();
        self.add(problems.into_iter().map(|problem| {
            let field = format!("{path}.{}", problem.field);
            Problem::new(problem.refusal, field)
        }));
    }

    pub(super) fn refuse(&mut self, refusal: impl Into<Refusal>, field: &str) {
        self.add([Problem::new(refusal, field)]);
    }

    pub(super) fn add(&mut self, problems: impl IntoIterator<Item = Problem>) {
        let room = PROBLEMS_MOST.saturating_sub(self.problems.len());
        self.problems.extend(problems.into_iter().take(room));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every problem, those of unknown members included.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let problems = self.problems();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.into())
        }
    }

    /// Every problem, those of unknown members included.
    fn problems(mut self) -> Vec<Problem> {
        for name in self
            .body
            .keys()
            .filter(|name| !self.known.contains(name.as_str()))
        {
            // Each stranger is compared with every known name: no more of them than are told.
            if self.problems.len() >= PROBLEMS_MOST {
                break;
            }
            let shown: String = name.chars().take(64).collect();
            let refusal = unknown(&shown, self.known.iter().copied());
            self.problems.push(Problem::new(refusal, shown));
        }
        self.problems
    }
}

/// The schema of one of a few words; `null` and blank are absent.
pub(super) fn choices(words: &[&str]) -> Value {
    let mut all: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    all.extend([json!(""), Value::Null]);
    json!({ "enum": all })
}

/// An unknown name, with the nearest one that is known.
pub(super) fn unknown<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Refusal {
    let refusal = ApiRefusal::MemberUnknown.refuse().found(name);
    match nearest(name, known) {
        Some(meant) => refusal.expected(meant),
        None => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        parse(text.as_bytes()).map_or_else(|refusal| refusal.code(), |_| "OK")
    }

    #[test]
    fn a_body_is_one_object_without_repeated_members() {
        assert_eq!(
            code(r#"{"a": [1, -2, 1.5, "x", null, true], "b": {"a": {}}}"#),
            "OK"
        );
        assert_eq!(code(r#"{"a": 1, "a": 1}"#), "api.member_repeated");
        assert_eq!(
            code(r#"{"options": {"is_trusted": false, "is_trus\u0074ed": true}}"#),
            "api.member_repeated"
        );
        for bad in [
            "",
            "[]",
            "1",
            "{",
            "{}{}",
            "{\"a\": \u{0}}",
            "\u{feff}{}",
            r#"{"a": 1e999}"#,
            r#"{"a": "\ud800"}"#,
        ] {
            assert_eq!(code(bad), "api.body_malformed", "{bad:?}");
        }
    }

    #[test]
    fn a_text_that_no_database_keeps_is_a_value_that_is_not_accepted() {
        for body in [r#"{"a": "x\u0000"}"#, r#"{"a": {"b": ["\u0000"]}}"#] {
            assert_eq!(code(body), "api.member_value", "{body}");
        }
    }

    #[test]
    fn depth_and_width_end_in_a_refusal_or_an_answer_never_a_crash() {
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(code(&deep), "api.body_malformed");
        let wide: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\": 1")).collect();
        assert_eq!(code(&format!("{{{}}}", wide.join(","))), "OK");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused() {
        assert_eq!(
            parse(b"{\"a\": \"\xff\"}").unwrap_err(),
            ApiRefusal::BodyMalformed
        );
    }
}
