//! What a test login found out, within bounds, as it is kept and shown.

use fedgate_providers::connection::CommonOptions;
use fedgate_providers::identity::{Email, EmailClaim, VerifiedIdentity};

use crate::page::{FoundEmail, FoundIdentity, Outcome, Whose, Why};
use crate::people::link;
use crate::people::sign_in::{self, Foreseen};

/// The most groups and attributes that are shown.
const MOST: usize = 40;
/// The most values of one attribute that are shown.
const VALUES: usize = 10;
/// The most characters of one value that are shown.
const CHARACTERS: usize = 200;

/// An identity as the verdict shows it.
pub(super) fn identity(of: &VerifiedIdentity, options: &CommonOptions) -> FoundIdentity {
    let short = |text: &Option<String>| text.as_deref().map(cut);
    FoundIdentity {
        subject: cut(&of.subject.value),
        issuer: cut(&of.subject.issuer),
        email: of.email.as_ref().map(|email| FoundEmail {
            address: cut(&email.address),
            why: why(email, options),
        }),
        given_name: short(&of.given_name),
        family_name: short(&of.family_name),
        name: of.full_name().as_deref().map(cut),
        groups: of
            .groups
            .iter()
            .take(MOST)
            .map(|group| cut(group))
            .collect(),
        attributes: of
            .attributes
            .iter()
            .take(MOST)
            .map(|attribute| {
                let values = attribute.values.iter().take(VALUES);
                let values = values.map(|value| cut(value)).collect();
                (cut(&attribute.name), values)
            })
            .collect(),
    }
}

/// What the sign-in would have come to.
pub(super) fn outcome(of: Foreseen) -> Outcome {
    Outcome {
        whose: match of.whose {
            sign_in::Whose::New => Whose::New,
            sign_in::Whose::Known => Whose::Known(of.user.id),
            sign_in::Whose::Waiting => Whose::Waiting(of.user.id),
        },
        organization: of.organization,
        joins: of.joins,
    }
}

/// One line for the story.
pub(super) fn note(of: &Foreseen) -> String {
    match of.whose {
        sign_in::Whose::New => "would make a new user".to_owned(),
        sign_in::Whose::Known => format!("would sign in the user {}", of.user.id),
        sign_in::Whose::Waiting => {
            format!("would sign in the user {}, entered beforehand", of.user.id)
        }
    }
}

/// The row of the table at [`link::email_is_verified`] that decides.
fn why(email: &Email, options: &CommonOptions) -> Why {
    let assigned = link::domain_is_assigned(&email.address, &options.home_realm_domains);
    let verified = |trusted, assigned| {
        link::email_is_verified(email.claim, email.authoritative, trusted, assigned)
    };
    if email.claim == EmailClaim::Unverified {
        Why::Disowned
    } else if verified(false, false) {
        Why::Authority
    } else if verified(options.is_trusted, assigned) {
        Why::Trusted
    } else if options.is_trusted {
        Why::Foreign
    } else {
        Why::Untrusted
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_agrees_with_the_decision() {
        let both = [false, true];
        let claims = [
            EmailClaim::Verified,
            EmailClaim::Unverified,
            EmailClaim::Unstated,
        ];
        for (claim, authoritative) in claims
            .into_iter()
            .flat_map(|claim| both.map(|authoritative| (claim, authoritative)))
        {
            for (trusted, assigned) in both
                .into_iter()
                .flat_map(|trusted| both.map(|assigned| (trusted, assigned)))
            {
                let email = Email {
                    address: "ann@acme.test".into(),
                    claim,
                    authoritative,
                };
                let options = CommonOptions {
                    is_trusted: trusted,
                    home_realm_domains: assigned
                        .then(|| "acme.test".to_owned())
                        .into_iter()
                        .collect(),
                    ..CommonOptions::default()
                };
                let counts = matches!(why(&email, &options), Why::Authority | Why::Trusted);
                let verified = link::email_is_verified(claim, authoritative, trusted, assigned);
                assert_eq!(
                    counts, verified,
                    "{claim:?} {authoritative} {trusted} {assigned}"
                );
            }
        }
    }

    #[test]
    fn what_is_kept_of_a_value_is_bounded() {
        assert_eq!(cut(&"ä".repeat(CHARACTERS)), "ä".repeat(CHARACTERS));
        assert_eq!(
            cut(&"ä".repeat(CHARACTERS + 1)),
            format!("{}…", "ä".repeat(CHARACTERS))
        );
    }
}
