//! Each attack on a genuine, signed response, and the exact code that refuses it.

use openssl::pkey::{PKey, Private};

use super::*;
use crate::login::Verdict;
use crate::saml::SamlRefusal;
use crate::saml::signature::Signed;
use crate::saml::test_response::genuine_response;
use crate::saml::test_signer::{certificate, ec_key, sign};
use fedgate_certs::trust::TrustedKey;

const NOW: &str = "2026-01-02T03:05:00Z";

struct Idp {
    key: PKey<Private>,
    trust: Trust,
}

fn idp() -> Idp {
    let key = ec_key();
    let der = certificate(&key).to_der().unwrap();
    let trust = Trust::new(vec![TrustedKey::from_certificate_der(&der).unwrap()]).unwrap();
    Idp { key, trust }
}

fn expectation(trust: &Trust) -> Expectation<'_> {
    Expectation {
        trust,
        issuer: Some("https://idp.example"),
        sp_entity_id: "urn:sp",
        acs: "https://sp.example/acs",
        in_response_to: InResponseTo::Exactly("_request"),
        skew: SignedDuration::from_secs(120),
        algorithms: Algorithms::default(),
        signature_policy: SignaturePolicy::Any,
        authentication: Authentication::default(),
    }
}

fn edited(edits: &[(&str, &str)]) -> String {
    edits
        .iter()
        .fold(genuine_response(), |xml, (find, replace)| {
            assert!(xml.contains(find), "nothing to edit: {find}");
            xml.replace(find, replace)
        })
}

/// Verifies the edited response with its assertion signed after the edits: the IdP itself says so.
fn verified(
    edits: &[(&str, &str)],
    adjust: impl Fn(&mut Expectation<'_>),
) -> Result<Asserted, Refusal> {
    let idp = idp();
    let mut expected = expectation(&idp.trust);
    adjust(&mut expected);
    let xml = sign(&edited(edits), "a1", &idp.key);
    verify_response(
        xml.as_bytes(),
        &expected,
        NOW.parse().unwrap(),
        &mut Steps::default(),
    )
}

fn refused(edits: &[(&str, &str)]) -> Refusal {
    verified(edits, |_| ()).expect_err("a refusal")
}

fn accepted(edits: &[(&str, &str)]) -> Asserted {
    verified(edits, |_| ()).expect("an assertion")
}

fn all_refused(leaf: SamlRefusal, edits: &[(&str, &str)]) {
    for edit in edits {
        assert_eq!(refused(std::slice::from_ref(edit)), leaf, "{edit:?}");
    }
}

#[test]
fn a_genuine_response_is_read_whole() {
    let asserted = accepted(&[]);
    assert_eq!(asserted.signed, Signed::Assertion);
    assert_eq!(
        (asserted.id.as_str(), asserted.issuer.as_str()),
        ("a1", "https://idp.example")
    );
    assert_eq!(asserted.name_id.unwrap().value, "ada@example.com");
    assert_eq!(asserted.attributes["groups"], ["staff", "admins"]);
    assert_eq!(asserted.context.as_deref(), Some("urn:password"));
    assert_eq!(asserted.session_index.as_deref(), Some("s1"));
    assert_eq!(
        asserted.valid_until,
        "2026-01-02T03:09:00Z".parse().unwrap()
    );
}

#[test]
fn the_story_ends_with_the_step_that_failed() {
    let idp = idp();
    let xml = sign(
        &edited(&[("<saml:Audience>urn:sp<", "<saml:Audience>urn:other<")]),
        "a1",
        &idp.key,
    );
    let mut steps = Steps::default();
    verify_response(
        xml.as_bytes(),
        &expectation(&idp.trust),
        NOW.parse().unwrap(),
        &mut steps,
    )
    .unwrap_err();
    let told: Vec<_> = steps
        .as_slice()
        .iter()
        .map(|step| (step.name.as_str(), step.verdict))
        .collect();
    let passed = |name| (name, Verdict::Passed);
    assert_eq!(
        told,
        [
            passed("saml.shape"),
            passed("saml.status"),
            passed("saml.signature"),
            passed("saml.issuer"),
            passed("saml.destination"),
            passed("saml.in_response_to"),
            ("saml.audience", Verdict::Failed),
        ]
    );
    let last = steps.as_slice().last().unwrap();
    assert_eq!(last.expected.as_deref(), Some("urn:sp"));
    assert_eq!(last.found.as_deref(), Some("urn:other"));
}

#[test]
fn habits_of_genuine_identity_providers_are_accepted() {
    let entity = r#"<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">"#;
    for edit in [
        (r#" Destination="https://sp.example/acs""#, ""),
        ("03:04:05Z", "03:04:05.1234567Z"),
        ("03:04:05Z", "03:04:05+00:00"),
        ("<saml:Issuer>", entity),
        (r#" NotBefore="2026-01-02T03:04:00Z""#, ""),
        (r#" SessionNotOnOrAfter="2026-01-02T11:04:05Z""#, ""),
        ("2026-01-02T11:04:05Z", "9999-12-31T23:59:59.9999999Z"),
        (
            "AuthnInstant=\"2026-01-02T03:04:00Z\"",
            "AuthnInstant=\"2025-12-24T00:00:00Z\"",
        ),
        (
            "<saml:SubjectConfirmationData ",
            "<saml:SubjectConfirmationData Address=\"203.0.113.9\" ",
        ),
        (
            "<saml:AudienceRestriction>",
            "<saml:OneTimeUse></saml:OneTimeUse><saml:AudienceRestriction>",
        ),
        (
            "<saml:AudienceRestriction>",
            "<saml:ProxyRestriction Count=\"1\"></saml:ProxyRestriction><saml:AudienceRestriction>",
        ),
        (
            "<saml:Audience>",
            "<saml:Audience>urn:another</saml:Audience><saml:Audience>",
        ),
        ("<saml:Audience>urn:sp<", "<saml:Audience>\n  urn:sp\n<"),
        (
            "<saml:SubjectConfirmation Method=",
            "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\"></saml:SubjectConfirmation><saml:SubjectConfirmation Method=",
        ),
        (
            "</saml:AttributeStatement>",
            "</saml:AttributeStatement><saml:AttributeStatement></saml:AttributeStatement>",
        ),
        ("urn:password", ""),
    ] {
        accepted(&[edit]);
    }
}

#[test]
fn without_a_name_id_an_attribute_may_name_the_person() {
    let name_id = r#"<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">ada@example.com</saml:NameID>"#;
    assert_eq!(accepted(&[(name_id, "")]).name_id, None);
}

#[test]
fn a_refusing_identity_provider_is_quoted_before_anything_else_is_checked() {
    let status = |codes: &str| {
        refused(&[
            (
                "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>",
                codes,
            ),
            ("urn:sp", "urn:other"),
        ])
    };
    let nested = |top: &str, second: &str| {
        status(&format!(
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{top}\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{second}\"></samlp:StatusCode></samlp:StatusCode><samlp:StatusMessage>no such luck</samlp:StatusMessage>"
        ))
    };
    for (top, second, leaf) in [
        ("Responder", "AuthnFailed", SamlRefusal::StatusAuthnFailed),
        (
            "Responder",
            "RequestDenied",
            SamlRefusal::StatusRequestDenied,
        ),
        (
            "Requester",
            "UnknownPrincipal",
            SamlRefusal::StatusUnknownPrincipal,
        ),
        ("Responder", "NoPassive", SamlRefusal::StatusNoPassive),
        (
            "Requester",
            "NoAuthnContext",
            SamlRefusal::StatusNoAuthnContext,
        ),
        (
            "Requester",
            "InvalidNameIDPolicy",
            SamlRefusal::StatusInvalidNameIdPolicy,
        ),
        (
            "Requester",
            "UnsupportedBinding",
            SamlRefusal::StatusUnsupported,
        ),
        (
            "VersionMismatch",
            "RequestVersionTooHigh",
            SamlRefusal::StatusUnsupported,
        ),
        (
            "Requester",
            "ResourceNotRecognized",
            SamlRefusal::StatusRequester,
        ),
        // A success on the second level is none.
        ("Responder", "Success", SamlRefusal::StatusResponder),
        ("Unheard", "Of", SamlRefusal::StatusOther),
    ] {
        let refusal = nested(top, second);
        assert_eq!(refusal, leaf, "{top} {second}");
        let evidence = refusal.evidence();
        assert_eq!(evidence.found, Some(format!("{top} / {second}")));
        assert!(evidence.detail.unwrap().ends_with("no such luck"));
    }
    assert_eq!(status(""), SamlRefusal::StatusMissing);
    assert_eq!(
        status("<samlp:StatusCode></samlp:StatusCode>"),
        SamlRefusal::StatusMissing
    );
    assert_eq!(
        status("<samlp:StatusCode Value=\"urn:vendor:busy\"></samlp:StatusCode>"),
        SamlRefusal::StatusOther
    );
}

#[test]
fn another_issuer_is_refused_wherever_it_stands() {
    let of_assertion = "\"2.0\"><saml:Issuer>https://idp.example</saml:Issuer>";
    all_refused(
        SamlRefusal::IssuerMismatch,
        &[
            (
                of_assertion,
                "\"2.0\"><saml:Issuer>https://evil.example</saml:Issuer>",
            ),
            (
                of_assertion,
                "\"2.0\"><saml:Issuer>https://idp.example/</saml:Issuer>",
            ),
            (
                "assertion\">https://idp.example<",
                "assertion\">https://IDP.example<",
            ),
        ],
    );
    all_refused(
        SamlRefusal::IssuerMissing,
        &[
            (of_assertion, "\"2.0\">"),
            (of_assertion, "\"2.0\"><saml:Issuer></saml:Issuer>"),
        ],
    );
    all_refused(
        SamlRefusal::IssuerFormat,
        &[(
            "<saml:Issuer>",
            "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">",
        )],
    );
    all_refused(
        SamlRefusal::AssertionMalformed,
        &[(
            "<saml:Subject>",
            "<saml:Issuer>https://evil.example</saml:Issuer><saml:Subject>",
        )],
    );
}

#[test]
fn a_signed_response_needs_its_issuer_and_destination() {
    let idp = idp();
    let verify = |edits: &[(&str, &str)]| {
        let xml = sign(&edited(edits), "r1", &idp.key);
        verify_response(
            xml.as_bytes(),
            &expectation(&idp.trust),
            NOW.parse().unwrap(),
            &mut Steps::default(),
        )
    };
    assert_eq!(verify(&[]).unwrap().signed, Signed::Response);
    let issuer = r#"<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example</saml:Issuer>"#;
    assert_eq!(
        verify(&[(issuer, &issuer.replace("https://idp.example", ""))]).unwrap_err(),
        SamlRefusal::IssuerMissing
    );
    let destination = r#" Destination="https://sp.example/acs""#;
    assert_eq!(
        verify(&[(destination, "")]).unwrap_err(),
        SamlRefusal::DestinationMissing
    );
}

#[test]
fn a_destination_that_is_not_this_acs_is_refused() {
    let ours = r#"Destination="https://sp.example/acs""#;
    all_refused(
        SamlRefusal::DestinationMismatch,
        &[
            (ours, r#"Destination="https://sp.example/acs/""#),
            (ours, r#"Destination="https://sp.example/ACS""#),
            (ours, r#"Destination="https://sp.example/acs?x""#),
            (ours, r#"Destination="https://sp.example""#),
            (ours, r#"Destination=" https://sp.example/acs""#),
            (ours, r#"Destination="""#),
        ],
    );
}

#[test]
fn a_response_to_another_request_is_refused_in_both_places() {
    let on_response = "ID=\"r1\" InResponseTo=\"_request\"";
    let on_confirmation = "Data InResponseTo=\"_request\"";
    all_refused(
        SamlRefusal::InResponseToMismatch,
        &[(on_response, "ID=\"r1\" InResponseTo=\"_other\"")],
    );
    all_refused(
        SamlRefusal::InResponseToMissing,
        &[(on_response, "ID=\"r1\"")],
    );
    all_refused(
        SamlRefusal::ConfirmationInResponseTo,
        &[
            (on_confirmation, "Data InResponseTo=\"_other\""),
            (on_confirmation, "Data"),
        ],
    );
}

#[test]
fn an_unsolicited_response_names_no_request() {
    let unsolicited =
        |edits: &[(&str, &str)]| verified(edits, |e| e.in_response_to = InResponseTo::Absent);
    let on_response = ("ID=\"r1\" InResponseTo=\"_request\"", "ID=\"r1\"");
    let on_confirmation = ("Data InResponseTo=\"_request\"", "Data");
    assert!(unsolicited(&[on_response, on_confirmation]).is_ok());
    assert_eq!(
        unsolicited(&[on_confirmation]).unwrap_err(),
        SamlRefusal::InResponseToUnexpected
    );
    assert_eq!(
        unsolicited(&[on_response]).unwrap_err(),
        SamlRefusal::ConfirmationInResponseTo
    );
}

#[test]
fn unchecked_still_means_the_same_request_in_both_places() {
    let unchecked =
        |edits: &[(&str, &str)]| verified(edits, |e| e.in_response_to = InResponseTo::Unchecked);
    assert!(unchecked(&[("_request", "_any")]).is_ok());
    let spliced = [(
        "Data InResponseTo=\"_request\"",
        "Data InResponseTo=\"_other\"",
    )];
    assert_eq!(
        unchecked(&spliced).unwrap_err(),
        SamlRefusal::ConfirmationInResponseTo
    );
}

#[test]
fn an_assertion_for_another_service_is_refused() {
    all_refused(
        SamlRefusal::AudienceMismatch,
        &[
            ("<saml:Audience>urn:sp<", "<saml:Audience>urn:other<"),
            ("<saml:Audience>urn:sp<", "<saml:Audience>urn:sp2<"),
            ("<saml:Audience>urn:sp<", "<saml:Audience>URN:SP<"),
            // Several restrictions are a conjunction (SAML core 2.5.1.4).
            (
                "</saml:AudienceRestriction>",
                "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction>",
            ),
        ],
    );
    all_refused(
        SamlRefusal::AudienceMissing,
        &[
            (
                "<saml:AudienceRestriction><saml:Audience>urn:sp</saml:Audience></saml:AudienceRestriction>",
                "",
            ),
            ("<saml:Audience>urn:sp</saml:Audience>", ""),
        ],
    );
}

#[test]
fn conditions_that_cannot_be_kept_are_refused() {
    let before = |condition: &'static str| ("<saml:AudienceRestriction>", condition);
    all_refused(
        SamlRefusal::ConditionUnknown,
        &[
            before("<saml:Condition></saml:Condition><saml:AudienceRestriction>"),
            before("<saml:Novelty></saml:Novelty><saml:AudienceRestriction>"),
            before("<OneTimeUse xmlns=\"urn:x\"></OneTimeUse><saml:AudienceRestriction>"),
        ],
    );
    all_refused(
        SamlRefusal::ProxyRestricted,
        &[
            before(
                "<saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction><saml:AudienceRestriction>",
            ),
            before(
                "<saml:ProxyRestriction Count=\"00\"></saml:ProxyRestriction><saml:AudienceRestriction>",
            ),
            before(
                "<saml:ProxyRestriction><saml:Audience>urn:app</saml:Audience></saml:ProxyRestriction><saml:AudienceRestriction>",
            ),
        ],
    );
    let conditions = |to: &str| {
        let xml = genuine_response();
        let (start, end) = (
            xml.find("<saml:Conditions").unwrap(),
            xml.find("<saml:AuthnStatement").unwrap(),
        );
        refused(&[(&xml[start..end], to)])
    };
    assert_eq!(conditions(""), SamlRefusal::ConditionsMissing);
    assert_eq!(
        conditions("<saml:Conditions></saml:Conditions>"),
        SamlRefusal::AudienceMissing
    );
    let two = "<saml:Conditions></saml:Conditions><saml:Conditions></saml:Conditions>";
    assert_eq!(conditions(two), SamlRefusal::AssertionMalformed);
}

#[test]
fn times_outside_of_the_window_are_refused() {
    // The clock reads 03:05:00, the tolerance is 120 seconds.
    let not_before = "NotBefore=\"2026-01-02T03:04:00Z\"";
    let end = "NotOnOrAfter=\"2026-01-02T03:09:05Z\"><saml:Aud";
    let ends = |time: &'static str| (end, time);
    all_refused(
        SamlRefusal::NotYetValid,
        &[
            (not_before, "NotBefore=\"2026-01-02T03:07:00.001Z\""),
            (not_before, "NotBefore=\"2046-01-02T03:07:00Z\""),
        ],
    );
    all_refused(
        SamlRefusal::Expired,
        &[
            ends("NotOnOrAfter=\"2026-01-02T03:03:00Z\"><saml:Aud"),
            ends("NotOnOrAfter=\"1970-01-01T00:00:00Z\"><saml:Aud"),
        ],
    );
    accepted(&[(not_before, "NotBefore=\"2026-01-02T03:07:00Z\"")]);
    accepted(&[ends("NotOnOrAfter=\"2026-01-02T03:03:00.001Z\"><saml:Aud")]);
    let issued = "IssueInstant=\"2026-01-02T03:04:05Z\"";
    all_refused(
        SamlRefusal::IssueInstantFuture,
        &[(issued, "IssueInstant=\"2026-01-02T03:07:01Z\"")],
    );
    all_refused(
        SamlRefusal::IssueInstantTooOld,
        &[(issued, "IssueInstant=\"2026-01-02T02:57:59Z\"")],
    );
    all_refused(
        SamlRefusal::AssertionMalformed,
        &[(" IssueInstant=\"2026-01-02T03:04:05Z\"", "")],
    );
    accepted(&[(issued, "IssueInstant=\"2026-01-02T03:07:00Z\"")]);
    accepted(&[(issued, "IssueInstant=\"2026-01-02T02:58:00Z\"")]);
}

#[test]
fn a_clock_that_is_off_is_measured() {
    let refusal = refused(&[(
        "NotBefore=\"2026-01-02T03:04:00Z\"",
        "NotBefore=\"2026-01-02T03:12:12Z\"",
    )]);
    let detail = refusal.evidence().detail.unwrap();
    assert!(
        detail.contains(
            "7 minutes (432 seconds) ahead of our clock, which reads 2026-01-02T03:05:00Z"
        ),
        "{detail}"
    );
}

#[test]
fn times_that_are_not_utc_are_refused_and_not_guessed() {
    for time in [
        "2026-01-02T03:04:05",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02T03:04:60Z",
        "2026-02-30T03:04:05Z",
        "",
    ] {
        let edit = [(
            "NotBefore=\"2026-01-02T03:04:00Z\"",
            format!("NotBefore=\"{time}\""),
        )];
        assert_eq!(
            refused(&[(edit[0].0, &edit[0].1)]),
            SamlRefusal::TimeMalformed,
            "{time}"
        );
    }
}

#[test]
fn a_bearer_of_years_is_refused() {
    let years = [
        ("2026-01-02T03:09:05Z", "2036-01-02T03:09:05Z"),
        ("2026-01-02T03:09:00Z", "2036-01-02T03:09:05Z"),
    ];
    assert_eq!(refused(&years), SamlRefusal::ValidityTooLong);
    // Long conditions do no harm where the confirmation is short.
    accepted(&years[..1]);
}

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

#[test]
fn a_name_id_that_cannot_name_anybody_is_refused() {
    for name in [
        "",
        " ",
        "a\u{202e}b",
        "a\u{200b}b",
        "a\tb",
        "a\u{85}b",
        "a<x xmlns=\"urn:x\"></x>b",
        &"a".repeat(257),
    ] {
        let edit = format!(">{name}</saml:NameID>");
        assert_eq!(
            refused(&[(">ada@example.com</saml:NameID>", &edit)]),
            SamlRefusal::NameIdInvalid,
            "{name:?}"
        );
    }
    accepted(&[(
        ">ada@example.com</saml:NameID>",
        &format!(">{}</saml:NameID>", "é".repeat(256)),
    )]);
    all_refused(
        SamlRefusal::AssertionMalformed,
        &[(
            "</saml:NameID>",
            "</saml:NameID><saml:NameID>eve</saml:NameID>",
        )],
    );
}

#[test]
fn a_persistent_name_id_for_another_service_is_refused() {
    let email = r#"Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress""#;
    let of = |format: &str, qualifier: &str| {
        let edit = format!(
            "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:{format}\" SPNameQualifier=\"{qualifier}\""
        );
        verified(&[(email, &edit)], |_| ())
    };
    assert_eq!(
        of("persistent", "urn:other").unwrap_err(),
        SamlRefusal::NameQualifierMismatch
    );
    assert_eq!(
        of("transient", "urn:other").unwrap_err(),
        SamlRefusal::NameQualifierMismatch
    );
    assert!(of("persistent", "urn:sp").is_ok());
    assert!(of("unspecified", "urn:other").is_ok());
    assert_eq!(
        of("persistent", "urn:\u{202e}sp").unwrap_err(),
        SamlRefusal::NameIdInvalid
    );
}

#[test]
fn encrypted_parts_are_refused_and_not_skipped() {
    all_refused(
        SamlRefusal::EncryptedId,
        &[
            (
                "<saml:Subject>",
                "<saml:Subject><saml:EncryptedID></saml:EncryptedID>",
            ),
            (
                "<saml:SubjectConfirmationData",
                "<saml:EncryptedID></saml:EncryptedID><saml:SubjectConfirmationData",
            ),
        ],
    );
    all_refused(
        SamlRefusal::EncryptedAttribute,
        &[(
            "<saml:AttributeStatement>",
            "<saml:AttributeStatement><saml:EncryptedAttribute></saml:EncryptedAttribute>",
        )],
    );
}

#[test]
fn attribute_values_are_read_whole_or_not_at_all() {
    let xsi = r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;
    let value = "<saml:AttributeValue>staff</saml:AttributeValue>";
    let read = |to: &str| {
        accepted(&[(value, to)])
            .attributes
            .remove("groups")
            .unwrap()
    };
    let typed =
        format!("<saml:AttributeValue {xsi} xsi:type=\"xs:anyType\">typed</saml:AttributeValue>");
    assert_eq!(read(&typed), ["typed", "admins"]);
    let nil = format!("<saml:AttributeValue {xsi} xsi:nil=\"true\"></saml:AttributeValue>");
    assert_eq!(read(&nil), ["admins"]);
    assert_eq!(
        read("<saml:AttributeValue></saml:AttributeValue>"),
        ["", "admins"]
    );
    let targeted = "<saml:AttributeValue><saml:NameID>opaque</saml:NameID></saml:AttributeValue>";
    assert_eq!(read(targeted), ["opaque", "admins"]);
    let mixed = "<saml:AttributeValue>a<x xmlns=\"urn:x\">b</x></saml:AttributeValue>";
    assert_eq!(read(mixed), ["admins"]);
    let smuggled = "<saml:AttributeValue>a<saml:NameID>b</saml:NameID></saml:AttributeValue>";
    assert_eq!(read(smuggled), ["admins"]);
}

#[test]
fn attributes_are_merged_by_name_over_statements() {
    let more = "</saml:AttributeStatement><saml:AttributeStatement><saml:Attribute Name=\"groups\"><saml:AttributeValue>c</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>";
    let asserted = accepted(&[("</saml:AttributeStatement>", more)]);
    assert_eq!(asserted.attributes["groups"], ["staff", "admins", "c"]);
    all_refused(
        SamlRefusal::AssertionMalformed,
        &[("<saml:Attribute Name=\"groups\">", "<saml:Attribute>")],
    );
}

#[test]
fn attributes_have_a_limit_in_names_and_values() {
    let values = |count: usize| "<saml:AttributeValue>x</saml:AttributeValue>".repeat(count);
    let value = "<saml:AttributeValue>staff</saml:AttributeValue>";
    // One more group, and the address, are there already.
    accepted(&[(value, &values(1_998))]);
    assert_eq!(
        refused(&[(value, &values(1_999))]),
        SamlRefusal::TooManyAttributes
    );
    let names = |count: usize| {
        (0..count).fold("<saml:AttributeStatement>".to_owned(), |xml, n| {
            format!("{xml}<saml:Attribute Name=\"n{n}\"></saml:Attribute>")
        })
    };
    accepted(&[("<saml:AttributeStatement>", &names(254))]);
    assert_eq!(
        refused(&[("<saml:AttributeStatement>", &names(255))]),
        SamlRefusal::TooManyAttributes
    );
}

#[test]
fn an_empty_audience_is_nobodys() {
    let empty = [("<saml:Audience>urn:sp<", "<saml:Audience><")];
    let refusal = verified(&empty, |expected| expected.sp_entity_id = "");
    assert_eq!(refusal.unwrap_err(), SamlRefusal::AudienceMismatch);
}

#[test]
fn no_changed_byte_changes_what_is_asserted() {
    let idp = idp();
    let genuine = sign(&genuine_response(), "a1", &idp.key);
    let verify = |xml: &[u8]| {
        let now = NOW.parse().unwrap();
        verify_response(xml, &expectation(&idp.trust), now, &mut Steps::default())
    };
    let asserted = verify(genuine.as_bytes()).unwrap();
    let replacements = [
        b'<', b'"', b' ', b'&', b'0', b'a', b'/', b'>', b':', 0, 0xff,
    ];
    for position in 0..genuine.len() {
        let mut changed = genuine.clone().into_bytes();
        changed[position] = match replacements[position % replacements.len()] {
            same if same == changed[position] => b'z',
            other => other,
        };
        if let Ok(other) = verify(&changed) {
            assert_eq!(other, asserted, "byte {position}");
        }
    }
}

#[test]
fn a_second_assertion_or_a_second_response_is_never_read() {
    let idp = idp();
    let genuine = sign(&genuine_response(), "a1", &idp.key);
    let evil = genuine_response()
        .replace("ada@", "eve@")
        .replace("a1", "a2")
        .replace("r1", "r2");
    let (start, end) = (
        evil.find("<saml:Assertion").unwrap(),
        evil.find("</samlp:Response>").unwrap(),
    );
    let evil = &evil[start..end];
    let verify = |xml: String| {
        let now = NOW.parse().unwrap();
        verify_response(
            xml.as_bytes(),
            &expectation(&idp.trust),
            now,
            &mut Steps::default(),
        )
        .unwrap_err()
    };
    for (place, leaf) in [
        ("<saml:Assertion", SamlRefusal::AssertionsSeveral),
        ("</samlp:Response>", SamlRefusal::AssertionsSeveral),
        ("</saml:Assertion>", SamlRefusal::AssertionMisplaced),
        ("</samlp:Status>", SamlRefusal::AssertionMisplaced),
        ("</saml:AttributeValue>", SamlRefusal::AssertionMisplaced),
        (
            "</saml:SubjectConfirmationData>",
            SamlRefusal::AssertionMisplaced,
        ),
    ] {
        let at = genuine.find(place).unwrap();
        assert_eq!(
            verify(format!("{}{evil}{}", &genuine[..at], &genuine[at..])),
            leaf,
            "{place}"
        );
    }
}
