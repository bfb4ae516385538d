//! Confirmation and AuthnStatement.

use super::*;

#[test]
fn only_a_bearer_confirmation_for_this_acs_confirms() {
    let method = "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"";
    all_refused(
        SamlRefusal::ConfirmationMissing,
        &[
            (
                method,
                "Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\"",
            ),
            (method, "Method=\"urn:oasis:names:tc:SAML:2.0:cm:BEARER\""),
            (method, "x=\"y\""),
        ],
    );
    let recipient = "Recipient=\"https://sp.example/acs\"";
    all_refused(
        SamlRefusal::RecipientMismatch,
        &[
            (recipient, "Recipient=\"https://evil.example/acs\""),
            (recipient, "Recipient=\"https://sp.example/acs/\""),
            (recipient, "Recipient=\"\""),
        ],
    );
    all_refused(SamlRefusal::RecipientMissing, &[(recipient, "x=\"y\"")]);
    let end = " NotOnOrAfter=\"2026-01-02T03:09:00Z\"";
    all_refused(SamlRefusal::ConfirmationEndMissing, &[(end, "")]);
    all_refused(
        SamlRefusal::ConfirmationExpired,
        &[(end, " NotOnOrAfter=\"2026-01-02T03:03:00Z\"")],
    );
    all_refused(
        SamlRefusal::ConfirmationNotBefore,
        &[(
            end,
            " NotBefore=\"2026-01-02T03:04:00Z\" NotOnOrAfter=\"2026-01-02T03:09:00Z\"",
        )],
    );
    let xml = genuine_response();
    let data = &xml[xml.find("<saml:SubjectConfirmationData").unwrap()
        ..xml.find("</saml:SubjectConfirmation>").unwrap()];
    all_refused(SamlRefusal::RecipientMissing, &[(data, "")]);
    let subject = &xml[xml.find("<saml:Subject>").unwrap()..xml.find("<saml:Conditions").unwrap()];
    all_refused(SamlRefusal::SubjectMissing, &[(subject, "")]);
}

#[test]
fn a_second_confirmation_cannot_lend_its_parts() {
    // One has the right recipient and has ended, the other is alive for another address.
    let data = "<saml:SubjectConfirmationData InResponseTo=\"_request\" NotOnOrAfter=\"2026-01-02T03:09:00Z\" Recipient=\"https://sp.example/acs\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>";
    let split = "<saml:SubjectConfirmationData InResponseTo=\"_request\" NotOnOrAfter=\"2026-01-02T03:00:00Z\" Recipient=\"https://sp.example/acs\"></saml:SubjectConfirmationData></saml:SubjectConfirmation><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData InResponseTo=\"_request\" NotOnOrAfter=\"2026-01-02T03:09:00Z\" Recipient=\"https://evil.example\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>";
    assert_eq!(refused(&[(data, split)]), SamlRefusal::ConfirmationExpired);
}

#[test]
fn a_shorter_confirmation_does_not_shorten_what_is_remembered_of_the_assertion() {
    // The mark that refuses a replay is kept until the assertion's end: of two that hold, the later one.
    let data = "<saml:SubjectConfirmationData InResponseTo=\"_request\" NotOnOrAfter=\"2026-01-02T03:09:00Z\" Recipient=\"https://sp.example/acs\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>";
    let shorter = data.replace("03:09:00", "03:05:30");
    let method = "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">";
    let both = format!("{shorter}{method}{data}");
    let asserted = accepted(&[(data, &both)]);
    assert_eq!(asserted.valid_until.to_string(), "2026-01-02T03:09:00Z");
}

#[test]
fn what_is_kept_with_a_login_has_a_length() {
    // Hundreds of kilobytes in one attribute would stay in the database for as long as the login session.
    let long = "x".repeat(1025);
    for (from, to, leaf) in [
        (
            "SessionIndex=\"s1\"",
            format!("SessionIndex=\"{long}\""),
            SamlRefusal::AssertionMalformed,
        ),
        (
            ">urn:password<",
            format!(">urn:{long}<"),
            SamlRefusal::AssertionMalformed,
        ),
        (
            "Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\"",
            format!("Format=\"urn:{long}\""),
            SamlRefusal::NameIdInvalid,
        ),
        (
            ":emailAddress\">",
            format!(":emailAddress\" NameQualifier=\"{long}\">"),
            SamlRefusal::NameIdInvalid,
        ),
    ] {
        assert_eq!(refused(&[(from, &to)]), leaf, "{from}");
    }
    accepted(&[(
        "SessionIndex=\"s1\"",
        &format!("SessionIndex=\"{}\"", &long[1..]),
    )]);
}

#[test]
fn an_assertion_without_a_living_authentication_is_refused() {
    let xml = genuine_response();
    let statement = &xml
        [xml.find("<saml:AuthnStatement").unwrap()..xml.find("<saml:AttributeStatement").unwrap()];
    all_refused(SamlRefusal::StatementMissing, &[(statement, "")]);
    all_refused(
        SamlRefusal::SessionExpired,
        &[("2026-01-02T11:04:05Z", "2026-01-02T03:03:00Z")],
    );
    all_refused(
        SamlRefusal::AuthnInstantFuture,
        &[(
            "AuthnInstant=\"2026-01-02T03:04:00Z\"",
            "AuthnInstant=\"2026-01-02T03:07:01Z\"",
        )],
    );
    all_refused(
        SamlRefusal::AssertionMalformed,
        &[("AuthnInstant=\"2026-01-02T03:04:00Z\" ", "")],
    );
}

#[test]
fn an_ignored_force_authn_is_noticed() {
    let forced = |at: &str| {
        let edit = format!("AuthnInstant=\"{at}\"");
        verified(
            &[("AuthnInstant=\"2026-01-02T03:04:00Z\"", &edit)],
            |expected| {
                expected.authentication.forced_since =
                    Some("2026-01-02T03:04:00Z".parse().unwrap());
            },
        )
    };
    assert!(forced("2026-01-02T03:02:00Z").is_ok());
    assert_eq!(
        forced("2026-01-02T03:01:59Z").unwrap_err(),
        SamlRefusal::AuthnTooOld
    );
}

#[test]
fn an_authentication_older_than_max_age_is_refused() {
    let aged = |max_age| {
        verified(&[], |expected| {
            expected.authentication.max_age = Some(max_age);
        })
    };
    let old = |max_age| {
        let edit = (
            "AuthnInstant=\"2026-01-02T03:04:00Z\"",
            "AuthnInstant=\"2026-01-02T02:00:00Z\"",
        );
        verified(&[edit], |expected| {
            expected.authentication.max_age = Some(max_age);
        })
    };
    assert!(aged(0).is_ok());
    assert!(aged(u64::MAX).is_ok());
    assert!(old(3_780).is_ok());
    assert_eq!(old(3_779).unwrap_err(), SamlRefusal::AuthnTooOld);
}

#[test]
fn an_empty_context_names_none() {
    assert_eq!(accepted(&[("urn:password", "")]).context, None);
}

#[test]
fn a_weaker_context_than_asked_is_refused() {
    let asked = |contexts: &[&str]| {
        let contexts: Vec<String> = contexts
            .iter()
            .map(|context| (*context).to_owned())
            .collect();
        let idp = idp();
        let mut expected = expectation(&idp.trust);
        expected.authentication.contexts = &contexts;
        let xml = sign(&genuine_response(), "a1", &idp.key);
        verify_response(
            xml.as_bytes(),
            &expected,
            NOW.parse().unwrap(),
            &mut Steps::default(),
        )
    };
    assert!(asked(&["urn:mfa", "urn:password"]).is_ok());
    assert_eq!(
        asked(&["urn:mfa"]).unwrap_err(),
        SamlRefusal::AuthnContextMismatch
    );
}
