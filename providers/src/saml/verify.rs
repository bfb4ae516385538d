//! The checks of one response, in the order that decides which code a refusal has.

use fedgate_certs::Timestamp;
use fedgate_certs::trust::Trust;
use jiff::SignedDuration;

use super::assertion::{self, Asserted};
use super::conditions::{self, Clock, required_time};
use super::decrypt::{Decryption, Plaintext, decrypt};
use super::shape::{DecryptedShape, ResponseShape};
use super::signature::{self, Algorithms, Verified};
use super::xml::{Document, Element, Mode};
use super::{confirmation, message, status};
use crate::connection::SignaturePolicy;
use crate::error::Refusal;
use crate::login::Steps;

/// What a response is compared with. Everything comes from the connection and the pending login, nothing from
/// the document.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The keys of the identity provider that was asked.
    pub trust: &'a Trust,
    /// Its entityID; `None` compares the document's issuers with each other only.
    pub issuer: Option<&'a str>,
    /// Our entityID, as it was sent.
    pub sp_entity_id: &'a str,
    /// What this vendor may write in front of it in an Audience; almost always nothing.
    pub audience_prefix: Option<&'a str>,
    /// Our ACS URL, as it was sent.
    pub acs: &'a str,
    /// The request that is answered.
    pub in_response_to: InResponseTo<'a>,
    /// The tolerance for clocks.
    pub skew: SignedDuration,
    /// The signature algorithms that are accepted.
    pub algorithms: Algorithms,
    /// Which signatures must be there.
    pub signature_policy: SignaturePolicy,
    /// What can be decrypted.
    pub decryption: Decryption<'a>,
    /// What was asked about the authentication.
    pub authentication: Authentication<'a>,
}

/// How InResponseTo is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InResponseTo<'a> {
    /// It is this request's ID.
    Exactly(&'a str),
    /// It is absent, as in a response that nobody asked for.
    Absent,
    /// It is not compared, except that its two places must not contradict each other. For looking at a response
    /// offline; no login may use it.
    Unchecked,
}

/// What was asked about the authentication.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authentication<'a> {
    /// ForceAuthn was sent at this time.
    pub forced_since: Option<Timestamp>,
    /// The oldest authentication that is accepted, in seconds.
    pub max_age: Option<u64>,
    /// The contexts of which one must have been used; empty for any.
    pub contexts: &'a [String],
}

/// Verifies one decoded response and reads what it asserts. The server and the command line share this.
///
/// # Errors
/// The codes of [`SamlRefusal`](super::SamlRefusal), from `saml.xml_…` to those of the NameID and the attributes. The failing step is
/// recorded in `steps`, after all that held.
pub fn verify_response(
    xml: &[u8],
    expectation: &Expectation<'_>,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<Asserted, Refusal> {
    verify_witnessed(xml, expectation, now, steps).map(|witnessed| witnessed.asserted)
}

/// What is accepted, and what a second opinion is asked about.
#[derive(Clone, Debug)]
pub struct Witnessed {
    /// What the response asserts.
    pub asserted: Asserted,
    /// What the outermost signature covers, in canonical form.
    pub octets: Vec<u8>,
    /// The document with its assertion in the clear, where only a signature that was encrypted covers it.
    pub opened: Option<Vec<u8>>,
    /// The keys that verified, by [`fedgate_certs::trust::TrustedKey::id`].
    pub keys: Vec<[u8; 32]>,
}

/// The same, with what a second opinion needs.
///
/// # Errors
/// Those of [`verify_response`].
pub fn verify_witnessed(
    xml: &[u8],
    expectation: &Expectation<'_>,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<Witnessed, Refusal> {
    let mut story = Story {
        steps,
        now,
        decrypted_with: None,
    };
    let document = story.held("saml.shape", Document::parse(xml, Mode::Message))?;
    let shape = story.held("saml.shape", ResponseShape::of(&document))?;
    story.passed("saml.shape", None);
    story.told("saml.status", status::check(shape.response), "Success")?;
    assertion(&shape, expectation, &mut story, |verified, story| {
        let hidden = shape
            .encrypted
            .filter(|_| !verified.signed().covers_response());
        Ok(Witnessed {
            asserted: checks(&shape, verified, expectation, story)?,
            octets: verified.signed_octets().to_vec(),
            keys: verified.keys().map(|key| key.id).collect(),
            opened: hidden.map(|hidden| hidden.replaced_by(verified.assertion()).into_bytes()),
        })
    })
}

/// Verifies the signatures of one decoded response alone, decrypted where it is encrypted, and hands on what they cover.
/// For looking at a response offline: issuer, audience, times and the rest of `expectation` are not compared.
///
/// # Errors
/// `saml.xml_…`, those of the shape, of decryption and of the signature, and those of `then`.
pub fn signed<R>(
    xml: &[u8],
    expectation: &Expectation<'_>,
    now: Timestamp,
    then: impl FnOnce(&Verified<'_>) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let document = Document::parse(xml, Mode::Message)?;
    let shape = ResponseShape::of(&document)?;
    let mut story = Story {
        steps: &mut Steps::default(),
        now,
        decrypted_with: None,
    };
    assertion(&shape, expectation, &mut story, |verified, _| {
        then(verified)
    })
}

/// Finds the assertion that a signature covers, decrypted if need be, and goes on with it.
fn assertion<R>(
    shape: &ResponseShape<'_>,
    expected: &Expectation<'_>,
    story: &mut Story<'_>,
    then: impl FnOnce(&Verified<'_>, &mut Story<'_>) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let (trust, policy) = (expected.trust, expected.signature_policy);
    let Some(encrypted) = shape.encrypted else {
        let verified = signature::verify(shape, trust, policy, expected.algorithms);
        let verified = story.held("saml.signature", verified)?;
        story.passed("saml.signature", Some(signature_note(&verified)));
        return then(&verified, story);
    };
    let around = signature::verify_around(shape, trust, policy, expected.algorithms);
    let around = story.held("saml.signature", around)?;
    let plaintext = decrypt(encrypted, expected.decryption, around.is_some());
    let plaintext = story.held("saml.decryption", plaintext)?;
    // Until a signature is verified nothing may tell what the octets are, not even which step failed.
    let opened = Document::parse_within(plaintext.octets(), encrypted);
    let opened = story.hidden(&plaintext, opened)?;
    let inner = story.hidden(&plaintext, DecryptedShape::of(&opened, shape.response))?;
    let verified = signature::verify_decrypted(&inner, around, trust, policy, expected.algorithms);
    let verified = story.hidden(&plaintext, verified)?;
    story.passed("saml.decryption", Some(plaintext.cipher()));
    story.decrypted_with = Some(plaintext.key().to_owned());
    story.passed("saml.signature", Some(signature_note(&verified)));
    then(&verified, story)
}

/// All that follows the signature: reads below the verified assertion; the response's own attributes only refuse.
fn checks<'d>(
    shape: &ResponseShape<'d>,
    verified: &Verified<'d>,
    expected: &Expectation<'_>,
    story: &mut Story<'_>,
) -> Result<Asserted, Refusal> {
    let clock = Clock {
        now: story.now,
        skew: expected.skew,
    };
    let (response, assertion) = (shape.response, verified.assertion());
    let issuer = about_message(response, verified, expected, story)?;

    let conditions = story.held("saml.audience", conditions::known(assertion))?;
    let audience =
        conditions::audience(conditions, expected.sp_entity_id, expected.audience_prefix);
    story.told("saml.audience", audience, expected.sp_entity_id)?;
    let times = conditions::window(conditions, clock)
        .and_then(|end| Ok((issued(response, assertion, clock)?, end)));
    let (issued_at, end) = story.held("saml.times", times)?;
    story.passed("saml.times", Some(format!("issued at {issued_at}")));

    let subject = story.held("saml.confirmation", confirmation::subject(assertion))?;
    let confirmed = confirmation::bearer(
        response,
        subject,
        expected.acs,
        expected.in_response_to,
        clock,
    )
    .map(|until| end.map_or(until, |end| end.min(until)))
    .and_then(|until| conditions::lifetime(issued_at, until).map(|()| until));
    let valid_until = story.held("saml.confirmation", confirmed)?;
    story.passed(
        "saml.confirmation",
        Some(format!("bearer, until {valid_until}")),
    );

    let statement = confirmation::statement(assertion, &expected.authentication, clock);
    let statement = story.held("saml.statement", statement)?;
    story.passed(
        "saml.statement",
        Some(format!("authenticated at {}", statement.authenticated_at)),
    );
    let name_id = story.held(
        "saml.mapping",
        assertion::name_id(subject, expected.sp_entity_id),
    )?;
    Ok(Asserted {
        decrypted_with: story.decrypted_with.take(),
        signed: verified.signed(),
        id: assertion.attribute("ID").unwrap_or_default().to_owned(),
        issuer: issuer.to_owned(),
        name_id,
        attributes: story.held("saml.mapping", assertion::attributes(assertion))?,
        authenticated_at: statement.authenticated_at,
        context: statement.context.map(str::to_owned),
        session_index: statement.session_index.map(str::to_owned),
        valid_until,
    })
}

/// Issuer, Destination and InResponseTo.
fn about_message<'d>(
    response: Element<'d>,
    verified: &Verified<'d>,
    expected: &Expectation<'_>,
    story: &mut Story<'_>,
) -> Result<&'d str, Refusal> {
    let is_signed = verified.signed().covers_response();
    let issuer = message::issuer(response, is_signed, verified.assertion(), expected.issuer);
    let issuer = story.held("saml.issuer", issuer)?;
    story.passed("saml.issuer", Some(issuer.to_owned()));
    let destination = message::destination(response, is_signed, expected.acs);
    story.told(
        "saml.destination",
        destination,
        response.attribute("Destination").unwrap_or("none"),
    )?;
    let answered = message::in_response_to(response, expected.in_response_to);
    story.told(
        "saml.in_response_to",
        answered,
        response.attribute("InResponseTo").unwrap_or("none"),
    )?;
    Ok(issuer)
}

/// When the assertion was made; neither it nor the response may be old or of the future.
fn issued(
    response: Element<'_>,
    assertion: Element<'_>,
    clock: Clock,
) -> Result<Timestamp, Refusal> {
    clock.recent(
        "IssueInstant of the Response",
        required_time(response, "IssueInstant")?,
    )?;
    let issued_at = required_time(assertion, "IssueInstant")?;
    clock.recent("IssueInstant of the Assertion", issued_at)?;
    Ok(issued_at)
}

fn signature_note(verified: &Verified<'_>) -> String {
    format!(
        "{} signed by {}",
        verified.signed().as_str(),
        verified.key().fingerprint_sha256
    )
}

/// Tells a login's story: each step that held, and the one that did not.
pub(super) struct Story<'s> {
    pub(super) steps: &'s mut Steps,
    pub(super) now: Timestamp,
    /// The id of our key that the assertion was encrypted for.
    pub(super) decrypted_with: Option<String>,
}

impl Story<'_> {
    /// Records a failure, and nothing else: the step may have more parts.
    pub(super) fn held<T>(&mut self, step: &str, result: Result<T, Refusal>) -> Result<T, Refusal> {
        result.inspect_err(|refusal| self.steps.fail(step, refusal, self.now))
    }

    /// Records a failure of what was decrypted, as far as it may be told.
    fn hidden<T>(
        &mut self,
        plaintext: &Plaintext,
        result: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.held(
            "saml.decryption",
            result.map_err(|refusal| plaintext.hide(&refusal)),
        )
    }

    /// Records a step that held whole.
    pub(super) fn passed(&mut self, step: &str, note: Option<String>) {
        self.steps.pass(step, note, self.now);
    }

    /// Records a step of one part, with the value that passed.
    fn told(&mut self, step: &str, result: Result<(), Refusal>, note: &str) -> Result<(), Refusal> {
        self.held(step, result)?;
        self.passed(step, Some(note.to_owned()));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
