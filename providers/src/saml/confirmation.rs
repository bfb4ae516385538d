//! Who is meant, for whom and since when: Subject with its bearer confirmation (SAML profiles 4.1.4.2, 4.1.4.3)
//! and AuthnStatement (SAML core 2.7.2).

use fedgate_certs::Timestamp;
use jiff::SignedDuration;

use super::assertion::is_reference;
use super::conditions::{Clock, malformed, only_child, required_time, time};
use super::namespace::ASSERTION;
use super::refusal::SamlRefusal;
use super::write::date_time;
use super::xml::Element;
use super::{Authentication, InResponseTo};
use crate::error::Refusal;

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// The Subject, its identifier not encrypted.
///
/// # Errors
/// `saml.subject_missing`, `saml.encrypted_id`.
pub(super) fn subject(assertion: Element<'_>) -> Result<Element<'_>, Refusal> {
    let subject = only_child(assertion, ASSERTION, "Subject")?
        .ok_or_else(|| SamlRefusal::SubjectMissing.refuse())?;
    match subject
        .descendants()
        .find(|element| element.is(ASSERTION, "EncryptedID"))
    {
        Some(_) => Err(SamlRefusal::EncryptedId.into()),
        None => Ok(subject),
    }
}

/// When the last bearer confirmation that holds ends: until then the assertion could come again. At least one must
/// hold. Where none does, the first one's failure is told.
///
/// # Errors
/// `saml.confirmation_missing`, or the code of the first bearer confirmation's failure.
pub(super) fn bearer(
    response: Element<'_>,
    subject: Element<'_>,
    acs: &str,
    in_response_to: InResponseTo<'_>,
    clock: Clock,
) -> Result<Timestamp, Refusal> {
    let (mut first_failure, mut latest) = (None, None);
    for confirmation in subject.children_named(ASSERTION, "SubjectConfirmation") {
        if confirmation.attribute("Method") != Some(BEARER) {
            continue;
        }
        match holds(response, confirmation, acs, in_response_to, clock) {
            Ok(end) => latest = latest.max(Some(end)),
            Err(refusal) => first_failure = first_failure.or(Some(refusal)),
        }
    }
    latest.ok_or_else(|| first_failure.unwrap_or_else(|| no_bearer(subject)))
}

fn no_bearer(subject: Element<'_>) -> Refusal {
    let methods = subject
        .children_named(ASSERTION, "SubjectConfirmation")
        .filter_map(|c| c.attribute("Method"));
    let found = methods.take(4).collect::<Vec<_>>().join(", ");
    SamlRefusal::ConfirmationMissing
        .refuse()
        .expected(BEARER)
        .found(found)
}

fn holds(
    response: Element<'_>,
    confirmation: Element<'_>,
    acs: &str,
    in_response_to: InResponseTo<'_>,
    clock: Clock,
) -> Result<Timestamp, Refusal> {
    let recipient_missing = || SamlRefusal::RecipientMissing.refuse().expected(acs);
    let data = only_child(confirmation, ASSERTION, "SubjectConfirmationData")?
        .ok_or_else(recipient_missing)?;
    let recipient = data.attribute("Recipient").ok_or_else(recipient_missing)?;
    if recipient != acs {
        return Err(SamlRefusal::RecipientMismatch
            .refuse()
            .expected(acs)
            .found(recipient));
    }
    if let Some(start) = data.attribute("NotBefore") {
        return Err(SamlRefusal::ConfirmationNotBefore.refuse().found(start));
    }
    let end =
        time(data, "NotOnOrAfter")?.ok_or_else(|| SamlRefusal::ConfirmationEndMissing.refuse())?;
    clock.not_ended(
        "NotOnOrAfter of SubjectConfirmationData",
        end,
        SamlRefusal::ConfirmationExpired,
    )?;
    answers(response, data, in_response_to)?;
    Ok(end)
}

/// The confirmation is the signed place of InResponseTo where only the assertion is signed.
fn answers(
    response: Element<'_>,
    data: Element<'_>,
    expected: InResponseTo<'_>,
) -> Result<(), Refusal> {
    let found = data.attribute("InResponseTo");
    let expected = match expected {
        InResponseTo::Exactly(id) => Some(id),
        InResponseTo::Absent => None,
        // Nobody knows the request, but the two places must not contradict each other.
        InResponseTo::Unchecked => found.and(response.attribute("InResponseTo")).or(found),
    };
    if found == expected {
        return Ok(());
    }
    let refusal = SamlRefusal::ConfirmationInResponseTo.refuse();
    Err(refusal
        .expected(expected.unwrap_or("none"))
        .found(found.unwrap_or("none")))
}

/// What the AuthnStatement says.
pub(super) struct Statement<'d> {
    pub(super) authenticated_at: Timestamp,
    pub(super) context: Option<&'d str>,
    pub(super) session_index: Option<&'d str>,
}

/// The first AuthnStatement that satisfies what was asked. Where none does, the first one's failure is told.
///
/// # Errors
/// `saml.statement_missing`, or the code of the first statement's failure.
pub(super) fn statement<'d>(
    assertion: Element<'d>,
    asked: &Authentication<'_>,
    clock: Clock,
) -> Result<Statement<'d>, Refusal> {
    let mut first_failure = None;
    for element in assertion.children_named(ASSERTION, "AuthnStatement") {
        match satisfies(element, asked, clock) {
            Ok(statement) => return Ok(statement),
            Err(refusal) => first_failure = first_failure.or(Some(refusal)),
        }
    }
    Err(first_failure.unwrap_or_else(|| SamlRefusal::StatementMissing.refuse()))
}

fn satisfies<'d>(
    element: Element<'d>,
    asked: &Authentication<'_>,
    clock: Clock,
) -> Result<Statement<'d>, Refusal> {
    let authenticated_at = required_time(element, "AuthnInstant")?;
    if let Some(end) = time(element, "SessionNotOnOrAfter")? {
        clock.not_ended(
            "SessionNotOnOrAfter of AuthnStatement",
            end,
            SamlRefusal::SessionExpired,
        )?;
    }
    clock.begun(
        "AuthnInstant",
        authenticated_at,
        SamlRefusal::AuthnInstantFuture,
    )?;
    fresh(authenticated_at, asked, clock)?;
    let context = only_child(element, ASSERTION, "AuthnContext")?;
    let class = context.and_then(|context| context.child(ASSERTION, "AuthnContextClassRef"));
    let context = class
        .and_then(Element::leaf)
        .filter(|class| !class.is_empty());
    let session_index = element.attribute("SessionIndex");
    for (name, text) in [
        ("AuthnContextClassRef", context),
        ("SessionIndex", session_index),
    ] {
        if !text.is_none_or(is_reference) {
            return Err(malformed(format_args!(
                "{name} is too long, or not plain text"
            )));
        }
    }
    if !asked.contexts.is_empty()
        && !context.is_some_and(|class| asked.contexts.iter().any(|a| a == class))
    {
        let refusal = SamlRefusal::AuthnContextMismatch
            .refuse()
            .expected(asked.contexts.join(" or "));
        return Err(refusal.found(context.unwrap_or("none")));
    }
    Ok(Statement {
        authenticated_at,
        context,
        session_index,
    })
}

fn fresh(at: Timestamp, asked: &Authentication<'_>, clock: Clock) -> Result<(), Refusal> {
    if let Some(since) = asked.forced_since
        && since.duration_since(at) > clock.skew
    {
        let refusal = SamlRefusal::AuthnTooOld
            .refuse()
            .expected(format_args!("{} or later", date_time(since)));
        return Err(refusal.found(at).detail("ForceAuthn was asked for"));
    }
    let Some(max_age) = asked.max_age else {
        return Ok(());
    };
    let allowed = SignedDuration::from_secs(i64::try_from(max_age).unwrap_or(i64::MAX))
        .saturating_add(clock.skew);
    let age = clock.now.duration_since(at);
    if age > allowed {
        let refusal = SamlRefusal::AuthnTooOld
            .refuse()
            .expected(format_args!("at most {max_age} seconds old"));
        return Err(refusal
            .found(at)
            .detail(format_args!("{} seconds old", age.as_secs())));
    }
    Ok(())
}
