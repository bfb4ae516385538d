//! How the attributes that a vendor releases become the fields of a person, as rules.

use serde::Deserialize;

/// One rule a field. A field without a rule stays empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// The address.
    pub email: Rule,
    /// The given name.
    pub given_name: Rule,
    /// The family name.
    pub family_name: Rule,
    /// The full name.
    pub name: Rule,
    /// Groups.
    pub groups: Rule,
}

impl Attributes {
    /// Every rule with its field's name.
    pub fn rules(&self) -> [(&'static str, &Rule); 5] {
        [
            ("email", &self.email),
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("name", &self.name),
            ("groups", &self.groups),
        ]
    }
}

/// Where the value of one field comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The connection's option whose name, where it is set, comes before all others.
    #[serde(default)]
    pub option: Option<KeyAttribute>,
    /// Attributes in order of preference: the first one that has a value decides.
    pub names: Vec<Name>,
    /// How many values the field takes.
    pub values: Values,
    /// What stands in the place of the values where there are too many of them to send.
    #[serde(default)]
    pub overage: Option<Overage>,
}

/// The attribute that a rule looks for (SAML core 2.7.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "NameForm")]
pub struct Name {
    /// Name, character for character.
    pub name: String,
    /// `NameFormat`; none: any.
    pub format: Option<String>,
}

/// In a file: `"email"`, or `{ name = "mail", format = "urn:…:basic" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum NameForm {
    Any(String),
    Formatted(Formatted),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Formatted {
    name: String,
    format: String,
}

impl From<NameForm> for Name {
    fn from(form: NameForm) -> Self {
        match form {
            NameForm::Any(name) => Self { name, format: None },
            NameForm::Formatted(Formatted { name, format }) => Self {
                name,
                format: Some(format),
            },
        }
    }
}

/// How many values a field takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// One: a second, different value makes the field unusable, since nobody can say which of the two is meant.
    #[default]
    One,
    /// All, in the vendor's order.
    All,
}

/// What a vendor sends instead of values that would be too many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overage {
    /// The attribute that stands in their place. It is never followed: it can name any address.
    pub name: String,
    /// What that means and where to change it, in a sentence; may hold words of the console in braces.
    pub says: String,
}

/// The options by which a connection names an attribute of its own, as Kinde calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAttribute {
    /// `saml_email_key_attr`
    SamlEmailKeyAttr,
    /// `saml_first_name_key_attr`
    SamlFirstNameKeyAttr,
    /// `saml_last_name_key_attr`
    SamlLastNameKeyAttr,
}

impl KeyAttribute {
    /// The option's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SamlEmailKeyAttr => "saml_email_key_attr",
            Self::SamlFirstNameKeyAttr => "saml_first_name_key_attr",
            Self::SamlLastNameKeyAttr => "saml_last_name_key_attr",
        }
    }
}
