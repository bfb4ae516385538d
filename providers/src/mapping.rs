//! From what an assertion releases to the fields of an identity.
//!
//! Names are the connection's own first, then those of the vendor's spec; the first name that has a value decides.
//! A second, different value makes a single-valued field unusable: nobody can say which of the two is meant.

mod sent;

use crate::connection::SamlOptions;
use crate::error::Refusal;
use crate::released::Attribute;
use crate::saml::SamlRefusal;
use crate::saml::assertion::{Asserted, NameId, format, is_identifier, is_plain};
use crate::spec::{KeyAttribute, Name, Rule, Spec};

/// The longest single-valued field that is taken over, in characters.
pub const MAX_FIELD: usize = 512;
/// The longest address (RFC 5321 4.5.3.1.3 bounds the path at 256 octets, brackets included).
pub const MAX_ADDRESS: usize = 254;

/// The claim that AD FS and Entra ID send as NameID. Naming it as the subject's attribute means the NameID.
const NAME_ID_CLAIM: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";

/// The normalized fields of one assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The subject's value, unique below the issuer.
    pub subject: String,
    /// The address, as the upstream wrote it.
    pub email: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Groups, in the upstream's order.
    pub groups: Vec<String>,
    /// One line for the trace: which source gave which field, and what was unusable.
    pub note: String,
}

/// Maps an assertion.
///
/// # Errors
/// `saml.name_id_missing`, `saml.name_id_transient`, `saml.subject_attribute_missing`,
/// `saml.subject_attribute_invalid`.
pub fn profile(
    asserted: &Asserted,
    spec: &Spec,
    options: &SamlOptions,
) -> Result<Profile, Refusal> {
    let (subject, note) = subject(asserted, options)?;
    let mut notes = vec![note];
    let email = address(asserted, spec, options, &mut notes);
    let mut field = |label: &str, rule: &Rule| {
        Source::new(asserted, rule, options)
            .single(label, is_field, &mut notes)
            .into_value()
    };
    let names = &spec.attributes;
    let given_name = field("given_name", &names.given_name);
    let family_name = field("family_name", &names.family_name);
    let name = field("name", &names.name);
    let groups = Source::new(asserted, &names.groups, options).all("groups", spec, &mut notes);
    let note = notes.join("; ");
    Ok(Profile {
        subject,
        email,
        given_name,
        family_name,
        name,
        groups,
        note,
    })
}

/// The address alone, as [`profile`] reads it.
pub fn email(asserted: &Asserted, spec: &Spec, options: &SamlOptions) -> Option<String> {
    address(asserted, spec, options, &mut Vec::new())
}

fn address(
    asserted: &Asserted,
    spec: &Spec,
    options: &SamlOptions,
    notes: &mut Vec<String>,
) -> Option<String> {
    let source = Source::new(asserted, &spec.attributes.email, options);
    match source.single("email", is_address, notes) {
        Found::Absent => {
            let address = email_of_name_id(asserted.name_id.as_ref(), notes);
            if address.is_none() {
                notes.push(source.absent("email"));
            }
            address
        }
        found => found.into_value(),
    }
}

enum Found {
    Absent,
    Value(String),
    Unusable,
}

impl Found {
    fn into_value(self) -> Option<String> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unusable => None,
        }
    }
}

/// One rule, before one assertion.
struct Source<'a> {
    asserted: &'a Asserted,
    /// The attribute that the connection names itself, and by which option.
    own: Option<(KeyAttribute, &'a str)>,
    rule: &'a Rule,
}

impl<'a> Source<'a> {
    fn new(asserted: &'a Asserted, rule: &'a Rule, options: &'a SamlOptions) -> Self {
        let own = rule
            .option
            .and_then(|option| Some((option, options.key_attribute(option)?)));
        Self {
            asserted,
            own,
            rule,
        }
    }

    /// The names and formats to look for, the connection's own first.
    fn names(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let own = self.own.map(|(_, name)| (name, None));
        let names = self.rule.names.iter();
        let names = names.map(|Name { name, format }| (name.as_str(), format.as_deref()));
        own.into_iter().chain(names)
    }

    /// The first name that has a value, with all its values that are not empty.
    fn decisive(&self) -> Option<(&'a str, Vec<&'a str>)> {
        self.names().find_map(|(name, format)| {
            let values = values(self.asserted, name, format);
            (!values.is_empty()).then_some((name, values))
        })
    }

    fn single(&self, label: &str, sound: fn(&str) -> bool, notes: &mut Vec<String>) -> Found {
        notes.extend(self.own_is_missing(label));
        let Some((name, values)) = self.decisive() else {
            return Found::Absent;
        };
        match only(&values) {
            Some(value) if sound(value) => {
                notes.push(format!("{label} from {name}"));
                Found::Value(value.to_owned())
            }
            Some(_) => {
                notes.push(format!("{label} unusable: the value of {name} is not one"));
                Found::Unusable
            }
            None => {
                notes.push(format!(
                    "{label} unusable: {name} has {} values",
                    values.len()
                ));
                Found::Unusable
            }
        }
    }

    fn all(&self, label: &str, spec: &Spec, notes: &mut Vec<String>) -> Vec<String> {
        let Some((name, values)) = self.decisive() else {
            notes.extend(self.overage(label, spec));
            return Vec::new();
        };
        notes.push(format!("{} {label} from {name}", values.len()));
        values.into_iter().map(str::to_owned).collect()
    }

    /// Too many values to be sent: what came in their place, and where that is changed.
    fn overage(&self, label: &str, spec: &Spec) -> Option<String> {
        let overage = self.rule.overage.as_ref()?;
        let mut sent = self.asserted.attributes.iter();
        sent.find(|attribute| attribute.name == overage.name)?;
        let says = spec.in_console_words(&overage.says);
        Some(format!("no {label}: {} came instead: {says}", overage.name))
    }

    /// Where the attribute that the connection names itself was not sent: what was probably meant.
    fn own_is_missing(&self, label: &str) -> Option<String> {
        let (option, name) = self.own?;
        if !values(self.asserted, name, None).is_empty() {
            return None;
        }
        let sent = sent::instead_of(name, &self.asserted.attributes);
        Some(format!(
            "{label}: {} names {}, {sent}",
            option.as_str(),
            sent::shown(name)
        ))
    }

    /// Where none of the names was sent.
    fn absent(&self, label: &str) -> String {
        let wanted = self.own.map(|(_, name)| name);
        let wanted = wanted.or(self.rule.names.first().map(|name| name.name.as_str()));
        let Some(name) = wanted else {
            return format!("no {label}: nothing is known to carry it");
        };
        let sent = &self.asserted.attributes;
        let empty = self.names().find(|(name, format)| {
            let mut named = sent
                .iter()
                .filter(|attribute| is_named(attribute, name, *format));
            named.next().is_some()
        });
        match empty {
            Some((empty, _)) => {
                format!(
                    "no {label}: {} was sent without a value",
                    sent::shown(empty)
                )
            }
            None => format!(
                "no {label}: neither {} nor another name of it was sent, {}",
                sent::shown(name),
                sent::instead_of(name, sent)
            ),
        }
    }
}

/// The values of a name that are not empty, of one format or of any.
fn values<'a>(asserted: &'a Asserted, name: &str, format: Option<&str>) -> Vec<&'a str> {
    let all = asserted.attributes.iter();
    let named = all.filter(|attribute| is_named(attribute, name, format));
    named.flat_map(Attribute::stated).collect()
}

fn is_named(attribute: &Attribute, name: &str, format: Option<&str>) -> bool {
    attribute.name == name && (format.is_none() || attribute.name_format.as_deref() == format)
}

/// The value, if all values are the same.
fn only<'a>(values: &[&'a str]) -> Option<&'a str> {
    let first = *values.first()?;
    values.iter().all(|value| *value == first).then_some(first)
}

/// What names the person below the issuer, and where it comes from, for the trace.
///
/// # Errors
/// `saml.name_id_missing`, `saml.name_id_transient`, `saml.subject_attribute_missing`,
/// `saml.subject_attribute_invalid`.
pub fn subject(asserted: &Asserted, options: &SamlOptions) -> Result<(String, String), Refusal> {
    let attribute = options
        .user_id_key_attr
        .as_deref()
        .filter(|name| !name.is_empty());
    let Some(name) = attribute else {
        return subject_of_name_id(asserted);
    };
    let values = values(asserted, name, None);
    if values.is_empty() && name == NAME_ID_CLAIM {
        return subject_of_name_id(asserted);
    }
    if values.is_empty() {
        return Err(subject_attribute_missing(asserted, name));
    }
    let Some(value) = only(&values).filter(|value| is_identifier(value)) else {
        let refusal = SamlRefusal::SubjectAttributeInvalid
            .refuse()
            .expected("one plain value");
        return Err(refusal
            .found(format_args!("{} values", values.len()))
            .detail(name));
    };
    Ok((unqualified(value), format!("subject from {name}")))
}

fn subject_attribute_missing(asserted: &Asserted, name: &str) -> Refusal {
    let sent = &asserted.attributes;
    let found = match sent::nearest(name, sent) {
        Some(near) if near != name => sent::shown(near),
        Some(near) => format!("{} without a value", sent::shown(near)),
        None => sent::list(sent),
    };
    let refusal = SamlRefusal::SubjectAttributeMissing.refuse();
    let detail = format!(
        "saml_user_id_key_attr names {}, {}",
        sent::shown(name),
        sent::instead_of(name, sent)
    );
    refusal.expected(name).found(found).detail(detail)
}

fn subject_of_name_id(asserted: &Asserted) -> Result<(String, String), Refusal> {
    let name_id = asserted
        .name_id
        .as_ref()
        .ok_or(SamlRefusal::NameIdMissing)?;
    if name_id.is(format::TRANSIENT) {
        return Err(SamlRefusal::NameIdTransient
            .refuse()
            .found(format::TRANSIENT));
    }
    let note = match &name_id.format {
        Some(format) => format!(
            "subject from NameID ({})",
            format.rsplit(':').next().unwrap_or(format)
        ),
        None => "subject from NameID".to_owned(),
    };
    // Left out, NameQualifier is the issuer and SPNameQualifier is us (SAML core 8.3.7), so that naming them changes
    // nothing. Another SPNameQualifier than ours never comes this far.
    let foreign = name_id
        .name_qualifier
        .as_deref()
        .filter(|qualifier| *qualifier != asserted.issuer);
    let subject = match foreign {
        Some(qualifier) if name_id.is(format::PERSISTENT) => qualified(qualifier, &name_id.value),
        _ => unqualified(&name_id.value),
    };
    Ok((subject, note))
}

/// A value with the namespace it is unique in: `!qualifier!value`, `!` and `%` of the qualifier percent-encoded.
fn qualified(name_qualifier: &str, value: &str) -> String {
    format!(
        "!{}!{value}",
        name_qualifier.replace('%', "%25").replace('!', "%21")
    )
}

/// A value without a qualifier is itself, unless it could be read as one with a qualifier.
fn unqualified(value: &str) -> String {
    if value.starts_with('!') {
        qualified("", value)
    } else {
        value.to_owned()
    }
}

fn email_of_name_id(name_id: Option<&NameId>, notes: &mut Vec<String>) -> Option<String> {
    let address = name_id
        .filter(|name_id| name_id.is(format::EMAIL))
        .map(|name_id| name_id.value.as_str())?;
    if !is_address(address) {
        notes.push("email unusable: the NameID is not an address".to_owned());
        return None;
    }
    notes.push("email from NameID".to_owned());
    Some(address.to_owned())
}

/// One `@` between two parts that are not empty, nothing invisible and no white space in them.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    let sound =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace());
    text.len() <= MAX_ADDRESS
        && is_plain(text)
        && parts.is_some_and(|(local, domain)| sound(local) && sound(domain))
}

fn is_field(text: &str) -> bool {
    text.chars().count() <= MAX_FIELD && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests;
