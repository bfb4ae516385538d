//! Conditions of an assertion (SAML core 2.5.1) and the times that bound it.

use fedgate_certs::Timestamp;
use jiff::{SignedDuration, civil, tz::TimeZone};

use super::namespace::ASSERTION;
use super::refusal::SamlRefusal;
use super::write::date_time;
use super::xml::Element;
use crate::error::Refusal;
use crate::spec::Spec;

/// How old a response or an assertion may be when it arrives, beside the tolerance for clocks.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// How long an assertion may stay valid after it was made.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The largest tolerance for clocks that may be configured.
pub const MAX_SKEW: SignedDuration = SignedDuration::from_secs(300);

/// Our clock and how far another one may be off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) skew: SignedDuration,
}

impl Clock {
    /// Refuses with `leaf` an instant that lies ahead of our clock.
    pub(super) fn begun(self, what: &str, at: Timestamp, leaf: SamlRefusal) -> Result<(), Refusal> {
        let ahead = at.duration_since(self.now);
        if ahead <= self.skew {
            return Ok(());
        }
        Err(leaf.refuse().expected(self.bound("at most", self.skew)).found(at).detail(format_args!(
            "{what} is {} ahead of our clock, which reads {}; if that is not on purpose, the identity provider's \
             clock is ahead by at least as much",
            spoken(ahead),
            date_time(self.now),
        )))
    }

    /// Refuses with `leaf` an end that our clock has reached (ends are exclusive, SAML core 2.5.1.2).
    pub(super) fn not_ended(
        self,
        what: &str,
        end: Timestamp,
        leaf: SamlRefusal,
    ) -> Result<(), Refusal> {
        let behind = self.now.duration_since(end);
        if behind < self.skew {
            return Ok(());
        }
        Err(leaf
            .refuse()
            .expected(format_args!("later than {}", date_time(self.now)))
            .found(end)
            .detail(format_args!(
                "{what} passed {} ago by our clock; the tolerance is {} seconds",
                spoken(behind),
                self.skew.as_secs(),
            )))
    }

    /// Refuses an IssueInstant outside of the window around now.
    pub(super) fn recent(self, what: &str, at: Timestamp) -> Result<(), Refusal> {
        self.begun(what, at, SamlRefusal::IssueInstantFuture)?;
        let age = self.now.duration_since(at);
        if age <= MAX_AGE + self.skew {
            return Ok(());
        }
        let refusal = SamlRefusal::IssueInstantTooOld.refuse();
        Err(refusal
            .expected(self.bound("within", MAX_AGE + self.skew))
            .found(at)
            .detail(format_args!(
                "{what} is {} old by our clock, which reads {}",
                spoken(age),
                date_time(self.now),
            )))
    }

    fn bound(self, word: &str, distance: SignedDuration) -> String {
        format!(
            "{word} {} seconds from {}",
            distance.as_secs(),
            date_time(self.now)
        )
    }
}

/// A length as an administrator says it: `7 minutes`, `45 seconds`, `3 hours`.
fn spoken(length: SignedDuration) -> String {
    match length.as_secs() {
        seconds @ ..=119 => format!("{seconds} seconds"),
        seconds @ 120..=7_199 => format!("{} minutes ({seconds} seconds)", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} hours ({seconds} seconds)", seconds / 3_600),
        seconds => format!("{} days ({seconds} seconds)", seconds / 86_400),
    }
}

/// Reads an xs:dateTime in UTC: `2026-01-31T12:00:00Z`, with any fraction; `+00:00` says the same as `Z`.
///
/// Leap seconds, offsets and missing zones are no SAML times (SAML core 1.3.3). Digits beyond nanoseconds are dropped.
pub(super) fn date_time_value(text: &str) -> Option<Timestamp> {
    const LONGEST: usize = 64;
    let local = text
        .strip_suffix('Z')
        .or_else(|| text.strip_suffix("+00:00"))?;
    let (seconds, fraction) = match local.split_once('.') {
        Some((seconds, fraction)) => (seconds, Some(fraction)),
        None => (local, None),
    };
    let shape = seconds
        .bytes()
        .map(|b| if b.is_ascii_digit() { b'0' } else { b });
    if text.len() > LONGEST || !shape.eq(b"0000-00-00T00:00:00".iter().copied()) {
        return None;
    }
    let number = |from: usize, to: usize| seconds[from..to].parse::<i16>().ok();
    let small = |from: usize, to: usize| seconds[from..to].parse::<i8>().ok();
    let nanoseconds = fraction.map_or(Some(0), nanoseconds)?;
    let civil = civil::DateTime::new(
        number(0, 4)?,
        small(5, 7)?,
        small(8, 10)?,
        small(11, 13)?,
        small(14, 16)?,
        small(17, 19)?,
        nanoseconds,
    );
    // The end of .NET's calendar, 9999-12-31T23:59:59, lies a day beyond ours.
    Some(
        TimeZone::UTC
            .to_timestamp(civil.ok()?)
            .unwrap_or(Timestamp::MAX),
    )
}

fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9.9}").parse().ok()
}

/// The time in an attribute, if the attribute is there.
pub(super) fn time(element: Element<'_>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = element.attribute(name) else {
        return Ok(None);
    };
    let malformed = || {
        let refusal = SamlRefusal::TimeMalformed
            .refuse()
            .expected("an xs:dateTime in UTC, ending in Z")
            .found(text);
        refusal.detail(format_args!("{name} of {}", element.local_name()))
    };
    date_time_value(text).map(Some).ok_or_else(malformed)
}

/// The time in an attribute that the schema requires.
pub(super) fn required_time(element: Element<'_>, name: &str) -> Result<Timestamp, Refusal> {
    time(element, name)?
        .ok_or_else(|| malformed(format_args!("{} without {name}", element.local_name())))
}

/// A break of the schema, named.
pub(super) fn malformed(detail: impl std::fmt::Display) -> Refusal {
    SamlRefusal::AssertionMalformed.refuse().detail(detail)
}

/// The only child of that name, if any; a second one breaks the schema.
pub(super) fn only_child<'d>(
    parent: Element<'d>,
    namespace: &str,
    name: &str,
) -> Result<Option<Element<'d>>, Refusal> {
    let mut found = parent.children_named(namespace, name);
    let first = found.next();
    if found.next().is_some() {
        return Err(malformed(format_args!(
            "{} holds more than one {name}",
            parent.local_name()
        )));
    }
    Ok(first)
}

/// The Conditions element, holding nothing that this verifier does not know (SAML core 2.5.1: an unknown condition
/// makes the assertion's validity indeterminate).
pub(super) fn known(assertion: Element<'_>) -> Result<Element<'_>, Refusal> {
    let conditions = only_child(assertion, ASSERTION, "Conditions")?
        .ok_or_else(|| SamlRefusal::ConditionsMissing.refuse())?;
    for condition in conditions.children() {
        match condition.local_name() {
            _ if condition.namespace() != ASSERTION => return Err(unknown(condition)),
            "AudienceRestriction" | "OneTimeUse" => {}
            "ProxyRestriction" => proxying(condition)?,
            _ => return Err(unknown(condition)),
        }
    }
    Ok(conditions)
}

fn unknown(condition: Element<'_>) -> Refusal {
    let kind = condition.attribute_ns("http://www.w3.org/2001/XMLSchema-instance", "type");
    SamlRefusal::ConditionUnknown
        .refuse()
        .found(kind.unwrap_or(condition.local_name()))
}

/// One hop without a named audience is what this gateway makes (SAML core 2.5.1.6); anything narrower it cannot keep.
fn proxying(restriction: Element<'_>) -> Result<(), Refusal> {
    let count = restriction.attribute("Count");
    let allowed = count.is_none_or(|count| count.bytes().any(|b| matches!(b, b'1'..=b'9')));
    if allowed && restriction.child(ASSERTION, "Audience").is_none() {
        return Ok(());
    }
    Err(SamlRefusal::ProxyRestricted
        .refuse()
        .found(count.map_or("an audience".to_owned(), |c| format!("Count {c}"))))
}

/// Every AudienceRestriction must hold our entityID, and there must be one (SAML core 2.5.1.4: several are a
/// conjunction; profiles 4.1.4.2 requires one). Where the vendor writes a prefix in front of it, that form counts too.
pub(super) fn audience(
    conditions: Element<'_>,
    sp_entity_id: &str,
    prefix: Option<&str>,
) -> Result<(), Refusal> {
    let is_ours = |audience: &str| {
        let bare = prefix.and_then(|prefix| audience.strip_prefix(prefix));
        !sp_entity_id.is_empty() && (audience == sp_entity_id || bare == Some(sp_entity_id))
    };
    let mut restricted = false;
    for restriction in conditions.children_named(ASSERTION, "AudienceRestriction") {
        restricted = true;
        let audiences = || {
            restriction
                .children_named(ASSERTION, "Audience")
                .filter_map(Element::leaf)
        };
        if audiences().any(is_ours) {
            continue;
        }
        if audiences().next().is_none() {
            return Err(SamlRefusal::AudienceMissing.refuse().expected(sp_entity_id));
        }
        let found = audiences().take(8).collect::<Vec<_>>().join(", ");
        let refusal = SamlRefusal::AudienceMismatch.refuse();
        let refusal = refusal.expected(sp_entity_id).found(found);
        return Err(
            match audiences().find_map(|found| writer_of(found, sp_entity_id)) {
                Some(spec) => refusal.detail(format_args!(
                    "{} writes it so: a connection of the strategy {} takes it",
                    spec.label, spec.strategy
                )),
                None => refusal,
            },
        );
    }
    if restricted {
        Ok(())
    } else {
        Err(SamlRefusal::AudienceMissing.refuse().expected(sp_entity_id))
    }
}

/// The vendor that would write this audience for our entityID.
fn writer_of(audience: &str, sp_entity_id: &str) -> Option<&'static Spec> {
    Spec::all().find(|spec| {
        let prefix = spec
            .saml
            .as_ref()
            .and_then(|saml| saml.audience_prefix.as_deref());
        prefix.is_some_and(|prefix| audience.strip_prefix(prefix) == Some(sp_entity_id))
    })
}

/// NotBefore and NotOnOrAfter of the Conditions. Answers the latter, where there is one.
pub(super) fn window(conditions: Element<'_>, clock: Clock) -> Result<Option<Timestamp>, Refusal> {
    if let Some(start) = time(conditions, "NotBefore")? {
        clock.begun("NotBefore of Conditions", start, SamlRefusal::NotYetValid)?;
    }
    let end = time(conditions, "NotOnOrAfter")?;
    if let Some(end) = end {
        clock.not_ended("NotOnOrAfter of Conditions", end, SamlRefusal::Expired)?;
    }
    Ok(end)
}

/// Refuses an assertion that stays valid for longer than anybody needs.
pub(super) fn lifetime(issued_at: Timestamp, end: Timestamp) -> Result<(), Refusal> {
    if end.duration_since(issued_at) <= MAX_LIFETIME {
        return Ok(());
    }
    let most = MAX_LIFETIME.as_hours();
    let refusal = SamlRefusal::ValidityTooLong.refuse();
    Err(refusal
        .expected(format_args!("at most {most} hours after {issued_at}"))
        .found(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_genuine_identity_providers_are_read() {
        for (text, expected) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.1Z"),
            ("2026-01-31T12:00:00.123Z", "2026-01-31T12:00:00.123Z"),
            (
                "2026-01-31T12:00:00.1234567Z",
                "2026-01-31T12:00:00.1234567Z",
            ),
            (
                "2026-01-31T12:00:00.123456789012Z",
                "2026-01-31T12:00:00.123456789Z",
            ),
            ("2015-08-31T08:54:06+00:00", "2015-08-31T08:54:06Z"),
            ("9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999999999Z"),
        ] {
            assert_eq!(date_time_value(text), expected.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_utc_time_is_not_read() {
        for text in [
            "",
            "Z",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00z",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00+01:00",
            "2026-01-31T12:00:00-00:00",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00.5.5Z",
            "2026-01-31T12:00:00.5+00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "+2026-01-31T12:00:00Z",
            "-2026-01-31T12:00:00Z",
            "12026-01-31T12:00:00Z",
            "２026-01-31T12:00:00Z",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z ",
            "2026-+1-31T12:00:00Z",
            "2026-01-31T12:00:00.+5Z",
            "2026-01-31T12:00:00.-5Z",
            "2026-01-31T12:00:00.123456789xZ",
        ] {
            assert_eq!(date_time_value(text), None, "{text}");
        }
        let fraction = |digits| format!("2026-01-31T12:00:00.{}Z", "0".repeat(digits));
        assert!(date_time_value(&fraction(64 - 21)).is_some());
        assert_eq!(date_time_value(&fraction(64 - 20)), None);
    }

    #[test]
    fn lengths_are_spoken_in_the_unit_that_fits() {
        for (seconds, expected) in [
            (45, "45 seconds"),
            (432, "7 minutes (432 seconds)"),
            (8_000, "2 hours (8000 seconds)"),
            (200_000, "2 days (200000 seconds)"),
        ] {
            assert_eq!(spoken(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
