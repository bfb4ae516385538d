//! Reads one table key by key, and keeps every problem.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fedgate_providers::error::Refusal;
use fedgate_providers::nearest::nearest;

use super::tree::{Node, Origin, Value};
use super::{ConfigErrors, ConfigProblem, ConfigRefusal};

/// The most problems that are listed.
const PROBLEMS_MOST: usize = 200;
/// The most entries of a list.
const ENTRIES_MOST: usize = 1000;

/// What is wrong so far.
pub(super) struct Problems {
    file: PathBuf,
    list: Vec<ConfigProblem>,
}

impl Problems {
    pub(super) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            list: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, refusal: Refusal, key: &str, origin: &Origin) {
        if self.list.len() < PROBLEMS_MOST {
            self.list
                .push(ConfigProblem::new(refusal, &self.file, key, origin));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn into_errors(self) -> ConfigErrors {
        ConfigErrors::new(self.list)
    }
}

/// One table, and which of its keys have been asked for.
pub(super) struct Section<'a> {
    members: Option<&'a BTreeMap<String, Node>>,
    path: String,
    origin: Origin,
    known: Vec<String>,
    problems: &'a mut Problems,
}

impl<'a> Section<'a> {
    /// A table of the root; an absent one reads as empty.
    pub(super) fn open(
        root: &'a BTreeMap<String, Node>,
        name: &str,
        problems: &'a mut Problems,
    ) -> Self {
        match root.get(name) {
            Some(node) => Self::of(node, name.to_owned(), problems),
            None => Self {
                members: None,
                path: name.to_owned(),
                origin: Origin::File,
                known: Vec::new(),
                problems,
            },
        }
    }

    /// The table that a node holds.
    pub(super) fn of(node: &'a Node, path: String, problems: &'a mut Problems) -> Self {
        let members = match &node.value {
            Value::Table(members) => Some(members),
            other => {
                problems.add(wrong_type("a table", other), &path, &node.origin);
                None
            }
        };
        Self {
            members,
            path,
            origin: node.origin.clone(),
            known: Vec::new(),
            problems,
        }
    }

    /// A text; blank is absent.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let node = self.node(name)?;
        match &node.value {
            Value::Text(text) | Value::Variable(text) => {
                let text = text.trim();
                (!text.is_empty()).then(|| text.to_owned())
            }
            other => {
                self.refuse(name, wrong_type("a string", other));
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let node = self.node(name)?;
        let read = match &node.value {
            Value::Boolean(value) => Some(*value),
            Value::Variable(text) => text.trim().parse().ok(),
            _ => None,
        };
        if read.is_none() {
            self.refuse(name, wrong_type("true or false", &node.value));
        }
        read
    }

    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        let node = self.node(name)?;
        let read = match &node.value {
            Value::Integer(value) => Some(*value),
            Value::Variable(text) => text.trim().parse().ok(),
            _ => None,
        };
        if read.is_none() {
            self.refuse(name, wrong_type("an integer", &node.value));
        }
        read
    }

    /// Texts with their indexes; a variable separates them by commas.
    pub(super) fn texts(&mut self, name: &str) -> Vec<(usize, String)> {
        let Some(node) = self.node(name) else {
            return Vec::new();
        };
        let items = match &node.value {
            Value::List(items) if items.len() <= ENTRIES_MOST => items,
            Value::List(items) => {
                let expected = format!("at most {ENTRIES_MOST} entries");
                self.refuse(
                    name,
                    ConfigRefusal::Value
                        .refuse()
                        .expected(expected)
                        .found(items.len()),
                );
                return Vec::new();
            }
            Value::Variable(text) => {
                let parts = text
                    .split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty());
                return parts.map(str::to_owned).enumerate().collect();
            }
            other => {
                self.refuse(name, wrong_type("a list of strings", other));
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.value {
                Value::Text(text) => texts.push((index, text.clone())),
                other => self.refuse_at(name, index, wrong_type("a string", other)),
            }
        }
        texts
    }

    /// Whether a list is not there or has no entry.
    pub(super) fn texts_absent(&self, name: &str) -> bool {
        match self
            .members
            .and_then(|members| members.get(name))
            .map(|node| &node.value)
        {
            None => true,
            Some(Value::List(items)) => items.is_empty(),
            Some(_) => false,
        }
    }

    /// Whether the key is there and holds a blank text.
    pub(super) fn is_blank(&self, name: &str) -> bool {
        let node = self.members.and_then(|members| members.get(name));
        match node.map(|node| &node.value) {
            Some(Value::Text(text) | Value::Variable(text)) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// Whatever the key holds.
    pub(super) fn node(&mut self, name: &str) -> Option<&'a Node> {
        self.known.push(name.to_owned());
        self.members?.get(name)
    }

    /// The value, or its refusal written down.
    pub(super) fn keep<T>(&mut self, name: &str, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.refuse(name, refusal);
                None
            }
        }
    }

    pub(super) fn missing(&mut self, name: &str) {
        self.refuse(name, ConfigRefusal::Missing.into());
    }

    pub(super) fn refuse(&mut self, name: &str, refusal: Refusal) {
        let origin = self
            .members
            .and_then(|members| members.get(name))
            .map_or(&self.origin, |node| &node.origin);
        self.problems
            .add(refusal, &format!("{}.{name}", self.path), origin);
    }

    pub(super) fn refuse_at(&mut self, name: &str, index: usize, refusal: Refusal) {
        let node = self.members.and_then(|members| members.get(name));
        let item = match node.map(|node| &node.value) {
            Some(Value::List(items)) => items.get(index),
            _ => node,
        };
        let origin = item.map_or(&self.origin, |item| &item.origin);
        self.problems
            .add(refusal, &format!("{}.{name}[{index}]", self.path), origin);
    }

    /// Refuses the keys that were not asked for.
    pub(super) fn close(self) {
        if let Some(members) = self.members {
            let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
            refuse_unknown(members, &self.path, &known, self.problems);
        }
    }
}

/// Refuses every key that is not known, with the nearest one that is.
pub(super) fn refuse_unknown(
    members: &BTreeMap<String, Node>,
    path: &str,
    known: &[&str],
    problems: &mut Problems,
) {
    for (name, node) in members
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
    {
        // Each stranger is compared with every known key: no more of them than are told.
        if problems.list.len() >= PROBLEMS_MOST {
            break;
        }
        let refusal = match nearest(name, known.iter().copied()) {
            Some(meant) => ConfigRefusal::UnknownKey
                .refuse()
                .expected(meant)
                .found(name),
            None => ConfigRefusal::UnknownKey.refuse().found(name),
        };
        let dot = if path.is_empty() { "" } else { "." };
        problems.add(refusal, &format!("{path}{dot}{name}"), &node.origin);
    }
}

/// Reads a text file up to so many bytes.
///
/// # Errors
/// `config.unreadable`, `config.too_large`.
pub(super) fn read_text(path: &Path, most: u64) -> Result<String, Refusal> {
    use std::io::Read as _;
    let unreadable = |error: std::io::Error| ConfigRefusal::Unreadable.refuse().detail(error);
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(most + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > most {
        return Err(ConfigRefusal::TooLarge
            .refuse()
            .expected(format_args!("at most {most} bytes")));
    }
    Ok(text)
}

fn wrong_type(expected: &str, found: &Value) -> Refusal {
    ConfigRefusal::WrongType
        .refuse()
        .expected(expected)
        .found(found.type_name())
}
