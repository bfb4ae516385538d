//! Reads members of a JSON object one by one and keeps every problem, not only the first.

use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::{ConnectionRefusal, Problem, Secret};
use crate::nearest::nearest;

/// The longest one-line text, in bytes.
pub(super) const TEXT_BYTES: usize = 2048;
/// The most problems that one answer lists.
pub(super) const PROBLEMS_MOST: usize = 100;

/// Walks one object. Absent, `null` and blank are the same: not set.
pub(super) struct Reader<'a> {
    members: &'a Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
    shape: Option<Map<String, Value>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(members: &'a Map<String, Value>) -> Self {
        Self {
            members,
            known: Vec::new(),
            problems: Vec::new(),
            shape: None,
        }
    }

    /// The JSON Schema of every member that `read` reads: each call notes what it takes.
    pub(super) fn shape(read: impl FnOnce(&mut Reader<'_>)) -> Map<String, Value> {
        let nothing = Map::new();
        let mut reader = Reader::new(&nothing);
        reader.shape = Some(Map::new());
        read(&mut reader);
        reader.shape.unwrap_or_default()
    }

    /// Notes the schema of a member, in place of what the call that reads it noted.
    pub(super) fn note(&mut self, name: &str, schema: impl FnOnce() -> Value) {
        if let Some(shape) = &mut self.shape {
            shape.insert(name.to_owned(), schema());
        }
    }

    pub(super) fn problem(&mut self, refusal: crate::error::Refusal, name: &str) {
        if self.problems.len() < PROBLEMS_MOST {
            self.problems
                .push(Problem::new(refusal, format!("options.{name}")));
        }
    }

    /// The member as it is, if it is set.
    pub(super) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text of one line, without blanks around it.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.any_text(name, TEXT_BYTES)?;
        if text.chars().any(char::is_control) {
            self.problem(
                ConnectionRefusal::OptionText
                    .refuse()
                    .found(format_args!("{text:?}")),
                name,
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// A text of many lines.
    pub(super) fn document(&mut self, name: &'static str, most: usize) -> Option<String> {
        let text = self.any_text(name, most)?;
        if text.contains('\0') {
            self.problem(ConnectionRefusal::OptionText.into(), name);
            return None;
        }
        Some(text.to_owned())
    }

    /// A secret: nothing of it goes into a problem.
    pub(super) fn secret(&mut self, name: &'static str, most: usize) -> Option<Secret> {
        let secret = self.document(name, most).map(Secret::new);
        self.note(
            name,
            || json!({ "type": ["string", "null"], "maxLength": most, "writeOnly": true }),
        );
        secret
    }

    /// An absolute URL that a browser or the gateway may open.
    pub(super) fn url(&mut self, name: &'static str) -> Option<String> {
        let given = self.text(name);
        self.note(name, || {
            json!({ "type": ["string", "null"], "maxLength": TEXT_BYTES, "examples": ["https://idp.example/"] })
        });
        let text = given?;
        if is_web_url(&text) {
            return Some(text);
        }
        self.problem(
            ConnectionRefusal::OptionUrl
                .refuse()
                .expected("https://…")
                .found(&text),
            name,
        );
        None
    }

    pub(super) fn boolean(&mut self, name: &'static str, default: bool) -> bool {
        self.note(
            name,
            || json!({ "type": ["boolean", "null"], "default": default }),
        );
        match self.value(name) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                self.wrong_type(name, "a boolean", other);
                default
            }
        }
    }

    /// A switch that is on, off, or left to something else.
    pub(super) fn tristate(&mut self, name: &'static str) -> Option<bool> {
        self.note(name, || json!({ "type": ["boolean", "null"] }));
        match self.value(name)? {
            Value::Bool(value) => Some(*value),
            other => {
                self.wrong_type(name, "a boolean", other);
                None
            }
        }
    }

    /// A whole number within limits.
    pub(super) fn number(&mut self, name: &'static str, most: u32, default: u32) -> u32 {
        self.note(name, || {
            json!({ "type": ["integer", "null"], "minimum": 0, "maximum": most, "default": default })
        });
        let Some(value) = self.value(name) else {
            return default;
        };
        match value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number <= most)
        {
            Some(number) => number,
            None if value.is_number() => {
                let expected = format_args!("a whole number from 0 to {most}").to_string();
                self.problem(
                    ConnectionRefusal::OptionValue
                        .refuse()
                        .expected(expected)
                        .found(value),
                    name,
                );
                default
            }
            None => {
                self.wrong_type(name, "a number", value);
                default
            }
        }
    }

    /// One of a few spellings.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        spellings: &[(&'static str, T)],
    ) -> Option<T> {
        let given = self.text(name);
        self.note(name, || {
            let mut all: Vec<Value> = spellings.iter().map(|(word, _)| json!(word)).collect();
            all.extend([json!(""), Value::Null]);
            json!({ "enum": all })
        });
        let text = given?;
        let chosen = spellings
            .iter()
            .find(|(spelling, _)| *spelling == text)
            .map(|(_, value)| *value);
        if chosen.is_none() {
            let expected = spellings
                .iter()
                .map(|(spelling, _)| *spelling)
                .collect::<Vec<_>>()
                .join(" | ");
            self.problem(
                ConnectionRefusal::OptionValue
                    .refuse()
                    .expected(expected)
                    .found(&text),
                name,
            );
        }
        chosen
    }

    /// A list of texts, each with its index, at most `most` of them.
    pub(super) fn texts(&mut self, name: &'static str, most: usize) -> Vec<(usize, &'a str)> {
        self.note(name, || {
            json!({ "type": ["array", "null"], "maxItems": most, "items": { "type": "string" } })
        });
        let items = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong_type(name, "a list of strings", other);
                return Vec::new();
            }
        };
        if items.len() > most {
            self.too_large(name, format_args!("at most {most} entries"));
            return Vec::new();
        }
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(text) => texts.push((index, text.as_str())),
                other => self.wrong_type(&format!("{name}.{index}"), "a string", other),
            }
        }
        texts
    }

    pub(super) fn wrong_type(&mut self, name: &str, expected: &str, found: &Value) {
        self.problem(
            ConnectionRefusal::OptionType
                .refuse()
                .expected(expected)
                .found(type_name(found)),
            name,
        );
    }

    pub(super) fn too_large(&mut self, name: &str, limit: impl std::fmt::Display) {
        self.problem(
            ConnectionRefusal::OptionTooLarge.refuse().expected(limit),
            name,
        );
    }

    /// Every problem, those of unknown members included.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for name in self.members.keys() {
            if self.known.contains(&name.as_str()) {
                continue;
            }
            // Each stranger is compared with every known name: no more of them than are told.
            if self.problems.len() >= PROBLEMS_MOST {
                break;
            }
            let shown: String = name.chars().take(64).collect();
            let refusal = ConnectionRefusal::OptionUnknown.refuse().found(&shown);
            let refusal = match nearest(name, self.known.iter().copied()) {
                Some(meant) => refusal.expected(meant),
                None => refusal,
            };
            self.problem(refusal, &shown);
        }
        self.problems
    }

    fn any_text(&mut self, name: &'static str, most: usize) -> Option<&'a str> {
        self.note(
            name,
            || json!({ "type": ["string", "null"], "maxLength": most }),
        );
        let text = match self.value(name)? {
            Value::String(text) => text,
            other => {
                self.wrong_type(name, "a string", other);
                return None;
            }
        };
        if text.len() > most {
            self.too_large(name, format_args!("at most {most} bytes"));
            return None;
        }
        let text = text.trim();
        (!text.is_empty()).then_some(text)
    }
}

/// Absolute https, or http on a loopback host (where the egress guard decides); no user name, no fragment.
pub(super) fn is_web_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let scheme = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    scheme && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
