//! Status, Issuer, Destination, InResponseTo.

use super::*;

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
fn a_refusal_without_words_is_quoted_by_its_code_alone() {
    let success =
        "\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>";
    let silent = "\"urn:vendor:busy\"></samlp:StatusCode><samlp:StatusMessage></samlp:StatusMessage></samlp:Status>";
    let refusal = refused(&[(success, silent)]);
    assert_eq!(refusal, SamlRefusal::StatusOther);
    let evidence = refusal.evidence();
    assert_eq!(evidence.found.as_deref(), Some("urn:vendor:busy"));
    assert_eq!(evidence.detail, None);
}

#[test]
fn only_the_whole_uri_is_a_success() {
    let edit = [("urn:oasis:names:tc:SAML:2.0:status:Success", "Success")];
    assert_eq!(refused(&edit), SamlRefusal::StatusOther);
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
    // Unsigned, it may leave it out (SAML profiles 4.1.4.2).
    assert_eq!(accepted(&[(issuer, "")]).issuer, "https://idp.example");
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
