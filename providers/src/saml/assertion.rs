//! What a verified assertion says about a person, read into values of our own.

use std::collections::BTreeMap;

use fedgate_certs::Timestamp;

use super::conditions::{malformed, only_child};
use super::namespace::ASSERTION;
use super::refusal::SamlRefusal;
use super::signature::Signed;
use super::xml::Element;
use crate::error::Refusal;
use crate::released::{Attribute, Released};

/// The longest identifier, in characters (SAML core 8.3.7 and 8.3.8 set this bound).
pub const MAX_IDENTIFIER: usize = 256;
/// The longest URI or qualifier beside an identifier, and the longest SessionIndex, in characters (SAML core 8.3.6
/// bounds an entityID so). All of them are kept with the login.
pub const MAX_REFERENCE: usize = 1024;
/// The most attribute names.
pub const MAX_ATTRIBUTES: usize = 256;
/// The most attribute values, over all names.
pub const MAX_VALUES: usize = 2_000;

/// NameID Formats (SAML core 8.3).
pub mod format {
    /// An e-mail address.
    pub const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    /// An opaque identifier for one service provider.
    pub const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    /// An identifier for one session.
    pub const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
}

/// What one verified assertion says. Only [`verify_response`](super::verify_response) can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asserted {
    /// Which elements carried a verified signature.
    pub signed: Signed,
    /// The assertion's ID.
    pub id: String,
    /// Who asserts: the IdP's entityID.
    pub issuer: String,
    /// Who is meant; absent where the IdP names the person by an attribute only.
    pub name_id: Option<NameId>,
    /// Attributes by Name and `NameFormat`, all values in order, over all statements.
    pub attributes: Released,
    /// AuthnInstant.
    pub authenticated_at: Timestamp,
    /// AuthnContextClassRef.
    pub context: Option<String>,
    /// SessionIndex.
    pub session_index: Option<String>,
    /// The earlier NotOnOrAfter of Conditions and confirmation, without tolerance.
    pub valid_until: Timestamp,
    /// The id of our key that it was encrypted for, if it was.
    pub decrypted_with: Option<String>,
}

/// A NameID (SAML core 2.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// Its text: not empty, at most [`MAX_IDENTIFIER`] characters.
    pub value: String,
    /// Format.
    pub format: Option<String>,
    /// NameQualifier.
    pub name_qualifier: Option<String>,
    /// SPNameQualifier.
    pub sp_name_qualifier: Option<String>,
}

impl NameId {
    /// Whether it is of that Format.
    pub fn is(&self, format: &str) -> bool {
        self.format.as_deref() == Some(format)
    }
}

/// Reads the NameID of a Subject.
///
/// # Errors
/// `saml.name_id_invalid`, `saml.name_qualifier_mismatch`.
pub(super) fn name_id(subject: Element<'_>, sp_entity_id: &str) -> Result<Option<NameId>, Refusal> {
    let Some(element) = only_child(subject, ASSERTION, "NameID")? else {
        return Ok(None);
    };
    let text = element.leaf().filter(|text| is_identifier(text));
    let text =
        text.ok_or_else(|| invalid(element.leaf().unwrap_or("an element inside the NameID")))?;
    let read = NameId {
        value: text.to_owned(),
        format: reference(element, "Format")?,
        name_qualifier: reference(element, "NameQualifier")?,
        sp_name_qualifier: reference(element, "SPNameQualifier")?,
    };
    // Qualifiers have a meaning for these two only (SAML core 8.3.7 and 8.3.8).
    let is_qualified = read.is(format::PERSISTENT) || read.is(format::TRANSIENT);
    match read.sp_name_qualifier.as_deref() {
        Some(other) if is_qualified && other != sp_entity_id => {
            let refusal = SamlRefusal::NameQualifierMismatch.refuse();
            Err(refusal.expected(sp_entity_id).found(other))
        }
        _ => Ok(Some(read)),
    }
}

fn reference(name_id: Element<'_>, name: &str) -> Result<Option<String>, Refusal> {
    match name_id.attribute(name).filter(|text| !text.is_empty()) {
        Some(text) if !is_reference(text) => Err(invalid(text)),
        other => Ok(other.map(str::to_owned)),
    }
}

/// Whether a text can stand beside an identifier: not long, nothing invisible in it.
pub(super) fn is_reference(text: &str) -> bool {
    text.chars().count() <= MAX_REFERENCE && is_plain(text)
}

fn invalid(found: &str) -> Refusal {
    SamlRefusal::NameIdInvalid
        .refuse()
        .found(format_args!("{found:?}"))
}

/// Whether a text can name a person: not empty, not long, nothing invisible in it.
pub(crate) fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_IDENTIFIER && is_plain(text)
}

/// Whether a text holds no control, zero-width, text-direction or other invisible character, by which two identifiers
/// look alike.
pub(crate) fn is_plain(text: &str) -> bool {
    // Most are of these alone.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return true;
    }
    !text.chars().any(|character| {
        character.is_control()
            || matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}')
    })
}

/// Reads the attributes of all AttributeStatements, merged by Name and `NameFormat`, in the order in which they came.
///
/// # Errors
/// `saml.encrypted_attribute`, `saml.too_many_attributes`, `saml.assertion_malformed`.
pub(super) fn attributes(assertion: Element<'_>) -> Result<Released, Refusal> {
    let (mut attributes, mut places) = (Vec::<Attribute>::new(), BTreeMap::new());
    let mut count = 0;
    for statement in assertion.children_named(ASSERTION, "AttributeStatement") {
        if statement.child(ASSERTION, "EncryptedAttribute").is_some() {
            return Err(SamlRefusal::EncryptedAttribute.into());
        }
        for element in statement.children_named(ASSERTION, "Attribute") {
            let name = element
                .attribute("Name")
                .ok_or_else(|| malformed("Attribute without Name"))?;
            let format = element.attribute("NameFormat");
            let place = *places.entry((name, format)).or_insert(attributes.len());
            if place == attributes.len() {
                attributes.push(without_values(element, name, format));
            }
            let values = &mut attributes[place].values;
            let before = values.len();
            values.reserve(element.most_children().min(MAX_VALUES).div_ceil(2));
            values.extend(
                element
                    .children_named(ASSERTION, "AttributeValue")
                    .filter_map(value)
                    .map(str::to_owned),
            );
            count += values.len() - before;
            if count > MAX_VALUES || attributes.len() > MAX_ATTRIBUTES {
                return Err(too_many(name));
            }
        }
    }
    Ok(attributes.into())
}

fn without_values(element: Element<'_>, name: &str, format: Option<&str>) -> Attribute {
    Attribute {
        name: name.to_owned(),
        name_format: format.map(str::to_owned),
        friendly_name: element.attribute("FriendlyName").map(str::to_owned),
        values: Vec::new(),
    }
}

fn too_many(name: &str) -> Refusal {
    SamlRefusal::TooManyAttributes
        .refuse()
        .expected(format_args!(
            "at most {MAX_ATTRIBUTES} names and {MAX_VALUES} values"
        ))
        .detail(format_args!("the limit was passed at {name}"))
}

/// The text of an AttributeValue: its own, or that of the one NameID in it (eduPersonTargetedID). Structured values
/// have no text and nil ones no value; a part of one is never taken for the whole.
fn value(element: Element<'_>) -> Option<&str> {
    const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
    if matches!(element.attribute_ns(XSI, "nil"), Some("true" | "1")) {
        return None;
    }
    element.leaf().or_else(|| {
        let mut children = element.children();
        let only = children
            .next()
            .filter(|child| child.is(ASSERTION, "NameID") && !element.has_text())?;
        if children.next().is_some() {
            None
        } else {
            only.leaf()
        }
    })
}
