//! What a response says about itself: Issuer, Destination and InResponseTo (SAML profiles 4.1.4.2 and 4.1.4.3).
//!
//! On an unsigned response these can only cause a refusal, never a login.

use super::InResponseTo;
use super::conditions::only_child;
use super::namespace::ASSERTION;
use super::refusal::SamlRefusal;
use super::xml::Element;
use crate::error::Refusal;

const ENTITY_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

/// The issuer of the assertion, equal to the response's and to the expected one, where there are such.
///
/// # Errors
/// `saml.issuer_missing`, `saml.issuer_format`, `saml.issuer_mismatch`.
pub(super) fn issuer<'d>(
    response: Element<'d>,
    response_signed: bool,
    assertion: Element<'d>,
    expected: Option<&str>,
) -> Result<&'d str, Refusal> {
    let missing = |of: &str| {
        SamlRefusal::IssuerMissing
            .refuse()
            .detail(format_args!("{of} has no Issuer"))
    };
    let issuer = named(assertion)?.ok_or_else(|| missing("the Assertion"))?;
    equal(
        expected.unwrap_or(issuer),
        issuer,
        "Issuer of the Assertion",
    )?;
    match named(response)? {
        Some(of_response) => equal(issuer, of_response, "Issuer of the Response")?,
        // It may be left out of an unsigned response (SAML profiles 4.1.4.2).
        None if response_signed => return Err(missing("the signed Response")),
        None => {}
    }
    Ok(issuer)
}

fn named(element: Element<'_>) -> Result<Option<&str>, Refusal> {
    let Some(issuer) = only_child(element, ASSERTION, "Issuer")? else {
        return Ok(None);
    };
    if let Some(format) = issuer
        .attribute("Format")
        .filter(|format| *format != ENTITY_FORMAT)
    {
        return Err(SamlRefusal::IssuerFormat
            .refuse()
            .expected(ENTITY_FORMAT)
            .found(format));
    }
    Ok(issuer.leaf().filter(|text| !text.is_empty()))
}

fn equal(expected: &str, found: &str, what: &str) -> Result<(), Refusal> {
    if expected == found {
        return Ok(());
    }
    Err(SamlRefusal::IssuerMismatch
        .refuse()
        .expected(expected)
        .found(found)
        .detail(what))
}

/// Destination is this ACS, octet for octet; only an unsigned response may lack it (SAML bindings 3.5.5.2).
///
/// # Errors
/// `saml.destination_missing`, `saml.destination_mismatch`.
pub(super) fn destination(
    response: Element<'_>,
    response_signed: bool,
    acs: &str,
) -> Result<(), Refusal> {
    match response.attribute("Destination") {
        Some(destination) if destination == acs => Ok(()),
        Some(destination) => Err(SamlRefusal::DestinationMismatch
            .refuse()
            .expected(acs)
            .found(destination)),
        None if response_signed => Err(SamlRefusal::DestinationMissing.refuse().expected(acs)),
        None => Ok(()),
    }
}

/// InResponseTo of the response is as expected.
///
/// # Errors
/// `saml.in_response_to_missing`, `saml.in_response_to_mismatch`, `saml.in_response_to_unexpected`.
pub(super) fn in_response_to(
    response: Element<'_>,
    expected: InResponseTo<'_>,
) -> Result<(), Refusal> {
    match (expected, response.attribute("InResponseTo")) {
        (InResponseTo::Exactly(id), Some(found)) if found != id => {
            Err(SamlRefusal::InResponseToMismatch
                .refuse()
                .expected(id)
                .found(found))
        }
        (InResponseTo::Exactly(id), None) => {
            Err(SamlRefusal::InResponseToMissing.refuse().expected(id))
        }
        (InResponseTo::Absent, Some(found)) => {
            Err(SamlRefusal::InResponseToUnexpected.refuse().found(found))
        }
        _ => Ok(()),
    }
}
