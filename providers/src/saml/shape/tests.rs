use super::*;
use crate::saml::test_signer::{SAML, SAMLP, assertion, response};
use crate::saml::xml::Mode;

fn refusal(xml: &str) -> Refusal {
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    ResponseShape::of(&document).expect_err(xml)
}

fn accepts(xml: &str) -> bool {
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    ResponseShape::of(&document).is_ok()
}

/// A response whose assertion holds, or is followed by, what is given.
fn with(inside: &str, behind: &str) -> String {
    response("alice")
        .replace("</saml:Subject>", &format!("</saml:Subject>{inside}"))
        .replace("</samlp:Response>", &format!("{behind}</samlp:Response>"))
}

#[test]
fn the_ordinary_shape_is_found() {
    let xml = response("alice");
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    let shape = ResponseShape::of(&document).unwrap();
    assert_eq!(shape.assertion.unwrap().attribute("ID"), Some("a1"));
    assert!(shape.encrypted.is_none());
}

#[test]
fn other_roots_are_refused() {
    for xml in [
        "<Response ID='r' Version='2.0'/>".to_owned(),
        format!("<samlp:LogoutResponse {SAMLP} ID='r' Version='2.0'/>"),
        "<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:1.0:protocol' ID='r'/>".to_owned(),
        assertion("a1", "alice"),
    ] {
        assert_eq!(refusal(&xml), SamlRefusal::ResponseExpected, "{xml}");
    }
}

#[test]
fn other_versions_are_refused() {
    for version in ["1.1", "2.1", "2", "", "2.0 "] {
        let xml =
            response("alice").replacen("Version=\"2.0\"", &format!("Version=\"{version}\""), 1);
        assert_eq!(refusal(&xml), SamlRefusal::VersionUnsupported);
    }
    let assertion_only =
        response("alice").replace("Version=\"2.0\"><saml:Issuer>", "><saml:Issuer>");
    assert_eq!(refusal(&assertion_only), SamlRefusal::VersionUnsupported);
}

#[test]
fn a_nested_response_is_refused() {
    let nested = format!(
        "<samlp:Extensions>{}</samlp:Extensions>",
        response("mallory")
    );
    assert_eq!(refusal(&with("", &nested)), SamlRefusal::ResponseNested);
}

#[test]
fn several_assertions_are_refused() {
    assert_eq!(
        refusal(&with("", &assertion("a2", "mallory"))),
        SamlRefusal::AssertionsSeveral
    );
    let encrypted = format!("<saml:EncryptedAssertion {SAML}></saml:EncryptedAssertion>");
    assert_eq!(
        refusal(&with("", &encrypted)),
        SamlRefusal::AssertionsSeveral
    );
}

#[test]
fn an_assertion_elsewhere_is_refused() {
    let evil = assertion("a2", "mallory");
    for place in [
        format!("<saml:Advice>{evil}</saml:Advice>"),
        format!(
            "<saml:AttributeStatement><saml:Attribute><saml:AttributeValue>{evil}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
        ),
        format!(
            "<saml:Advice><saml:EncryptedAssertion>{evil}</saml:EncryptedAssertion></saml:Advice>"
        ),
        evil.clone(),
    ] {
        assert_eq!(
            refusal(&with(&place, "")),
            SamlRefusal::AssertionMisplaced,
            "{place}"
        );
    }
    for place in ["samlp:Extensions", "samlp:StatusDetail"] {
        let xml = with("", &format!("<{place}>{evil}</{place}>"));
        assert_eq!(refusal(&xml), SamlRefusal::AssertionMisplaced);
    }
}

#[test]
fn a_signature_elsewhere_is_refused() {
    let ds = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'></ds:Signature>";
    let inside = with(&format!("<saml:Advice>{ds}</saml:Advice>"), "");
    assert_eq!(refusal(&inside), SamlRefusal::SignatureMisplaced);
    let behind = with("", &format!("<samlp:Extensions>{ds}</samlp:Extensions>"));
    assert_eq!(refusal(&behind), SamlRefusal::SignatureMisplaced);
    assert_eq!(
        refusal(&with("", &format!("{ds}{ds}"))),
        SamlRefusal::SignaturesSeveral
    );
    assert_eq!(
        refusal(&with(&format!("{ds}{ds}"), "")),
        SamlRefusal::SignaturesSeveral
    );
    let nested = ds.replace("></", &format!(">{ds}</"));
    assert_eq!(refusal(&with("", &nested)), SamlRefusal::SignatureMisplaced);
}

#[test]
fn nothing_else_may_look_like_an_id() {
    let pollute = |element: &str, attribute: &str| {
        response("alice").replacen(
            &format!("<{element}"),
            &format!("<{element} {attribute}"),
            1,
        )
    };
    for (element, attribute) in [
        ("samlp:Response", "samlp:ID='x'"),
        ("samlp:Response", "Id='x'"),
        ("samlp:Response", "xml:id='x'"),
        ("saml:Assertion", "id='x'"),
        ("saml:Assertion", "xml:id='a1'"),
        ("saml:Subject", "ID='x'"),
        ("saml:NameID", "Id='x'"),
        ("samlp:Status", "id='x'"),
        ("samlp:StatusCode", "iD='x'"),
    ] {
        assert_eq!(
            refusal(&pollute(element, attribute)),
            SamlRefusal::IdPolluted,
            "{element} {attribute}"
        );
    }
    let value = |attribute: &str| {
        with(
            &format!("<saml:AttributeValue><f xmlns='u:f' {attribute}></f></saml:AttributeValue>"),
            "",
        )
    };
    assert!(accepts(&value("id='x'")));
    assert_eq!(refusal(&value("xml:id='x'")), SamlRefusal::IdPolluted);
    assert_eq!(refusal(&value("id='a1'")), SamlRefusal::IdRepeated);
}

#[test]
fn ids_are_there_and_unique() {
    assert_eq!(
        refusal(&response("alice").replace("ID=\"a1\"", "ID=\"r1\"")),
        SamlRefusal::IdRepeated
    );
    assert_eq!(
        refusal(&response("alice").replace(" ID=\"a1\"", "")),
        SamlRefusal::IdMissing
    );
    assert_eq!(
        refusal(&response("alice").replace(" ID=\"r1\"", "")),
        SamlRefusal::IdMissing
    );
    assert_eq!(
        refusal(&response("alice").replace("ID=\"r1\"", "ID=\"\"")),
        SamlRefusal::IdMissing
    );
    let ds = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#' Id='a1'></ds:Signature>";
    assert_eq!(refusal(&with("", ds)), SamlRefusal::IdRepeated);
}
