//! Whether an address counts as verified. No address ever links two accounts by itself: the key of a person is
//! (connection, issuer, subject), and only an operator's own entry leads a second identity to the same user.

use fedgate_providers::connection::domain_of_address;
use fedgate_providers::identity::EmailClaim;

/// Whether applications may rely on an address.
///
/// | the upstream says | it is the authority | connection trusted | domain assigned | counts |
/// |---|---|---|---|---|
/// | unverified | any | any | any | no |
/// | nothing (SAML, WS-Federation) | any | yes | yes | yes |
/// | nothing | any | otherwise | | no |
/// | verified | yes | any | any | yes |
/// | verified | no | yes | yes | yes |
/// | verified | no | otherwise | | no |
///
/// - *Unverified* is a statement against itself, which no trust outweighs.
/// - *Nothing*: a tenant's identity provider can put any address into an assertion. What makes it true is that
///   an operator trusts the connection, and that the domain was assigned to this very connection.
/// - *Verified* by the authority (Google for gmail.com or a hosted domain) is a fact about the mailbox. `authoritative` is
///   decided by code from signed claims and a fixed list, never by a tenant's setting. Any other
///   upstream's word counts as much as the connection's owner: a self-run issuer can say it of any address.
/// - *Domain assigned*: the address's domain is one of the connection's home realm domains, exactly.
pub fn email_is_verified(
    claim: EmailClaim,
    authoritative: bool,
    trusted: bool,
    domain_assigned: bool,
) -> bool {
    match claim {
        EmailClaim::Unverified => false,
        EmailClaim::Unstated => trusted && domain_assigned,
        EmailClaim::Verified => authoritative || (trusted && domain_assigned),
    }
}

/// Whether an address's domain is one of these (lower-case, compared exactly).
/// An address with no `@`, or with nothing before or after it, has no domain.
pub fn domain_is_assigned(address: &str, domains: &[String]) -> bool {
    domain_of_address(address).is_some_and(|domain| domains.contains(&domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_row_by_row() {
        let both = [false, true];
        for authoritative in both {
            for trusted in both {
                for assigned in both {
                    let verdict =
                        |claim| email_is_verified(claim, authoritative, trusted, assigned);
                    assert!(!verdict(EmailClaim::Unverified));
                    assert_eq!(verdict(EmailClaim::Unstated), trusted && assigned);
                    assert_eq!(
                        verdict(EmailClaim::Verified),
                        authoritative || (trusted && assigned)
                    );
                }
            }
        }
    }

    #[test]
    fn a_domain_is_compared_whole() {
        let domains = ["example.com".to_owned()];
        assert!(domain_is_assigned("Ann@Example.COM", &domains));
        for stranger in [
            "ann@sub.example.com",
            "ann@notexample.com",
            "ann@example.com.evil.test",
            "ann@example.com ",
            "ann@example.com@evil.test",
            "@example.com",
            "example.com",
            "ann@",
            "",
            "ann@example.com\0",
            "ann@examplе.com",
        ] {
            assert!(!domain_is_assigned(stranger, &domains), "{stranger}");
        }
    }
}
