//! Status of a response (SAML core 3.2.2): what the identity provider says when it refuses.

use super::namespace::PROTOCOL;
use super::refusal::SamlRefusal;
use super::xml::Element;
use crate::error::Refusal;

const PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:status:";

/// Holds if the top-level StatusCode is Success; a second-level one cannot make a success (SAML core 3.2.2.2).
///
/// # Errors
/// `saml.status_missing`, or the `saml.status_…` that fits, with both codes and the StatusMessage as evidence.
pub(super) fn check(response: Element<'_>) -> Result<(), Refusal> {
    let missing = || SamlRefusal::StatusMissing.refuse();
    let status = response.child(PROTOCOL, "Status").ok_or_else(missing)?;
    let code = status.child(PROTOCOL, "StatusCode").ok_or_else(missing)?;
    let top = code.attribute("Value").ok_or_else(missing)?;
    if top.strip_prefix(PREFIX) == Some("Success") {
        return Ok(());
    }
    let second = code
        .child(PROTOCOL, "StatusCode")
        .and_then(|nested| nested.attribute("Value"));
    let refusal = leaf(short(top), second.map(short))
        .refuse()
        .expected("Success");
    let refusal = match second {
        Some(second) => refusal.found(format_args!("{} / {}", short(top), short(second))),
        None => refusal.found(short(top)),
    };
    let message = status
        .child(PROTOCOL, "StatusMessage")
        .and_then(Element::leaf);
    Err(match message.filter(|text| !text.is_empty()) {
        Some(text) => refusal.detail(format_args!("the identity provider's own words: {text}")),
        None => refusal,
    })
}

fn short(code: &str) -> &str {
    code.strip_prefix(PREFIX).unwrap_or(code)
}

/// The second level says more than the first (SAML core 3.2.2.2).
fn leaf(top: &str, second: Option<&str>) -> SamlRefusal {
    match second {
        Some("AuthnFailed") => SamlRefusal::StatusAuthnFailed,
        Some("RequestDenied") => SamlRefusal::StatusRequestDenied,
        Some("UnknownPrincipal") => SamlRefusal::StatusUnknownPrincipal,
        Some("NoPassive") => SamlRefusal::StatusNoPassive,
        Some("NoAuthnContext") => SamlRefusal::StatusNoAuthnContext,
        Some("InvalidNameIDPolicy") => SamlRefusal::StatusInvalidNameIdPolicy,
        Some("RequestUnsupported" | "UnsupportedBinding") => SamlRefusal::StatusUnsupported,
        _ => match top {
            "Requester" => SamlRefusal::StatusRequester,
            "Responder" => SamlRefusal::StatusResponder,
            "VersionMismatch" => SamlRefusal::StatusUnsupported,
            _ => SamlRefusal::StatusOther,
        },
    }
}
