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
        ("saml:Issuer", "ID='x'"),
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

/// XML Signature and XML Encryption spell theirs `Id`.
#[test]
fn signatures_and_encrypted_data_have_an_id_of_their_own_spelling() {
    let signature = |attribute: &str| {
        let ds = format!(
            "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#' {attribute}></ds:Signature>"
        );
        with("", &ds)
    };
    let encrypted = |attribute: &str| {
        let data = format!(
            "<e:EncryptedData xmlns:e='http://www.w3.org/2001/04/xmlenc#' {attribute}></e:EncryptedData>"
        );
        with(&format!("<saml:Advice>{data}</saml:Advice>"), "")
    };
    for attribute in ["ID='x'", "id='x'", "xml:id='x'"] {
        assert_eq!(refusal(&signature(attribute)), SamlRefusal::IdPolluted);
        assert_eq!(refusal(&encrypted(attribute)), SamlRefusal::IdPolluted);
    }
    assert!(accepts(&signature("Id='x'")) && accepts(&encrypted("Id='x'")));
}

/// Metadata may stand in the extensions of a response (SAML metadata 2.3.2, 2.4.1).
#[test]
fn in_metadata_the_descriptors_alone_have_an_id() {
    let check = |name: &str, attribute: &str| {
        let metadata = "urn:oasis:names:tc:SAML:2.0:metadata";
        let xml = format!("<{name} xmlns='{metadata}' {attribute}='x'/>");
        let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
        check_ids(document.root())
    };
    for name in [
        "EntityDescriptor",
        "EntitiesDescriptor",
        "AffiliationDescriptor",
        "RoleDescriptor",
        "IDPSSODescriptor",
        "SPSSODescriptor",
        "AuthnAuthorityDescriptor",
        "AttributeAuthorityDescriptor",
        "PDPDescriptor",
    ] {
        assert_eq!(check(name, "ID"), Ok(()), "{name}");
        for attribute in ["Id", "id", "xml:id"] {
            let refusal = check(name, attribute).unwrap_err();
            assert_eq!(refusal, SamlRefusal::IdPolluted, "{name} {attribute}");
        }
    }
    for name in ["KeyDescriptor", "Organization", "SSODescriptors"] {
        let refusal = check(name, "ID").unwrap_err();
        assert_eq!(refusal, SamlRefusal::IdPolluted, "{name}");
    }
}

/// They are data there, and nothing reads them.
#[test]
fn a_foreign_vocabulary_may_use_the_names_of_ours() {
    for name in ["Response", "Assertion", "EncryptedAssertion", "Signature"] {
        let value = format!("<saml:AttributeValue><{name} xmlns='u:f'/></saml:AttributeValue>");
        assert!(accepts(&with(&value, "")), "{name}");
        let extension = format!("<samlp:Extensions><{name} xmlns='u:f'/></samlp:Extensions>");
        assert!(accepts(&with("", &extension)), "{name}");
    }
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

#[test]
fn an_id_is_a_name() {
    for id in [
        "2.0", "-a", ".a", "a b", " a1", "a:1", "1", "\u{e9}", "a\u{e9}", "#a",
    ] {
        let xml = response("alice").replace("ID=\"a1\"", &format!("ID=\"{id}\""));
        assert_eq!(refusal(&xml), SamlRefusal::IdMissing, "{id}");
        let xml = response("alice").replace("ID=\"r1\"", &format!("ID=\"{id}\""));
        assert_eq!(refusal(&xml), SamlRefusal::IdMissing, "{id}");
    }
    for id in ["_", "_1", "a-1.b_c", "A"] {
        assert!(accepts(
            &response("alice").replace("ID=\"a1\"", &format!("ID=\"{id}\""))
        ));
    }
}

#[test]
fn more_ids_than_any_product_writes_are_refused() {
    let many = |count: usize| {
        let id = |id: usize| format!("<f xmlns='u:f' id='i{id}'/>");
        let ids = (0..count).map(id).collect::<Vec<_>>().concat();
        with(
            &format!("<saml:AttributeValue>{ids}</saml:AttributeValue>"),
            "",
        )
    };
    assert!(accepts(&many(MOST_IDS - 2)));
    assert_eq!(refusal(&many(MOST_IDS - 1)), SamlRefusal::XmlLimit);
}
