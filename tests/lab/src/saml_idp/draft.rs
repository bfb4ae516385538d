//! A response before it is signed.

use std::fmt::Write as _;

use fedgate_certs::hex;
use jiff::{SignedDuration, Timestamp};
use rand::CryptoRng;

use super::dialect::{Dialect, SpokenNameId};
use super::write::{attribute, date_time, text};
use super::{Lie, ResponseParameters};

/// How long an assertion is valid.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How far before now it becomes valid.
const BEFORE: SignedDuration = SignedDuration::from_mins(1);
/// How long the session at the identity provider lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(8);
/// How far a wrong clock is ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(7);
/// What a password sign-in over TLS is called (SAML authentication context 3.4.9).
const PASSWORD_CONTEXT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const ANOTHER_SERVICE: &str = "https://another-service.test";
/// What Entra ID sends instead of groups when there are too many.
const GROUPS_LINK: &str = "http://schemas.microsoft.com/claims/groups.link";
/// Markup, a change of the writing direction, a terminal's control, a line's end.
const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}evil\u{9b}31m\r\n";
/// How much of it there is, in bytes.
const HOSTILE_BYTES: usize = 100 * 1024;

/// Everything that a response says, lies included.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) response_id: String,
    pub(super) assertion_id: String,
    issuer: String,
    destination: String,
    recipient: String,
    audience: String,
    in_response_to: Option<String>,
    confirmed_request: Option<String>,
    issued: Timestamp,
    not_before: Timestamp,
    not_on_or_after: Timestamp,
    confirmation_begin: Option<Timestamp>,
    confirmation_end: Timestamp,
    authenticated: Timestamp,
    session_end: Timestamp,
    status: (String, Option<String>),
    status_message: Option<String>,
    name_id: SpokenNameId,
    qualifier: String,
    context: String,
    attribute_format: Option<&'static str>,
    attributes: Vec<(String, Vec<String>)>,
}

impl Draft {
    pub(super) fn new(
        (entity_id, dialect): (&str, Dialect),
        parameters: &ResponseParameters<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let person = parameters.person;
        let in_response_to = parameters.in_response_to.map(str::to_owned);
        let mut draft = Self {
            response_id: id(rng),
            assertion_id: id(rng),
            issuer: entity_id.to_owned(),
            destination: parameters.acs.to_owned(),
            recipient: parameters.acs.to_owned(),
            audience: parameters.audience.to_owned(),
            confirmed_request: in_response_to.clone(),
            in_response_to,
            issued: now,
            not_before: now - BEFORE,
            not_on_or_after: now + LIFETIME,
            confirmation_begin: None,
            confirmation_end: now + LIFETIME,
            authenticated: now,
            session_end: now + SESSION,
            status: parameters.lie.status(),
            status_message: None,
            name_id: dialect.name_id(person),
            qualifier: parameters.audience.to_owned(),
            context: parameters.context.unwrap_or(PASSWORD_CONTEXT).to_owned(),
            attribute_format: dialect.attribute_format(),
            attributes: dialect.attributes(person),
        };
        draft.mislead(parameters.lie, dialect, rng);
        draft.attack(parameters.lie);
        draft.shift(parameters.lie, now);
        draft
    }

    /// Whether an assertion belongs into the response.
    pub(super) fn holds_assertion(&self, lie: Lie) -> bool {
        self.status.0.ends_with(":Success") && lie != Lie::NoAssertion
    }

    /// The assertion, in canonical form.
    pub(super) fn assertion(&self) -> String {
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{}\" IssueInstant=\"{}\" Version=\"2.0\">\
             <saml:Issuer>{}</saml:Issuer>{}{}{}{}</saml:Assertion>",
            self.assertion_id,
            date_time(self.issued),
            text(&self.issuer),
            self.subject(),
            self.conditions(),
            self.authn_statement(),
            self.attribute_statement(),
        )
    }

    /// The response around an assertion, in canonical form.
    pub(super) fn response(&self, assertion: &str) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{}\" ID=\"{}\"{} \
             IssueInstant=\"{}\" Version=\"2.0\">\
             <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:Issuer>\
             <samlp:Status>{}</samlp:Status>{assertion}</samlp:Response>",
            attribute(&self.destination),
            self.response_id,
            in_response_to(self.in_response_to.as_deref()),
            date_time(self.issued),
            text(&self.issuer),
            self.status_codes(),
        )
    }

    fn mislead(&mut self, lie: Lie, dialect: Dialect, rng: &mut dyn CryptoRng) {
        match lie {
            Lie::WrongAudience => ANOTHER_SERVICE.clone_into(&mut self.audience),
            Lie::WrongRecipient => self.recipient = format!("{ANOTHER_SERVICE}/acs"),
            Lie::WrongDestination => self.destination = format!("{ANOTHER_SERVICE}/acs"),
            Lie::WrongIssuer => dialect.another_issuer().clone_into(&mut self.issuer),
            Lie::SpnAudience => self.audience.insert_str(0, "spn:"),
            Lie::SpnOfAnother => self.audience = format!("spn:{ANOTHER_SERVICE}"),
            Lie::CapitalAudience => self.audience.make_ascii_uppercase(),
            Lie::SlashInDestination => self.destination.push('/'),
            Lie::SlashInRecipient => self.recipient.push('/'),
            Lie::WrongQualifier => ANOTHER_SERVICE.clone_into(&mut self.qualifier),
            Lie::LostInResponseTo => {
                self.in_response_to = Some(id(rng));
                self.confirmed_request = self.in_response_to.clone();
            }
            Lie::ConfirmationInResponseTo => self.confirmed_request = Some(id(rng)),
            Lie::RepeatedId => self.assertion_id = self.response_id.clone(),
            Lie::ReusedId => "_lab-assertion".clone_into(&mut self.assertion_id),
            Lie::TransientNameId => {
                TRANSIENT.clone_into(&mut self.name_id.format);
                self.name_id.value = id(rng);
            }
            Lie::EmptyNameId => self.name_id.value.clear(),
            Lie::WeakContext => {
                "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified".clone_into(&mut self.context);
            }
            Lie::ManyAttributes => {
                let more =
                    (0..300).map(|number| (format!("attribute{number}"), vec!["lab".to_owned()]));
                self.attributes.extend(more);
            }
            Lie::TwoAddresses => {
                if let Some((_, addresses)) = self.attributes.first_mut() {
                    addresses.push("another@another.test".to_owned());
                }
            }
            Lie::EmptyAddress => {
                if let Some((_, addresses)) = self.attributes.first_mut() {
                    *addresses = vec![String::new()];
                }
            }
            Lie::CapitalNames => {
                for (name, _) in &mut self.attributes {
                    name.make_ascii_uppercase();
                }
            }
            Lie::GroupsOverage => {
                self.attributes.pop();
                let link = "https://graph.windows.net/another/users/groups".to_owned();
                self.attributes.push((GROUPS_LINK.to_owned(), vec![link]));
            }
            _ => {}
        }
    }

    /// Lies that aim at whoever reads them.
    fn attack(&mut self, lie: Lie) {
        let hostile = || HOSTILE.repeat(HOSTILE_BYTES / HOSTILE.len());
        match lie {
            Lie::HostileMessage => self.status_message = Some(hostile()),
            Lie::HostileIssuer => self.issuer = HOSTILE.repeat(200),
            Lie::HostileAttributes => {
                let named = |name: String| (name, vec![HOSTILE.to_owned()]);
                self.attributes.push(named(hostile()));
                let many = (0..50).map(|number| named(format!("{number}{HOSTILE}")));
                self.attributes.extend(many);
            }
            _ => {}
        }
    }

    /// Lies about time.
    fn shift(&mut self, lie: Lie, now: Timestamp) {
        let hour = SignedDuration::from_hours(1);
        match lie {
            Lie::Expired => self.not_on_or_after = now - SignedDuration::from_mins(10),
            Lie::ConfirmationExpired => self.confirmation_end = now - SignedDuration::from_mins(10),
            Lie::NotYetValid => {
                self.not_before = now + hour;
                self.not_on_or_after = now + hour + LIFETIME;
            }
            Lie::ClockSkew => {
                self.issued = now + SKEW;
                self.authenticated = now + SKEW;
                self.not_before = now + SKEW - BEFORE;
                self.not_on_or_after = now + SKEW + LIFETIME;
                self.confirmation_end = self.not_on_or_after;
                self.session_end = now + SKEW + SESSION;
            }
            Lie::OldIssueInstant => self.issued = now - SignedDuration::from_mins(30),
            Lie::LongValidity => {
                self.not_on_or_after = now + SignedDuration::from_hours(365 * 24);
                self.confirmation_end = self.not_on_or_after;
            }
            Lie::SessionExpired => self.session_end = now - hour,
            Lie::FutureAuthnInstant => self.authenticated = now + hour,
            Lie::OldAuthnInstant => self.authenticated = now - SignedDuration::from_hours(24),
            Lie::ConfirmationNotBefore => self.confirmation_begin = Some(now - BEFORE),
            _ => {}
        }
    }

    fn status_codes(&self) -> String {
        let (top, second) = &self.status;
        let message = self.status_message.as_deref().map(|message| {
            format!(
                "<samlp:StatusMessage>{}</samlp:StatusMessage>",
                text(message)
            )
        });
        let second = second.as_ref().map(|code| {
            format!(
                "<samlp:StatusCode Value=\"{}\"></samlp:StatusCode>",
                attribute(code)
            )
        });
        format!(
            "<samlp:StatusCode Value=\"{}\">{}</samlp:StatusCode>{}",
            attribute(top),
            second.unwrap_or_default(),
            message.unwrap_or_default()
        )
    }

    fn subject(&self) -> String {
        let begin = self
            .confirmation_begin
            .map(|at| format!(" NotBefore=\"{}\"", date_time(at)))
            .unwrap_or_default();
        let qualifiers = format!(
            " NameQualifier=\"{}\" SPNameQualifier=\"{}\"",
            attribute(&self.issuer),
            attribute(&self.qualifier)
        );
        format!(
            "<saml:Subject><saml:NameID Format=\"{}\"{}>{}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData{}{begin} NotOnOrAfter=\"{}\" Recipient=\"{}\"></saml:SubjectConfirmationData>\
             </saml:SubjectConfirmation></saml:Subject>",
            attribute(&self.name_id.format),
            if self.name_id.is_qualified {
                qualifiers.as_str()
            } else {
                ""
            },
            text(&self.name_id.value),
            in_response_to(self.confirmed_request.as_deref()),
            date_time(self.confirmation_end),
            attribute(&self.recipient),
        )
    }

    fn conditions(&self) -> String {
        format!(
            "<saml:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\"><saml:AudienceRestriction>\
             <saml:Audience>{}</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
            date_time(self.not_before),
            date_time(self.not_on_or_after),
            text(&self.audience),
        )
    }

    fn authn_statement(&self) -> String {
        format!(
            "<saml:AuthnStatement AuthnInstant=\"{}\" SessionIndex=\"{}\" SessionNotOnOrAfter=\"{}\"><saml:AuthnContext>\
             <saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
            date_time(self.authenticated),
            self.assertion_id,
            date_time(self.session_end),
            text(&self.context),
        )
    }

    fn attribute_statement(&self) -> String {
        let format = self
            .attribute_format
            .map(|format| format!(" NameFormat=\"{format}\""));
        let format = format.unwrap_or_default();
        let mut xml = "<saml:AttributeStatement>".to_owned();
        for (name, values) in &self.attributes {
            let _ = write!(xml, "<saml:Attribute Name=\"{}\"{format}>", attribute(name));
            for value in values {
                let _ = write!(
                    xml,
                    "<saml:AttributeValue>{}</saml:AttributeValue>",
                    text(value)
                );
            }
            xml.push_str("</saml:Attribute>");
        }
        xml + "</saml:AttributeStatement>"
    }
}

fn in_response_to(id: Option<&str>) -> String {
    id.map(|id| format!(" InResponseTo=\"{}\"", attribute(id)))
        .unwrap_or_default()
}

/// `_` and 32 hex digits.
fn id(rng: &mut dyn CryptoRng) -> String {
    let mut octets = [0; 16];
    rng.fill_bytes(&mut octets);
    hex::with_prefix("_", &octets)
}
