//! A vendor's habits as data. One file per strategy in `providers/specs`; its path is its name.

pub mod oauth;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

mod attributes;
mod console;
mod saml;

pub use attributes::{Attributes, KeyAttribute, Name, Overage, Rule, Values};
pub use console::{Console, Field, Word};
pub use saml::{SamlHabits, Signs};

/// What one vendor does and how its console calls things. A spec never changes a check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// `saml:okta`: from the file's path, not from its text.
    #[serde(skip)]
    pub strategy: String,
    /// The vendor's name as people know it.
    pub label: String,
    /// SAML only: how it asks and answers.
    #[serde(default)]
    pub saml: Option<SamlHabits>,
    /// SAML only: how attributes become the fields of a person.
    #[serde(default)]
    pub attributes: Attributes,
    /// OAuth 2.0 and OIDC only: scopes to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// OAuth 2.0 and OIDC only: an issuer that no connection has to name, a template. It may hold `{claims/tid}`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// OAuth 2.0 and OIDC only: what it does on the wire.
    #[serde(default)]
    pub oauth: oauth::OauthSpec,
    /// The words of the vendor's console.
    pub console: Console,
}

/// How a connection is set up in the vendor's console, for the setup page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Where in its menus our values go.
    pub path: String,
    /// At most three: our word (`acs`, `audience`, `metadata`, `redirect_uri`) and the field's exact name, in its order.
    pub copy: Vec<(String, String)>,
    /// What is brought back: `metadata_url` or `metadata_file`, or `issuer`, `client_id` and `client_secret`, and the name
    /// there.
    pub bring: Vec<(String, String)>,
    /// Where in its menus that is found.
    pub bring_path: String,
    /// What has to be set besides, a sentence each.
    pub also: Vec<String>,
}

/// Specs that a test made up. No release build has this.
#[cfg(feature = "unproven")]
mod invented {
    use std::collections::BTreeMap;
    use std::sync::{PoisonError, RwLock};

    use super::Spec;

    static INVENTED: RwLock<BTreeMap<String, &'static Spec>> = RwLock::new(BTreeMap::new());

    pub(super) fn of(strategy: &str) -> Option<&'static Spec> {
        let all = INVENTED.read().unwrap_or_else(PoisonError::into_inner);
        all.get(strategy).copied()
    }

    impl Spec {
        /// Adds a spec to this process, as a file would: it stays for the process's life.
        ///
        /// # Errors
        /// What is wrong with the text.
        pub fn invent(strategy: &str, text: &str) -> Result<(), String> {
            let spec = Box::leak(Box::new(Self::parse(strategy, text)?));
            let mut all = INVENTED.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(strategy.to_owned(), spec);
            Ok(())
        }
    }
}

/// All specs, by strategy.
static SPECS: LazyLock<BTreeMap<String, Spec>> = LazyLock::new(|| {
    FILES
        .iter()
        .filter_map(|(strategy, text)| {
            let spec = Spec::parse(strategy, text).ok()?;
            Some(((*strategy).to_owned(), spec))
        })
        .collect()
});

/// The files of `providers/specs`: one line each.
macro_rules! files {
    ($($protocol:literal / $name:literal,)+) => {
        &[$((
            concat!($protocol, ":", $name),
            include_str!(concat!("../specs/", $protocol, "/", $name, ".toml")),
        ),)+]
    };
}

const FILES: &[(&str, &str)] = files![
    "saml" / "cloudflare",
    "saml" / "custom",
    "saml" / "google",
    "saml" / "lastpass",
    "saml" / "microsoft",
    "saml" / "okta",
    "oidc" / "custom",
    "oidc" / "google_workspace",
    "oidc" / "okta",
    "oauth2" / "apple",
    "oauth2" / "azure_ad",
    "oauth2" / "bitbucket",
    "oauth2" / "clever",
    "oauth2" / "custom",
    "oauth2" / "discord",
    "oauth2" / "facebook",
    "oauth2" / "github",
    "oauth2" / "gitlab",
    "oauth2" / "google",
    "oauth2" / "linkedin",
    "oauth2" / "microsoft",
    "oauth2" / "roblox",
    "oauth2" / "slack",
    "oauth2" / "twitch",
    "oauth2" / "twitter",
    "oauth2" / "xero",
];

impl Spec {
    /// The spec of a strategy, or `None` where this build has none.
    pub fn of(strategy: &str) -> Option<&'static Self> {
        #[cfg(feature = "unproven")]
        if let Some(invented) = invented::of(strategy) {
            return Some(invented);
        }
        SPECS.get(strategy)
    }

    /// Reads a spec file.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(strategy: &str, text: &str) -> Result<Self, String> {
        let mut spec: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        strategy.clone_into(&mut spec.strategy);
        match spec.oauth.flaws().as_slice() {
            [] => Ok(spec),
            flaws => Err(flaws.join("; ")),
        }
    }

    /// `saml`, `oidc`, `oauth2` or `wsfed`.
    pub fn protocol(&self) -> &str {
        self.strategy.split(':').next().unwrap_or_default()
    }

    /// Every strategy of this build, in order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        SPECS.values()
    }
}

#[cfg(test)]
mod flavours;

#[cfg(test)]
mod tests {
    use super::console::words;
    use super::*;
    use crate::connection::ConnectionRefusal;
    use crate::egress::EgressRefusal;
    use crate::oauth::OauthRefusal;
    use crate::oidc::OidcRefusal;
    use crate::saml::SamlRefusal;
    use crate::saml::metadata::MetadataRefusal;

    #[test]
    fn every_file_parses() {
        for (strategy, text) in FILES {
            let parsed = Spec::parse(strategy, text);
            assert!(parsed.is_ok(), "{strategy}: {:?}", parsed.err());
        }
    }

    #[test]
    fn every_file_is_in_the_table() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
        let mut strategies = Vec::new();
        for protocol in std::fs::read_dir(folder).unwrap() {
            let protocol = protocol.unwrap().path();
            for file in std::fs::read_dir(&protocol).unwrap() {
                let file = file.unwrap().path();
                let part = |path: &std::path::Path| {
                    path.file_stem().unwrap().to_string_lossy().into_owned()
                };
                strategies.push(format!("{}:{}", part(&protocol), part(&file)));
            }
        }
        strategies.sort();
        let known: Vec<_> = Spec::all().map(|spec| spec.strategy.clone()).collect();
        assert_eq!(known, strategies);
    }

    #[test]
    fn every_console_says_what_to_copy_and_what_to_bring_back() {
        for spec in Spec::all() {
            let named = |pairs: &[(String, String)]| -> Vec<String> {
                pairs.iter().map(|(word, _)| word.clone()).collect()
            };
            let (copy, bring) = (
                named(&spec.console.setup.copy),
                named(&spec.console.setup.bring),
            );
            let all_known = |words: &[String], known: &[&str]| {
                !words.is_empty() && words.iter().all(|word| known.contains(&word.as_str()))
            };
            let (to_copy, to_bring): (&[&str], &[&str]) = match spec.protocol() {
                "saml" => (
                    &["acs", "audience", "metadata"],
                    &["metadata_url", "metadata_file"],
                ),
                _ => (&["redirect_uri"], &["issuer", "client_id", "client_secret"]),
            };
            assert!(all_known(&copy, to_copy) && copy.len() <= 3, "{copy:?}");
            assert!(all_known(&bring, to_bring), "{bring:?}");
        }
    }

    fn fixes<T: Copy>(
        all: &'static [T],
        entry: fn(T) -> &'static crate::error::Catalogued,
    ) -> Vec<&'static str> {
        all.iter().map(|leaf| entry(*leaf).fix).collect()
    }

    #[test]
    fn every_word_of_a_fix_is_in_every_spec_of_its_protocol() {
        let saml = [
            fixes(SamlRefusal::ALL, SamlRefusal::entry),
            fixes(MetadataRefusal::ALL, MetadataRefusal::entry),
            fixes(EgressRefusal::ALL, EgressRefusal::entry),
            fixes(
                &[
                    ConnectionRefusal::MetadataMissing,
                    ConnectionRefusal::WeakSignature,
                ],
                ConnectionRefusal::entry,
            ),
        ];
        let oauth = [
            fixes(OauthRefusal::ALL, OauthRefusal::entry),
            fixes(OidcRefusal::ALL, OidcRefusal::entry),
            fixes(EgressRefusal::ALL, EgressRefusal::entry),
            fixes(
                &[
                    ConnectionRefusal::IssuerMissing,
                    ConnectionRefusal::ClientIdMissing,
                    ConnectionRefusal::ClientSecretMissing,
                ],
                ConnectionRefusal::entry,
            ),
        ];
        for spec in Spec::all() {
            let areas = if spec.protocol() == "saml" {
                &saml
            } else {
                &oauth
            };
            for fix in areas.iter().flatten() {
                for word in words(fix).filter(|word| *word != "console") {
                    assert!(
                        spec.console.words.contains_key(word),
                        "{}: {{{word}}} of: {fix}",
                        spec.strategy
                    );
                }
                assert_eq!(
                    words(&spec.in_console_words(fix)).count(),
                    0,
                    "{}: {fix}",
                    spec.strategy
                );
            }
        }
    }

    #[test]
    fn a_fix_is_told_in_the_consoles_own_words() {
        let spec = Spec::of("saml:microsoft").unwrap();
        let told = spec.in_console_words("Set {audience} in {console}.");
        let path = "Entra ID › Enterprise apps › your app › Single sign-on › SAML";
        assert_eq!(
            told,
            format!("Set “Identifier (Entity ID)” in Microsoft Entra admin center ({path}).")
        );
    }
}
