//! The habits of a SAML identity provider.

use serde::Deserialize;

use crate::connection::{Binding, NameIdFormat};

/// What a connection asks of this vendor unless its options say otherwise, and how the vendor answers unless its console
/// says otherwise. None of it changes a check but [`audience_prefix`](Self::audience_prefix).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlHabits {
    /// `name_id_format` of a connection that names none, in Kinde's spelling.
    pub name_id_format: NameIdFormat,
    /// `protocol_binding` of a connection that names none, in Kinde's spelling.
    pub protocol_binding: Binding,
    /// The NameID that is sent unless the console says otherwise: the last part of its Format's URN.
    pub sends_name_id: String,
    /// What is signed unless the console says otherwise.
    pub signs: Signs,
    /// With what it is signed: the default first, then what the console offers besides.
    pub algorithms: Vec<String>,
    /// What may stand in front of our entityID in an Audience, and only there. Only where the vendor is known to write it.
    #[serde(default)]
    pub audience_prefix: Option<String>,
}

/// Which elements a vendor signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signs {
    /// The assertion alone.
    Assertion,
    /// The Response alone.
    Response,
    /// Each.
    Both,
}

impl Signs {
    /// As an administrator says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assertion => "the assertion",
            Self::Response => "the response",
            Self::Both => "the response and the assertion",
        }
    }
}
