//! NameID and attributes.

use super::*;

#[test]
fn without_a_name_id_an_attribute_may_name_the_person() {
    let name_id = r#"<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">ada@example.com</saml:NameID>"#;
    assert_eq!(accepted(&[(name_id, "")]).name_id, None);
}

#[test]
fn a_name_id_that_cannot_name_anybody_is_refused() {
    for name in [
        "",
        " ",
        "a\u{202e}b",
        "a\u{200b}b",
        "a\u{ad}b",
        "a\u{e0041}b",
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
    // An empty qualifier is how some write none.
    let unqualified = of("persistent", "").unwrap().name_id.unwrap();
    assert_eq!(unqualified.sp_name_qualifier, None);
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
        let groups = accepted(&[(value, to)]).attributes;
        let groups = groups.values("groups").into_iter().map(str::to_owned);
        groups.collect::<Vec<_>>()
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
    let two = "<saml:AttributeValue><saml:NameID>a</saml:NameID><saml:NameID>b</saml:NameID></saml:AttributeValue>";
    assert_eq!(read(two), ["admins"]);
    let mixed = "<saml:AttributeValue>a<x xmlns=\"urn:x\">b</x></saml:AttributeValue>";
    assert_eq!(read(mixed), ["admins"]);
    let smuggled = "<saml:AttributeValue>a<saml:NameID>b</saml:NameID></saml:AttributeValue>";
    assert_eq!(read(smuggled), ["admins"]);
}

#[test]
fn attributes_are_merged_by_name_over_statements() {
    let more = "</saml:AttributeStatement><saml:AttributeStatement><saml:Attribute Name=\"groups\"><saml:AttributeValue>c</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>";
    let asserted = accepted(&[("</saml:AttributeStatement>", more)]);
    assert_eq!(
        asserted.attributes.values("groups"),
        ["staff", "admins", "c"]
    );
    assert_eq!(asserted.attributes.len(), 2);
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
    // The same name again, in a statement of its own: each value counts once.
    let again = |count: usize| {
        format!(
            "</saml:AttributeStatement><saml:AttributeStatement><saml:Attribute Name=\"groups\">{}</saml:Attribute></saml:AttributeStatement>",
            values(count)
        )
    };
    let half = (value, values(999));
    let end = "</saml:AttributeStatement>";
    accepted(&[(half.0, &half.1), (end, &again(999))]);
    assert_eq!(
        refused(&[(half.0, &half.1), (end, &again(1_000))]),
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
