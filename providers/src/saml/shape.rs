//! The one shape that a Response may have, checked over the whole document before any signature is looked at.
//!
//! Signature wrapping works by a second copy of what is signed. Here there is one assertion in one place,
//! signatures stand only in what they sign, and nothing but a unique plain `ID` can be taken for an ID.

use super::namespace::{ASSERTION, ENCRYPTION, METADATA, PROTOCOL, SIGNATURE};
use super::refusal::SamlRefusal;
use super::xml::{Attribute, Document, Element, is_ncname};
use crate::error::Refusal;

/// The most IDs of one response: it has its own, the assertion's, and those of signatures and keys.
const MOST_IDS: usize = 256;

/// The places of a Response that matter, found by one walk over the whole document.
#[derive(Clone, Copy, Debug)]
pub struct ResponseShape<'d> {
    /// The document element.
    pub response: Element<'d>,
    /// Its assertion in the clear.
    pub assertion: Option<Element<'d>>,
    /// Its encrypted assertion. At most one of the two is there.
    pub encrypted: Option<Element<'d>>,
    pub(super) response_signature: Option<Element<'d>>,
    pub(super) assertion_signature: Option<Element<'d>>,
}

impl<'d> ResponseShape<'d> {
    /// Checks the shape of a Response.
    ///
    /// # Errors
    /// `saml.response_expected`, `saml.version_unsupported`, `saml.id_missing`, `saml.response_nested`,
    /// `saml.assertions_several`, `saml.assertion_misplaced`, `saml.signature_misplaced`,
    /// `saml.signatures_several`, `saml.id_polluted`, `saml.id_repeated`, `saml.xml_limit`.
    pub fn of(document: &'d Document<'d>) -> Result<Self, Refusal> {
        let response = document.root();
        if !response.is(PROTOCOL, "Response") {
            return Err(SamlRefusal::ResponseExpected
                .refuse()
                .expected(format_args!("{PROTOCOL} Response"))
                .found(format_args!(
                    "{} {}",
                    response.namespace(),
                    response.local_name()
                )));
        }
        let mut shape = Self {
            response,
            assertion: None,
            encrypted: None,
            response_signature: None,
            assertion_signature: None,
        };
        check_version(response)?;
        let mut ids = Ids::of(response);
        for element in response.descendants() {
            shape.visit(element)?;
            ids.visit(element);
        }
        ids.check(MOST_IDS)?;
        Ok(shape)
    }

    fn visit(&mut self, element: Element<'d>) -> Result<(), Refusal> {
        match element.local_name() {
            "Response" if element.namespace() == PROTOCOL => {
                Err(place(SamlRefusal::ResponseNested, element))
            }
            "Assertion" if element.namespace() == ASSERTION => {
                self.check_place_of_assertion(element)?;
                check_version(element)?;
                self.assertion = Some(element);
                Ok(())
            }
            "EncryptedAssertion" if element.namespace() == ASSERTION => {
                self.check_place_of_assertion(element)?;
                self.encrypted = Some(element);
                Ok(())
            }
            "Signature" if element.namespace() == SIGNATURE => self.signature(element),
            _ => Ok(()),
        }
    }

    fn check_place_of_assertion(&self, element: Element<'d>) -> Result<(), Refusal> {
        if element.parent() != Some(self.response) {
            return Err(place(SamlRefusal::AssertionMisplaced, element));
        }
        if self.assertion.is_some() || self.encrypted.is_some() {
            return Err(place(SamlRefusal::AssertionsSeveral, element));
        }
        Ok(())
    }

    fn signature(&mut self, element: Element<'d>) -> Result<(), Refusal> {
        let parent = element.parent();
        let slot = if parent == Some(self.response) {
            &mut self.response_signature
        } else if parent.is_some() && parent == self.assertion {
            &mut self.assertion_signature
        } else {
            return Err(place(SamlRefusal::SignatureMisplaced, element));
        };
        if slot.replace(element).is_some() {
            return Err(place(SamlRefusal::SignaturesSeveral, element));
        }
        Ok(())
    }
}

/// The shape of the assertion that was encrypted: a document of its own.
#[derive(Clone, Copy, Debug)]
pub struct DecryptedShape<'d> {
    /// The document element, a saml:Assertion.
    pub assertion: Element<'d>,
    pub(super) signature: Option<Element<'d>>,
}

impl<'d> DecryptedShape<'d> {
    /// Checks the shape of what an EncryptedAssertion of `response` held: exactly one saml:Assertion (SAML core 2.3.4).
    ///
    /// # Errors
    /// `saml.assertion_missing`, and those of [`ResponseShape::of`] but `saml.response_expected`.
    pub fn of(document: &'d Document<'d>, response: Element<'_>) -> Result<Self, Refusal> {
        let assertion = document.root();
        if !assertion.is(ASSERTION, "Assertion") {
            return Err(place(SamlRefusal::AssertionMissing, assertion));
        }
        check_version(assertion)?;
        let (mut signature, mut ids) = (None, Ids::of(assertion));
        for element in assertion.descendants() {
            match (element.local_name(), element.namespace()) {
                ("Response", PROTOCOL) => return Err(place(SamlRefusal::ResponseNested, element)),
                ("Assertion" | "EncryptedAssertion", ASSERTION) => {
                    return Err(place(SamlRefusal::AssertionMisplaced, element));
                }
                ("Signature", SIGNATURE) if element.parent() != Some(assertion) => {
                    return Err(place(SamlRefusal::SignatureMisplaced, element));
                }
                ("Signature", SIGNATURE) if signature.replace(element).is_some() => {
                    return Err(place(SamlRefusal::SignaturesSeveral, element));
                }
                _ => ids.visit(element),
            }
        }
        ids.check(MOST_IDS)?;
        let is_taken = |element: Element<'_>| element.attribute("ID") == assertion.attribute("ID");
        if std::iter::once(response)
            .chain(response.descendants())
            .any(is_taken)
        {
            return Err(place(SamlRefusal::IdRepeated, assertion));
        }
        Ok(Self {
            assertion,
            signature,
        })
    }
}

/// Checks that nothing at or below an element can be taken for an ID but the plain `ID` of the elements that
/// SAML gives one, the plain `Id` of signatures and encrypted data, and plain data in foreign elements; that
/// every message and assertion has an ID of the type that the schema gives it; and that no two are alike.
///
/// # Errors
/// `saml.id_polluted`, `saml.id_missing`, `saml.id_repeated`.
pub fn check_ids(apex: Element<'_>) -> Result<(), Refusal> {
    let mut ids = Ids::of(apex);
    apex.descendants().for_each(|element| ids.visit(element));
    ids.check(usize::MAX)
}

/// The IDs met on a walk over a document, and what was wrong with one first.
struct Ids<'d> {
    values: Vec<&'d str>,
    refusal: Option<Refusal>,
}

impl<'d> Ids<'d> {
    fn of(apex: Element<'d>) -> Self {
        let mut ids = Self {
            values: Vec::new(),
            refusal: None,
        };
        ids.visit(apex);
        ids
    }

    fn visit(&mut self, element: Element<'d>) {
        if self.refusal.is_none()
            && let Err(refusal) = self.read(element)
        {
            self.refusal = Some(refusal);
        }
    }

    fn read(&mut self, element: Element<'d>) -> Result<(), Refusal> {
        let mut own = None;
        for attribute in element.ids() {
            if !is_id_of(element, attribute) {
                return Err(place(SamlRefusal::IdPolluted, element).found(format_args!(
                    "{} on {}",
                    attribute.local_name,
                    element.local_name()
                )));
            }
            own = Some(attribute.value);
            self.values.push(attribute.value);
        }
        // The type is xs:ID, which is an NCName (SAML core 1.3.4, XML Schema 2 3.3.8).
        if must_have_id(element) && !own.is_some_and(is_ncname) {
            return Err(place(SamlRefusal::IdMissing, element)
                .expected("a name, which begins with a letter or _")
                .found(own.unwrap_or("no ID")));
        }
        Ok(())
    }

    fn check(mut self, most: usize) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if self.values.len() > most {
            return Err(SamlRefusal::XmlLimit
                .refuse()
                .expected(format_args!("at most {most} IDs"))
                .found(self.values.len()));
        }
        self.values.sort_unstable();
        match self.values.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => Err(SamlRefusal::IdRepeated.refuse().found(pair[0])),
        }
    }
}

fn is_id_of(element: Element<'_>, attribute: Attribute<'_>) -> bool {
    if !attribute.namespace.is_empty() {
        return false;
    }
    match element.namespace() {
        ASSERTION => attribute.local_name == "ID" && element.local_name() == "Assertion",
        PROTOCOL => attribute.local_name == "ID" && is_message(element.local_name()),
        METADATA => attribute.local_name == "ID" && has_metadata_id(element.local_name()),
        SIGNATURE | ENCRYPTION => attribute.local_name == "Id",
        // Data of a foreign vocabulary, inside an attribute value or an extension.
        _ => true,
    }
}

fn is_message(local_name: &str) -> bool {
    matches!(local_name, "Response" | "LogoutRequest" | "LogoutResponse")
}

fn has_metadata_id(local_name: &str) -> bool {
    matches!(
        local_name,
        "EntityDescriptor" | "EntitiesDescriptor" | "AffiliationDescriptor" | "RoleDescriptor"
    ) || local_name.ends_with("SSODescriptor")
        || matches!(
            local_name,
            "AuthnAuthorityDescriptor" | "AttributeAuthorityDescriptor" | "PDPDescriptor"
        )
}

fn must_have_id(element: Element<'_>) -> bool {
    match element.local_name() {
        "Assertion" => element.namespace() == ASSERTION,
        "Response" | "LogoutRequest" | "LogoutResponse" => element.namespace() == PROTOCOL,
        _ => false,
    }
}

fn check_version(element: Element<'_>) -> Result<(), Refusal> {
    match element.attribute("Version") {
        Some("2.0") => Ok(()),
        version => Err(place(SamlRefusal::VersionUnsupported, element)
            .expected("2.0")
            .found(version.unwrap_or("no Version"))),
    }
}

/// A leaf with the element that it is about.
fn place(leaf: SamlRefusal, element: Element<'_>) -> Refusal {
    leaf.refuse().detail(format_args!(
        "{} at byte {}",
        element.local_name(),
        element.position()
    ))
}

#[cfg(test)]
mod tests;
