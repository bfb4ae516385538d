//! Identities that an operator entered beforehand, and which login may claim one.
//!
//! Such an identity waits for an address, or for a subject. It is claimed once, through its own connection alone, and from
//! then on it is the issuer and the subject of the login that claimed it.
//!
//! - A value with an `@` is an address. Its domain must be assigned to the connection (`home_realm_domains`) when it is
//!   entered, and again when it is claimed: an identity provider speaks for its own people only.
//! - Any other value is a subject of that connection's identity provider, byte by byte.
//! - Addresses are compared in the one spelling of [`normalized_address`].

use fedgate_providers::connection::normalized_address;
use fedgate_providers::identity::{EmailClaim, VerifiedIdentity};

use crate::store::identity::IdentityKind;

/// Letters that look like the `@` of an address and are none.
const NEARLY_AT: [char; 2] = ['\u{fe6b}', '\u{ff20}'];

/// What a value that an operator enters waits for, in its one spelling; `None` for what no login could bring.
pub fn expectation(value: &str) -> Option<String> {
    if value.contains('@') {
        return normalized_address(value);
    }
    let sound = !value.is_empty() && !value.contains(NEARLY_AT);
    sound.then(|| value.to_owned())
}

/// What a login brings to claim an identity with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The subject, unless it is to be read as an address.
    pub subject: Option<&'a str>,
    /// The address, in its one spelling.
    pub address: Option<String>,
}

impl<'a> Claim<'a> {
    /// What this identity brings, of a connection of that kind.
    ///
    /// Where everybody can have an account, the upstream must say that it verified the address; an organization's own
    /// upstream must not disown it. Where the upstream sends no address at all, a subject that is one counts: many
    /// identity providers name people that way, and it is what they prove.
    pub fn of(identity: &'a VerifiedIdentity, kind: IdentityKind) -> Self {
        let subject = identity.subject.value.as_str();
        let address = match &identity.email {
            Some(email) => vouched(email.claim, kind).then_some(email.address.as_str()),
            None => Some(subject),
        };
        Self {
            subject: (!subject.contains('@')).then_some(subject),
            address: address.and_then(normalized_address),
        }
    }

    /// The domain of the address.
    pub fn domain(&self) -> Option<&str> {
        let (_, domain) = self.address.as_deref()?.rsplit_once('@')?;
        Some(domain)
    }
}

fn vouched(claim: EmailClaim, kind: IdentityKind) -> bool {
    match (claim, kind) {
        (EmailClaim::Verified, _) | (EmailClaim::Unstated, IdentityKind::Enterprise) => true,
        (EmailClaim::Unverified, _) | (EmailClaim::Unstated, IdentityKind::Social) => false,
    }
}

#[cfg(test)]
mod tests {
    use fedgate_providers::identity::{Email, Subject};

    use super::*;
    use crate::store::testing::id;

    fn identity(subject: &str, email: Option<(&str, EmailClaim)>) -> VerifiedIdentity {
        let subject = Subject {
            issuer: "i".into(),
            value: subject.into(),
        };
        let mut identity = VerifiedIdentity::unproven(id(1), subject);
        identity.email = email.map(|(address, claim)| Email {
            address: address.into(),
            claim,
            authoritative: false,
        });
        identity
    }

    #[test]
    fn a_value_is_an_address_or_a_subject_and_never_both() {
        let expected = |value| expectation(value);
        assert_eq!(expected("Ann@ACME.test.").as_deref(), Some("ann@acme.test"));
        for subject in ["00u1Ab", "ann", "acme\\ann", "7f3a-00"] {
            assert_eq!(expected(subject).as_deref(), Some(subject));
        }
        for neither in [
            "",
            "@",
            "ann@",
            "@acme.test",
            "ann@localhost",
            "ann@127.0.0.1",
            "a@b@acme.test",
            "ann@acme.test, bob@acme.test",
            "ann＠acme.test",
            "ann﹫acme.test",
            "ann@acme.test/x",
        ] {
            assert_eq!(expected(neither), None, "{neither:?}");
        }
    }

    #[test]
    fn a_login_claims_with_its_address_only_where_that_is_vouched_for() {
        use EmailClaim::{Unstated, Unverified, Verified};
        use IdentityKind::{Enterprise, Social};
        for (claim, kind, counts) in [
            (Verified, Enterprise, true),
            (Verified, Social, true),
            (Unstated, Enterprise, true),
            (Unstated, Social, false),
            (Unverified, Enterprise, false),
            (Unverified, Social, false),
        ] {
            let login = identity("s", Some(("Ann@acme.test", claim)));
            let address = counts.then(|| "ann@acme.test".to_owned());
            assert_eq!(
                Claim::of(&login, kind).address,
                address,
                "{claim:?} {kind:?}"
            );
        }
    }

    #[test]
    fn a_subject_that_is_an_address_counts_only_where_no_address_is_sent() {
        let alone = identity("Ann@acme.test", None);
        let claim = Claim::of(&alone, IdentityKind::Enterprise);
        assert_eq!((claim.subject, claim.domain()), (None, Some("acme.test")));
        assert_eq!(claim.address.as_deref(), Some("ann@acme.test"));
        let disowned = identity(
            "ann@acme.test",
            Some(("ann@acme.test", EmailClaim::Unverified)),
        );
        let claim = Claim::of(&disowned, IdentityKind::Enterprise);
        assert_eq!((claim.subject, claim.address), (None, None));
        let renamed = identity(
            "ann@acme.test",
            Some(("anna@acme.test", EmailClaim::Unstated)),
        );
        let claim = Claim::of(&renamed, IdentityKind::Enterprise);
        assert_eq!(claim.address.as_deref(), Some("anna@acme.test"));
    }
}
