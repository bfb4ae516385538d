//! A parsed file as a tree that remembers where each value came from, and the environment laid over it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigRefusal;
use super::section::Problems;

/// What a variable of ours begins with.
const PREFIX: &str = "FEDGATE_";

/// A value and its origin.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// This line of the file, from 1.
    Line(usize),
    /// This environment variable.
    Variable(String),
    /// The file as a whole.
    File,
}

/// A value of the file, or an environment variable's text, whose type is the reader's to say.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    Variable(String),
    /// A type that no key has.
    Other(&'static str),
}

impl Value {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Variable(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Boolean(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(name) => name,
        }
    }

    /// As JSON, for values that are JSON by nature.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Text(text) | Self::Variable(text) => Json::from(text.as_str()),
            Self::Integer(number) => Json::from(*number),
            Self::Boolean(value) => Json::from(*value),
            Self::List(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Self::Table(members) => members
                .iter()
                .map(|(name, node)| (name.clone(), node.value.to_json()))
                .collect(),
            Self::Other(_) => Json::Null,
        }
    }
}

/// Parses a file.
///
/// # Errors
/// Every syntax error, with its line.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Node>, Vec<(usize, String)>> {
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table(document.get_ref(), &lines));
    }
    Err(errors
        .iter()
        .map(|error| {
            (
                lines.line(error.span().map_or(0, |span| span.start)),
                error.message().to_owned(),
            )
        })
        .collect())
}

/// Lays `FEDGATE_SECTION__KEY` variables over the file's values.
pub(super) fn overlay(
    root: &mut BTreeMap<String, Node>,
    environment: impl IntoIterator<Item = (String, String)>,
    problems: &mut Problems,
) {
    let mut variables: Vec<_> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"))
        .collect();
    variables.sort();
    for (name, text) in variables {
        let path = name[PREFIX.len()..].to_ascii_lowercase();
        let origin = Origin::Variable(name);
        let known = path
            .split_once("__")
            .filter(|(section, _)| super::SECTIONS.contains(section));
        let Some((section, key)) = known else {
            problems.add(
                ConfigRefusal::UnknownKey.into(),
                &path.replace("__", "."),
                &origin,
            );
            continue;
        };
        let section = root.entry(section.to_owned()).or_insert_with(|| Node {
            value: Value::Table(BTreeMap::new()),
            origin: Origin::File,
        });
        if let Value::Table(members) = &mut section.value {
            members.insert(
                key.to_owned(),
                Node {
                    value: Value::Variable(text),
                    origin,
                },
            );
        }
    }
}

fn table(members: &DeTable<'_>, lines: &Lines) -> BTreeMap<String, Node> {
    members
        .iter()
        .map(|(key, value)| {
            let mut node = node(value, lines);
            node.origin = Origin::Line(lines.line(key.span().start));
            (key.get_ref().to_string(), node)
        })
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let origin = Origin::Line(lines.line(value.span().start));
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("an integer of more than 64 bits"),
        },
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, lines)).collect()),
        DeValue::Table(members) => Value::Table(table(members, lines)),
        DeValue::Float(_) => Value::Other("a float"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { value, origin }
}

/// Offsets at which lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(
            std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
        )
    }

    /// The line, from 1, that holds this offset.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
