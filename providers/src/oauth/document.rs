//! What a login has gathered about a person: JSON documents by name, and the paths into them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::habits::{Habits, filled};
use crate::spec::oauth::{Item, Source};

/// The documents of one login.
#[derive(Debug, Default)]
pub(super) struct Documents(BTreeMap<String, Value>);

impl Documents {
    pub(super) fn insert(&mut self, name: &str, document: Value) {
        self.0.insert(name.to_owned(), document);
    }

    pub(super) fn document(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value at `document/way/to/it`; null counts as none.
    pub(super) fn find(&self, path: &str) -> Option<&Value> {
        let (name, way) = path.split_once('/').unwrap_or((path, ""));
        let way = way.trim_matches('/');
        let document = self.0.get(name)?;
        let found = if way.is_empty() {
            Some(document)
        } else {
            document.pointer(&format!("/{way}"))
        };
        found.filter(|value| !value.is_null())
    }

    /// A text with values in place of paths; `None` where one leads to anything but a text or a whole number.
    pub(super) fn fill(&self, template: &str) -> Option<String> {
        filled(template, |path| scalar(self.find(path)?))
    }

    /// What the first of the sources leads to.
    pub(super) fn first(&self, sources: &[Source], habits: &Habits) -> Option<Value> {
        sources.iter().find_map(|source| self.value(source, habits))
    }

    fn value(&self, source: &Source, habits: &Habits) -> Option<Value> {
        match source {
            Source::Path(path) => self.find(&habits.fill(path)?).cloned(),
            Source::Item(item) => self.taken(item),
            Source::Text(text) => self.fill(&text.text).map(Value::from),
        }
        .filter(|value| value.as_str().is_none_or(|text| !text.is_empty()))
    }

    fn taken(&self, item: &Item) -> Option<Value> {
        let items = self.find(&item.list)?.as_array()?;
        let fits = |candidate: &&Value| {
            item.having
                .iter()
                .all(|(name, wanted)| candidate.get(name) == Some(wanted))
        };
        items.iter().find(fits)?.get(&item.take).cloned()
    }
}

/// A text, or a whole number as one. Nothing else names anybody: a list or an object would be the same for everybody.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_to_a_value_or_nowhere() {
        let mut documents = Documents::default();
        documents.insert(
            "user",
            json!({"a": {"b": [1, "x"]}, "n": null, "https://s/t": "T"}),
        );
        for (path, found) in [
            ("user/a/b/1", Some(json!("x"))),
            ("user//a/b/0/", Some(json!(1))),
            ("user/https:~1~1s~1t", Some(json!("T"))),
            ("user/n", None),
            ("user/a/c", None),
            ("other/a", None),
            ("", None),
        ] {
            assert_eq!(documents.find(path).cloned(), found, "{path}");
        }
    }

    #[test]
    fn only_a_text_or_a_whole_number_names_somebody() {
        for nobody in [
            json!(""),
            json!(true),
            json!(1.5),
            json!([]),
            json!({}),
            json!(null),
        ] {
            assert_eq!(scalar(&nobody), None, "{nobody}");
        }
        assert_eq!(
            scalar(&json!(18_446_744_073_709_551_615_u64)).as_deref(),
            Some("18446744073709551615")
        );
    }
}
