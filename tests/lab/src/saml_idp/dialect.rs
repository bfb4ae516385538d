//! How products speak: what they call attributes, which NameID they send, what they sign. From what their documents show,
//! not from the gateway's specs: one mistake must not hide another.

use super::Signed;
use crate::person::Person;

const FORMAT_1_1: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:";
const FORMAT_2_0: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
const CLAIM: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
const MICROSOFT: &str = "http://schemas.microsoft.com/";

/// A product whose way of speaking the identity provider takes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The lab's own: a persistent NameID with its qualifiers, LDAP's names.
    #[default]
    Lab,
    /// Okta, as its guides set it up.
    Okta,
    /// Microsoft Entra ID with its default claims.
    Entra,
    /// Google Workspace with the usual mapping.
    Google,
    /// Cloudflare Access.
    Cloudflare,
    /// `LastPass` Business.
    LastPass,
}

/// A NameID before it is written.
#[derive(Clone, Debug)]
pub(super) struct SpokenNameId {
    pub(super) format: String,
    pub(super) value: String,
    pub(super) is_qualified: bool,
}

impl Dialect {
    /// Reads the second part of a strategy: `okta` of `saml:okta`. Anything else is the lab's own.
    pub fn named(name: &str) -> Self {
        match name {
            "okta" => Self::Okta,
            "microsoft" => Self::Entra,
            "google" => Self::Google,
            "cloudflare" => Self::Cloudflare,
            "lastpass" => Self::LastPass,
            _ => Self::Lab,
        }
    }

    /// What is signed.
    pub(super) fn signs(self) -> Signed {
        match self {
            Self::Okta | Self::Cloudflare => Signed::Both,
            Self::Lab | Self::Entra | Self::Google | Self::LastPass => Signed::Assertion,
        }
    }

    /// The issuer of somebody else's tenant.
    pub(super) fn another_issuer(self) -> &'static str {
        match self {
            Self::Lab => "https://another-idp.test",
            Self::Okta => "http://www.okta.com/exk1another2tenant3",
            Self::Entra => "https://sts.windows.net/0a1b2c3d-0000-4000-8000-00000000beef/",
            Self::Google => "https://accounts.google.com/o/saml2?idpid=C0another",
            Self::Cloudflare => "https://another.cloudflareaccess.com/cdn-cgi/access/sso/saml/beef",
            Self::LastPass => "https://identity.lastpass.com/another",
        }
    }

    /// `NameFormat` of every attribute, where it is written.
    pub(super) fn attribute_format(self) -> Option<&'static str> {
        match self {
            Self::Lab | Self::LastPass => Some("urn:oasis:names:tc:SAML:2.0:attrname-format:basic"),
            Self::Okta => Some("urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"),
            Self::Entra | Self::Google | Self::Cloudflare => None,
        }
    }

    pub(super) fn name_id(self, person: &Person) -> SpokenNameId {
        let (prefix, format, value) = match self {
            Self::Lab => (FORMAT_2_0, "persistent", &person.subject),
            Self::Okta | Self::Google => (FORMAT_1_1, "unspecified", &person.email),
            Self::Entra | Self::Cloudflare | Self::LastPass => {
                (FORMAT_1_1, "emailAddress", &person.email)
            }
        };
        SpokenNameId {
            format: format!("{prefix}{format}"),
            value: value.clone(),
            is_qualified: self == Self::Lab,
        }
    }

    pub(super) fn attributes(self, person: &Person) -> Vec<(String, Vec<String>)> {
        let names = match self {
            Self::Lab => ["email", "givenName", "sn"].map(str::to_owned),
            Self::Okta | Self::Google => ["email", "firstName", "lastName"].map(str::to_owned),
            Self::Entra => {
                ["emailaddress", "givenname", "surname"].map(|name| format!("{CLAIM}{name}"))
            }
            Self::Cloudflare => ["email", "given_name", "family_name"].map(str::to_owned),
            Self::LastPass => ["emailAddress", "firstName", "lastName"].map(str::to_owned),
        };
        let values = [&person.email, &person.given_name, &person.family_name];
        let groups = match self {
            Self::Entra => format!("{MICROSOFT}ws/2008/06/identity/claims/groups"),
            _ => "groups".to_owned(),
        };
        let mut attributes: Vec<_> = names
            .into_iter()
            .zip(values)
            .map(|(name, value)| (name, vec![value.clone()]))
            .collect();
        attributes.push((groups, person.groups.clone()));
        attributes
    }
}
