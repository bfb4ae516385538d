//! A vendor's spec with one connection's options filled in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Documents;
use crate::connection::{Connection, OauthOptions};
use crate::spec::Spec;
use crate::spec::oauth::{Condition, OauthSpec};

/// How a provider behaves towards one connection.
#[derive(Debug)]
pub(super) struct Habits {
    spec: &'static Spec,
    values: BTreeMap<String, Vec<String>>,
    /// What templates read: the values, flags' own words first.
    words: BTreeMap<String, String>,
}

impl Habits {
    pub(super) fn of(connection: &Connection, options: &OauthOptions) -> Self {
        let spec = connection.spec;
        let mut values = BTreeMap::new();
        let mut sets = BTreeMap::new();
        for (name, option) in &spec.oauth.options {
            let default = option.default.as_ref().map(|text| vec![text.clone()]);
            let given = options.settings.get(name).map(texts);
            if given.is_some() {
                sets.extend(option.sets.clone());
            }
            if let Some(value) = given.or(default).filter(|value| !value.is_empty()) {
                values.insert(name.clone(), value);
            }
        }
        let mut words: BTreeMap<String, String> = values
            .iter()
            .map(|(name, value)| (name.clone(), word(value)))
            .collect();
        words.extend(sets);
        words.extend(
            options
                .client_id
                .iter()
                .map(|id| ("client_id".to_owned(), id.clone())),
        );
        Self {
            spec,
            values,
            words,
        }
    }

    pub(super) fn spec(&self) -> &'static OauthSpec {
        &self.spec.oauth
    }

    /// The issuer that no connection names, options filled in.
    pub(super) fn issuer(&self) -> Option<String> {
        self.fill(self.spec.issuer.as_deref()?)
    }

    /// Every issuer that the ID token may name, the one of the person's key first.
    pub(super) fn issuers(&self, own: &str) -> Vec<String> {
        let others = self.spec.oauth.other_issuers.iter();
        std::iter::once(own.to_owned())
            .chain(others.filter_map(|template| self.fill(template)))
            .collect()
    }

    /// A template with options in place of their names; `None` where one is not set. Paths stay as they are.
    pub(super) fn fill(&self, template: &str) -> Option<String> {
        filled(template, |name| {
            if name.contains('/') {
                Some(format!("{{{name}}}"))
            } else {
                self.words.get(name).cloned()
            }
        })
    }

    /// The values of an option.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn holds(&self, condition: &Condition, documents: &Documents) -> bool {
        let leads = |path: &str| documents.find(path).is_some();
        let option = condition.option.as_deref().map(|name| self.values(name));
        option.is_none_or(|values| match &condition.is {
            Some(wanted) => values.iter().any(|value| value == wanted),
            None => !values.is_empty(),
        }) && condition.present.as_deref().is_none_or(leads)
            && condition.missing.as_deref().is_none_or(|path| !leads(path))
    }
}

/// A text with what stands for its names in braces; `None` where one stands for nothing.
pub(super) fn filled(
    template: &str,
    mut value: impl FnMut(&str) -> Option<String>,
) -> Option<String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) = rest
        .split_once('{')
        .and_then(|(before, after)| Some((before, after.split_once('}')?)))
        .map(|(before, (name, after))| (before, name, after))
    {
        text.push_str(before);
        text.push_str(&value(name)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect(),
        Value::Bool(true) => vec!["true".to_owned()],
        _ => Vec::new(),
    }
}

fn word(values: &[String]) -> String {
    match values {
        [one] => one.clone(),
        _ => "*".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_whole_or_not_at_all() {
        let value = |name: &str| (name == "a").then(|| "{x}".to_owned());
        assert_eq!(filled("1{a}2{a}", value).as_deref(), Some("1{x}2{x}"));
        assert_eq!(filled("{b}", value), None);
        assert_eq!(filled("{a", value).as_deref(), Some("{a"));
        assert_eq!(filled("plain}", value).as_deref(), Some("plain}"));
    }
}
