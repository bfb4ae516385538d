//! A vendor's console: what it calls things, where they stand in its menus, and what is changed there.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Setup, Spec};
use crate::error::Catalogued;

/// The vendor's own words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// "Okta Admin Console"
    pub product: String,
    /// Where the application's settings are: "Applications › Applications › your app › General".
    pub path: String,
    /// Our word (`audience`, `acs`, `name_id`, `certificate`, `signing`, `encryption`, `clock`, `assignment`, `client_id`,
    /// `client_secret`, `redirect_uri`, `attributes`, `metadata`) to that field.
    pub words: BTreeMap<String, Word>,
    /// Codes whose general fix this vendor has better words for. The sentence may hold words in braces.
    #[serde(default)]
    pub fixes: BTreeMap<String, String>,
    /// How a connection is set up there.
    pub setup: Setup,
}

/// A field of the console.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WordForm")]
pub struct Word {
    /// Its exact label.
    pub label: String,
    /// Where it stands in the menus, where that is elsewhere than the application's settings.
    pub path: Option<String>,
}

/// In a file: `"Client ID"`, or `{ label = "Assignments", path = "Applications › …" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum WordForm {
    Label(String),
    Placed(Placed),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Placed {
    label: String,
    path: String,
}

impl From<WordForm> for Word {
    fn from(form: WordForm) -> Self {
        match form {
            WordForm::Label(label) => Self { label, path: None },
            WordForm::Placed(Placed { label, path }) => Self {
                label,
                path: Some(path),
            },
        }
    }
}

/// The field of a console that a refusal is mended at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its exact label.
    pub label: &'a str,
    /// Where it stands in the menus.
    pub path: &'a str,
}

impl Spec {
    /// The fix of a refusal, words in braces included: the vendor's own sentence, or else the catalogue's.
    pub fn fix_of<'a>(&'a self, entry: &'a Catalogued) -> &'a str {
        let own = self.console.fixes.get(entry.code);
        own.map_or(entry.fix, String::as_str)
    }

    /// The fix of a refusal in this vendor's words.
    pub fn fix(&self, entry: &Catalogued) -> String {
        self.in_console_words(self.fix_of(entry))
    }

    /// The field of this console that a refusal is mended at: the first one that its fix names, if any.
    pub fn field(&self, entry: &Catalogued) -> Option<Field<'_>> {
        let mut words = words(self.fix_of(entry));
        let word = words.find_map(|word| self.console.words.get(word))?;
        Some(Field {
            label: &word.label,
            path: word.path.as_deref().unwrap_or(&self.console.path),
        })
    }

    /// Writes a fix in this vendor's words: `{audience}` becomes “Audience URI (SP Entity ID)”.
    pub fn in_console_words(&self, fix: &str) -> String {
        let named = self
            .console
            .words
            .iter()
            .fold(fix.to_owned(), |text, (word, field)| {
                text.replace(&format!("{{{word}}}"), &format!("“{}”", field.label))
            });
        named.replace(
            "{console}",
            &format!("{} ({})", self.console.product, self.console.path),
        )
    }
}

/// The words in braces of a fix.
pub(super) fn words(fix: &str) -> impl Iterator<Item = &str> {
    let pieces = fix
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    pieces
        .map(|(word, _)| word)
        .filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}
