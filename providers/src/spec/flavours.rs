//! What every SAML flavour's file must say, and nothing that does not exist.

use std::collections::BTreeSet;

use super::console::words;
use super::*;
use crate::connection::{ConnectionRefusal, NameIdFormat, Options, ProtocolOptions};
use crate::egress::EgressRefusal;
use crate::saml::SamlRefusal;
use crate::saml::metadata::MetadataRefusal;

/// The words that every console of a SAML identity provider has.
const WORDS: [&str; 11] = [
    "acs",
    "algorithm",
    "assignment",
    "attributes",
    "audience",
    "certificate",
    "clock",
    "encryption",
    "metadata",
    "name_id",
    "signing",
];

fn flavours() -> impl Iterator<Item = &'static Spec> {
    Spec::all().filter(|spec| spec.protocol() == "saml")
}

#[test]
fn every_flavour_names_every_field_of_its_console() {
    assert_eq!(flavours().count(), 6);
    for spec in flavours() {
        for word in WORDS {
            let field = spec.console.words.get(word);
            let field = field.unwrap_or_else(|| panic!("{}: {word}", spec.strategy));
            assert!(!field.label.is_empty(), "{}: {word}", spec.strategy);
            assert_ne!(
                field.path.as_deref(),
                Some(spec.console.path.as_str()),
                "{}: {word} stands where everything does",
                spec.strategy
            );
        }
    }
}

#[test]
fn every_rule_is_sound() {
    for spec in flavours() {
        for (field, rule) in spec.attributes.rules() {
            let place = format!("{}: {field}", spec.strategy);
            let names: BTreeSet<_> = rule.names.iter().map(|name| &name.name).collect();
            assert!(
                !names.is_empty() && names.len() == rule.names.len(),
                "{place}"
            );
            let all = rule.values == Values::All;
            assert_eq!(all, field == "groups", "{place}");
            assert!(rule.overage.is_none() || all, "{place}");
            if let Some(overage) = &rule.overage {
                assert!(!names.contains(&overage.name), "{place}");
                let told = spec.in_console_words(&overage.says);
                assert!(!told.contains('{'), "{place}: {told}");
            }
        }
        let options = [
            &spec.attributes.email,
            &spec.attributes.given_name,
            &spec.attributes.family_name,
        ]
        .map(|rule| rule.option);
        assert_eq!(
            options,
            [
                Some(KeyAttribute::SamlEmailKeyAttr),
                Some(KeyAttribute::SamlFirstNameKeyAttr),
                Some(KeyAttribute::SamlLastNameKeyAttr)
            ],
            "{}",
            spec.strategy
        );
    }
}

#[test]
fn every_fix_of_its_own_is_of_a_code_that_exists_and_in_words_that_exist() {
    let codes: BTreeSet<&str> = [
        SamlRefusal::ALL
            .iter()
            .map(|leaf| leaf.entry().code)
            .collect::<Vec<_>>(),
        MetadataRefusal::ALL
            .iter()
            .map(|leaf| leaf.entry().code)
            .collect(),
        ConnectionRefusal::ALL
            .iter()
            .map(|leaf| leaf.entry().code)
            .collect(),
        EgressRefusal::ALL
            .iter()
            .map(|leaf| leaf.entry().code)
            .collect(),
    ]
    .concat()
    .into_iter()
    .collect();
    for spec in Spec::all() {
        for (code, fix) in &spec.console.fixes {
            assert!(codes.contains(code.as_str()), "{}: {code}", spec.strategy);
            for word in words(fix).filter(|word| *word != "console") {
                assert!(
                    spec.console.words.contains_key(word),
                    "{}: {word}",
                    spec.strategy
                );
            }
            assert!(fix.ends_with('.'), "{}: {code}", spec.strategy);
        }
    }
}

#[test]
fn a_refusal_is_mended_at_a_field_of_that_console() {
    let field = |strategy: &str, leaf: SamlRefusal| {
        let field = Spec::of(strategy).unwrap().field(leaf.entry());
        field.map(|field| (field.label, field.path.rsplit(" › ").next().unwrap()))
    };
    assert_eq!(
        field("saml:okta", SamlRefusal::AlgorithmForbidden),
        Some(("Signature Algorithm", "Show Advanced Settings"))
    );
    assert_eq!(
        field("saml:microsoft", SamlRefusal::AudienceMismatch),
        Some(("Identifier (Entity ID)", "Edit"))
    );
    assert_eq!(
        field("saml:google", SamlRefusal::AudienceMismatch),
        Some(("Entity ID", "Service provider details"))
    );
    assert_eq!(field("saml:google", SamlRefusal::XmlDoctype), None);
}

#[test]
fn only_entra_writes_anything_in_front_of_an_audience() {
    let prefixes: Vec<_> = flavours()
        .filter_map(|spec| {
            Some((
                spec.strategy.as_str(),
                spec.saml.as_ref()?.audience_prefix.as_deref()?,
            ))
        })
        .collect();
    assert_eq!(prefixes, [("saml:microsoft", "spn:")]);
}

#[test]
fn a_flavour_decides_what_a_connection_asks_for_where_its_options_do_not() {
    for spec in flavours() {
        let habits = spec.saml.as_ref().expect("habits");
        assert_eq!(
            habits.name_id_format,
            NameIdFormat::Unspecified,
            "{}",
            spec.strategy
        );
        assert!(!habits.algorithms.is_empty() && !habits.sends_name_id.is_empty());
        let options = Options::from_json(spec, &serde_json::Map::new()).unwrap();
        let ProtocolOptions::Saml(options) = options.protocol else {
            panic!("{}", spec.strategy);
        };
        assert_eq!(
            (options.name_id_format, options.protocol_binding),
            (habits.name_id_format, habits.protocol_binding)
        );
    }
}
