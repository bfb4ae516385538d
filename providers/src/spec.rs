//! A vendor's habits as data. One file per strategy in `providers/specs`; its path is its name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What one vendor does and how its console calls things. A spec never changes a check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// `saml:okta`: from the file's path, not from its text.
    #[serde(skip)]
    pub strategy: String,
    /// The vendor's name as people know it.
    pub label: String,
    /// SAML only: attribute names, first match wins.
    #[serde(default)]
    pub attributes: Attributes,
    /// OIDC only: scopes to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// OIDC only: an issuer that is the same for everybody.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The words of the vendor's console.
    pub console: Console,
}

/// Names of attributes that carry the normalized fields, in order of preference.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// The address.
    pub email: Vec<String>,
    /// The given name.
    pub given_name: Vec<String>,
    /// The family name.
    pub family_name: Vec<String>,
    /// The full name.
    pub name: Vec<String>,
    /// Groups; multi-valued.
    pub groups: Vec<String>,
}

/// The vendor's own words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// "Okta Admin Console"
    pub product: String,
    /// Where the application's settings are: "Applications › Applications › your app › General".
    pub path: String,
    /// Our word (`audience`, `acs`, `name_id`, `certificate`, `signing`, `clock`, `assignment`, `client_id`,
    /// `client_secret`, `redirect_uri`, `attributes`, `metadata`) to the label of that field.
    pub words: BTreeMap<String, String>,
}

/// All specs, by strategy.
static SPECS: LazyLock<BTreeMap<String, Spec>> = LazyLock::new(|| {
    FILES.iter().filter_map(|(strategy, text)| {
        let mut spec: Spec = toml::from_str(text).ok()?;
        (*strategy).clone_into(&mut spec.strategy);
        Some(((*strategy).to_owned(), spec))
    }).collect()
});

const FILES: &[(&str, &str)] = &[
    ("saml:custom", include_str!("../specs/saml/custom.toml")),
    ("saml:okta", include_str!("../specs/saml/okta.toml")),
    ("oidc:custom", include_str!("../specs/oidc/custom.toml")),
];

impl Spec {
    /// The spec of a strategy, or `None` where this build has none.
    pub fn of(strategy: &str) -> Option<&'static Self> {
        SPECS.get(strategy)
    }

    /// `saml`, `oidc`, `oauth2` or `wsfed`.
    pub fn protocol(&self) -> &str {
        self.strategy.split(':').next().unwrap_or_default()
    }

    /// Writes a catalogue's fix in this vendor's words: `{audience}` becomes “Audience URI (SP Entity ID)”.
    pub fn in_console_words(&self, fix: &str) -> String {
        let named = self.console.words.iter().fold(fix.to_owned(), |text, (word, label)| {
            text.replace(&format!("{{{word}}}"), &format!("“{label}”"))
        });
        named.replace("{console}", &format!("{} ({})", self.console.product, self.console.path))
    }

    /// Every strategy of this build, in order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        SPECS.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_parses() {
        for (strategy, text) in FILES {
            let parsed: Result<Spec, _> = toml::from_str(text);
            assert!(parsed.is_ok(), "{strategy}: {:?}", parsed.err());
        }
    }
}
