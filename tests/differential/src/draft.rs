//! What a response says, sound or not, before anything of it is written.

use fedgate_certs::Timestamp;
use jiff::SignedDuration;

use crate::choices::Choices;
use crate::text::text;

/// The service provider that responses are for.
pub const SP_ENTITY_ID: &str = "urn:fuzz:sp";
/// Its assertion consumer service.
pub const ACS: &str = "https://sp.test/acs";
/// The request that is answered.
pub const REQUEST_ID: &str = "_0123456789abcdef0123456789abcdef";
/// The identity provider.
pub const ISSUER: &str = "https://idp.test/metadata";
/// The tolerance for clocks.
pub const SKEW: SignedDuration = SignedDuration::from_secs(60);

const OTHER_SPS: [&str; 5] = [
    "urn:fuzz:sp2",
    "urn:fuzz:s",
    "URN:FUZZ:SP",
    "urn:fuzz:sp/",
    "urn:other",
];
const OTHER_ACS: [&str; 5] = [
    "https://sp.test/acs/",
    "https://SP.test/acs",
    "https://sp.test/ac",
    "http://sp.test/acs",
    "https://other.test/acs",
];
const OTHER_REQUESTS: [&str; 3] = [
    "_0123456789abcdef0123456789abcde",
    "_fedcba98",
    "_0123456789ABCDEF0123456789abcdef",
];
const OTHER_ISSUERS: [&str; 3] = [
    "https://idp.test/metadata2",
    "https://IDP.test/metadata",
    "https://evil.test",
];
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Where signatures stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// In the assertion.
    Assertion,
    /// In the Response.
    Response,
    /// In each.
    Both,
}

/// What a response says. [`Draft::is_sound`] knows what a service provider must make of it without reading any XML.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where signatures stand.
    pub signed: Signed,
    /// Destination of the Response.
    pub destination: Option<&'static str>,
    /// InResponseTo of the Response.
    pub in_response_to: Option<&'static str>,
    /// Issuer of the Response.
    pub response_issuer: Option<&'static str>,
    /// Top-level status code.
    pub status: &'static str,
    /// Issuer of the assertion.
    pub issuer: &'static str,
    /// Each AudienceRestriction's audiences.
    pub audiences: Vec<Vec<&'static str>>,
    /// Method of the confirmation.
    pub method: &'static str,
    /// Recipient of the confirmation.
    pub recipient: Option<&'static str>,
    /// InResponseTo of the confirmation.
    pub confirmed: Option<&'static str>,
    /// Seconds from now.
    pub times: Times,
    /// The person.
    pub name_id: String,
    /// Attributes in order, names distinct.
    pub attributes: Vec<(String, Vec<String>)>,
}

/// Times of a response in seconds from now.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// IssueInstant of both.
    pub issued: i64,
    /// Conditions NotBefore.
    pub not_before: i64,
    /// Conditions NotOnOrAfter.
    pub not_on_or_after: i64,
    /// SubjectConfirmationData NotOnOrAfter.
    pub confirmed_until: i64,
    /// SessionNotOnOrAfter.
    pub session_end: i64,
    /// AuthnInstant.
    pub authenticated: i64,
}

/// The time at which drafts are judged.
pub fn now() -> Timestamp {
    Timestamp::constant(1_767_323_045, 0)
}

impl Draft {
    /// Sound with every choice behind the end of the octets; otherwise each thing is wrong once in a while.
    pub fn of(choices: &mut Choices<'_>) -> Self {
        let signed = choices.pick(&[Signed::Assertion, Signed::Response, Signed::Both]);
        Self {
            signed,
            destination: maybe(choices, ACS, &OTHER_ACS, signed == Signed::Assertion),
            in_response_to: maybe(choices, REQUEST_ID, &OTHER_REQUESTS, false),
            response_issuer: maybe(choices, ISSUER, &OTHER_ISSUERS, true),
            status: mostly(
                choices,
                SUCCESS,
                &[
                    "urn:oasis:names:tc:SAML:2.0:status:Responder",
                    "urn:x:Success",
                ],
            ),
            issuer: mostly(choices, ISSUER, &OTHER_ISSUERS),
            audiences: audiences(choices),
            method: mostly(
                choices,
                BEARER,
                &["urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"],
            ),
            recipient: maybe(choices, ACS, &OTHER_ACS, false),
            confirmed: maybe(choices, REQUEST_ID, &OTHER_REQUESTS, false),
            times: Times::of(choices),
            name_id: text(choices, true),
            attributes: attributes(choices),
        }
    }

    /// Whether a service provider may accept it.
    pub fn is_sound(&self) -> bool {
        let is_for_us = |audiences: &Vec<&str>| audiences.contains(&SP_ENTITY_ID);
        // SAML core 3.2.2 and bindings 3.5.5.2: a signed message says where it is sent.
        let destination = match self.destination {
            Some(destination) => destination == ACS,
            None => self.signed == Signed::Assertion,
        };
        destination
            && self.in_response_to == Some(REQUEST_ID)
            && self.response_issuer.is_none_or(|issuer| issuer == ISSUER)
            && self.status == SUCCESS
            && self.issuer == ISSUER
            && !self.audiences.is_empty()
            && self.audiences.iter().all(is_for_us)
            && self.method == BEARER
            && self.recipient == Some(ACS)
            && self.confirmed == Some(REQUEST_ID)
            && self.times.are_sound()
    }

    /// The attributes as a reader must see them: white space around values is not part of them.
    pub fn attributes_read(&self) -> Vec<(String, Vec<String>)> {
        let trim = |value: &String| value.trim_matches([' ', '\t', '\r', '\n']).to_owned();
        let read = self.attributes.iter();
        read.map(|(name, values)| (name.clone(), values.iter().map(trim).collect()))
            .collect()
    }
}

impl Times {
    fn of(choices: &mut Choices<'_>) -> Self {
        Self {
            issued: seconds(choices, -10, &[-3_600, 3_600, -301, 61]),
            not_before: seconds(choices, -60, &[61, 3_600]),
            not_on_or_after: seconds(choices, 300, &[-60, -61, -3_600, 864_000]),
            confirmed_until: seconds(choices, 300, &[-60, -61, -3_600, 864_000]),
            session_end: seconds(choices, 28_800, &[-61, -3_600]),
            authenticated: seconds(choices, -20, &[61, 3_600]),
        }
    }

    fn are_sound(self) -> bool {
        let skew = SKEW.as_secs();
        // Issued at most five minutes ago, and good for a week at most; the bounds themselves are the unit tests'.
        (-300 - skew..=skew).contains(&self.issued)
            && self.not_before <= skew
            && self.not_on_or_after > -skew
            && self.confirmed_until > -skew
            && self.not_on_or_after.min(self.confirmed_until) <= 7 * 86_400 + skew
            && self.session_end > -skew
            && self.authenticated <= skew
    }
}

/// The right value, now and then another.
fn mostly(choices: &mut Choices<'_>, right: &'static str, wrong: &[&'static str]) -> &'static str {
    if choices.one_in(24) {
        choices.pick(wrong)
    } else {
        right
    }
}

/// The same for what may be absent: often where nothing says otherwise, seldom where that is wrong.
fn maybe(
    choices: &mut Choices<'_>,
    right: &'static str,
    wrong: &[&'static str],
    optional: bool,
) -> Option<&'static str> {
    let rarity = if optional { 3 } else { 24 };
    if choices.one_in(rarity) {
        return None;
    }
    Some(mostly(choices, right, wrong))
}

fn seconds(choices: &mut Choices<'_>, right: i64, wrong: &[i64]) -> i64 {
    if choices.one_in(24) {
        choices.pick(wrong)
    } else {
        right
    }
}

fn audiences(choices: &mut Choices<'_>) -> Vec<Vec<&'static str>> {
    match choices.below(32) {
        1 => Vec::new(),
        2 => vec![vec![choices.pick(&OTHER_SPS)]],
        3 => vec![vec![SP_ENTITY_ID], vec![choices.pick(&OTHER_SPS)]],
        4..=7 => vec![vec![choices.pick(&OTHER_SPS), SP_ENTITY_ID]],
        8 => vec![vec![SP_ENTITY_ID], vec![SP_ENTITY_ID]],
        _ => vec![vec![SP_ENTITY_ID]],
    }
}

fn attributes(choices: &mut Choices<'_>) -> Vec<(String, Vec<String>)> {
    let count = choices.below(5);
    let mut attributes: Vec<(String, Vec<String>)> = Vec::new();
    for number in 0..count {
        let values = (0..choices.below(4))
            .map(|_| text(choices, false))
            .collect();
        attributes.push((format!("{}{number}", text(choices, true)), values));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_choices_it_is_sound() {
        assert!(Draft::of(&mut Choices::new(&[])).is_sound());
    }
}
