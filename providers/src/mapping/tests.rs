use super::*;
use crate::saml::signature::Signed;
use crate::spec::Spec;

const PERSISTENT: Option<&str> = Some(format::PERSISTENT);

fn asserted(name_id: impl Into<Option<NameId>>, attributes: &[(&str, &[&str])]) -> Asserted {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Asserted {
        signed: Signed::Assertion,
        id: "a1".to_owned(),
        issuer: "https://idp.example".to_owned(),
        name_id: name_id.into(),
        attributes: attributes
            .iter()
            .map(|(name, values)| ((*name).to_owned(), owned(values)))
            .collect(),
        authenticated_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        context: None,
        session_index: None,
        valid_until: "2026-01-02T03:09:05Z".parse().unwrap(),
        decrypted_with: None,
    }
}

fn name_id(value: &str, format: Option<&str>, name_qualifier: Option<&str>) -> NameId {
    NameId {
        value: value.to_owned(),
        format: format.map(str::to_owned),
        name_qualifier: name_qualifier.map(str::to_owned),
        sp_name_qualifier: Some("urn:sp".to_owned()),
    }
}

fn mapped(asserted: &Asserted, options: &SamlOptions) -> Result<Profile, Refusal> {
    profile(asserted, Spec::of("saml:custom").unwrap(), options)
}

fn subject_of(name_id: NameId) -> String {
    mapped(&asserted(name_id, &[]), &SamlOptions::default())
        .unwrap()
        .subject
}

fn by_attribute(name: &str, attributes: &[(&str, &[&str])]) -> Result<Profile, Refusal> {
    let options = SamlOptions {
        user_id_key_attr: Some(name.to_owned()),
        ..SamlOptions::default()
    };
    mapped(
        &asserted(name_id("nobody", None, None), attributes),
        &options,
    )
}

#[test]
fn the_fields_of_a_person_are_found_by_the_specs_names() {
    let asserted = asserted(
        name_id("u-1", PERSISTENT, None),
        &[
            (
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
                &["ada@example.com"],
            ),
            ("givenName", &["Ada"]),
            ("sn", &["Lovelace"]),
            ("displayName", &["Ada Lovelace"]),
            ("memberOf", &["staff", "", "admins"]),
        ],
    );
    let profile = mapped(&asserted, &SamlOptions::default()).unwrap();
    assert_eq!(profile.subject, "u-1");
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.given_name.as_deref(), Some("Ada"));
    assert_eq!(profile.family_name.as_deref(), Some("Lovelace"));
    assert_eq!(profile.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(profile.groups, ["staff", "admins"]);
}

#[test]
fn the_connections_own_names_come_first() {
    let options = SamlOptions {
        email_key_attr: Some("workMail".to_owned()),
        first_name_key_attr: Some("vorname".to_owned()),
        last_name_key_attr: Some("missing".to_owned()),
        ..SamlOptions::default()
    };
    let attributes: &[(&str, &[&str])] = &[
        ("workMail", &["own@example.com"]),
        ("email", &["other@example.com"]),
        ("vorname", &["Ada"]),
        ("sn", &["L"]),
    ];
    let profile = mapped(&asserted(name_id("u", None, None), attributes), &options).unwrap();
    assert_eq!(profile.email.as_deref(), Some("own@example.com"));
    assert_eq!(profile.given_name.as_deref(), Some("Ada"));
    assert_eq!(profile.family_name.as_deref(), Some("L"));
}

#[test]
fn a_second_value_makes_a_field_unusable_and_the_note_says_so() {
    let attributes: &[(&str, &[&str])] = &[
        ("email", &["ada@example.com", "eve@example.com"]),
        ("mail", &["eve@example.com"]),
        ("sn", &["L", "L"]),
    ];
    let id = name_id("ada@example.com", Some(format::EMAIL), None);
    let profile = mapped(&asserted(id, attributes), &SamlOptions::default()).unwrap();
    // Neither another name nor the NameID steps in: the identity provider contradicts itself.
    assert_eq!(profile.email, None);
    assert_eq!(profile.family_name.as_deref(), Some("L"));
    assert!(
        profile.note.contains("email unusable: email has 2 values"),
        "{}",
        profile.note
    );
}

#[test]
fn what_is_no_address_is_no_email() {
    for bad in [
        "ada",
        "@example.com",
        "ada@",
        "a@b@c",
        "a b@example.com",
        "a\u{202e}@example.com",
        "a\u{0}@example.com",
        &format!("{}@e.com", "a".repeat(254)),
    ] {
        let profile = mapped(
            &asserted(name_id("u", None, None), &[("email", &[bad])]),
            &SamlOptions::default(),
        );
        assert_eq!(profile.unwrap().email, None, "{bad:?}");
    }
}

#[test]
fn an_email_name_id_gives_the_address_when_no_attribute_does() {
    let email = |format| {
        let asserted = asserted(name_id("ada@example.com", format, None), &[]);
        mapped(&asserted, &SamlOptions::default()).unwrap().email
    };
    assert_eq!(
        email(Some(format::EMAIL)).as_deref(),
        Some("ada@example.com")
    );
    assert_eq!(email(PERSISTENT), None);
    assert_eq!(email(None), None);
}

#[test]
fn a_person_is_never_keyed_by_a_transient_name_id() {
    let transient = asserted(
        name_id("x", Some(format::TRANSIENT), None),
        &[("uid", &["ada"])],
    );
    assert_eq!(
        mapped(&transient, &SamlOptions::default()).unwrap_err(),
        SamlRefusal::NameIdTransient
    );
    let options = SamlOptions {
        user_id_key_attr: Some("uid".to_owned()),
        ..SamlOptions::default()
    };
    assert_eq!(mapped(&transient, &options).unwrap().subject, "ada");
}

#[test]
fn without_a_name_id_nobody_is_named() {
    assert_eq!(
        mapped(&asserted(None, &[]), &SamlOptions::default()).unwrap_err(),
        SamlRefusal::NameIdMissing
    );
}

#[test]
fn a_foreign_qualifier_makes_another_person() {
    let subjects = [
        subject_of(name_id("u", PERSISTENT, None)),
        subject_of(name_id("u", PERSISTENT, Some("https://other.example"))),
        subject_of(name_id("x!u", PERSISTENT, None)),
        subject_of(name_id("u", PERSISTENT, Some("x"))),
        subject_of(name_id("!x!u", PERSISTENT, None)),
        subject_of(name_id("u", PERSISTENT, Some("!x"))),
        subject_of(name_id("u", PERSISTENT, Some("%21x"))),
    ];
    let distinct: std::collections::BTreeSet<_> = subjects.iter().collect();
    assert_eq!(distinct.len(), subjects.len(), "{subjects:?}");
}

#[test]
fn naming_the_default_qualifiers_changes_nothing() {
    assert_eq!(
        subject_of(name_id("u", PERSISTENT, Some("https://idp.example"))),
        "u"
    );
    assert_eq!(
        subject_of(name_id(
            "u",
            Some("urn:unspecified"),
            Some("https://other.example")
        )),
        "u"
    );
}

#[test]
fn a_subject_attribute_has_exactly_one_plain_value() {
    assert_eq!(
        by_attribute("uid", &[("uid", &["ada"])]).unwrap().subject,
        "ada"
    );
    assert_eq!(
        by_attribute("uid", &[("uid", &["ada", "ada"])])
            .unwrap()
            .subject,
        "ada"
    );
    assert_eq!(
        by_attribute("uid", &[("UID", &["ada"])]).unwrap_err(),
        SamlRefusal::SubjectAttributeMissing
    );
    assert_eq!(
        by_attribute("uid", &[("uid", &[""])]).unwrap_err(),
        SamlRefusal::SubjectAttributeMissing
    );
    for bad in [&["ada", "eve"][..], &["a\u{200b}da"], &["a\nda"]] {
        assert_eq!(
            by_attribute("uid", &[("uid", bad)]).unwrap_err(),
            SamlRefusal::SubjectAttributeInvalid,
            "{bad:?}"
        );
    }
}

#[test]
fn the_name_identifier_claim_means_the_name_id_unless_it_is_sent() {
    assert_eq!(by_attribute(NAME_ID_CLAIM, &[]).unwrap().subject, "nobody");
    assert_eq!(
        by_attribute(NAME_ID_CLAIM, &[(NAME_ID_CLAIM, &["ada"])])
            .unwrap()
            .subject,
        "ada"
    );
}

#[test]
fn a_name_in_another_case_is_another_name_and_the_note_says_which_was_sent() {
    let options = SamlOptions {
        email_key_attr: Some("Email".to_owned()),
        ..SamlOptions::default()
    };
    let id = || name_id("u", None, None);
    let sent = asserted(id(), &[("EMAIL", &["ada@example.com"])]);
    let profile = mapped(&sent, &options).unwrap();
    assert_eq!(profile.email, None);
    let says = "saml_email_key_attr names “Email”, and “EMAIL” was sent: upper and lower case are different names";
    assert!(profile.note.contains(says), "{}", profile.note);
    // Another name that carries it decides, and the slip is told all the same.
    let sent = asserted(id(), &[("mail", &["ada@example.com"])]);
    let profile = mapped(&sent, &options).unwrap();
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert!(
        profile
            .note
            .contains("names “Email”, and the nearest name that was sent is “mail”"),
        "{}",
        profile.note
    );
}

#[test]
fn a_name_is_matched_in_its_format_where_the_rule_states_one() {
    let mut spec = Spec::of("saml:custom").unwrap().clone();
    let basic = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic";
    spec.attributes.email.names = vec![Name {
        name: "mail".to_owned(),
        format: Some(basic.to_owned()),
    }];
    let email = |format: Option<&str>| {
        let mut sent = asserted(name_id("u", None, None), &[]);
        sent.attributes = vec![crate::released::Attribute {
            name: "mail".to_owned(),
            name_format: format.map(str::to_owned),
            friendly_name: None,
            values: vec!["ada@example.com".to_owned()],
        }]
        .into();
        profile(&sent, &spec, &SamlOptions::default())
            .unwrap()
            .email
    };
    assert_eq!(email(Some(basic)).as_deref(), Some("ada@example.com"));
    assert_eq!(email(None), None);
    assert_eq!(
        email(Some("urn:oasis:names:tc:SAML:2.0:attrname-format:uri")),
        None
    );
}

#[test]
fn an_empty_value_is_none_and_the_note_says_so() {
    let sent = asserted(
        name_id("u", None, None),
        &[("email", &[""]), ("sn", &["", "L"])],
    );
    let profile = mapped(&sent, &SamlOptions::default()).unwrap();
    assert_eq!(
        (profile.email, profile.family_name.as_deref()),
        (None, Some("L"))
    );
    assert!(
        profile
            .note
            .contains("no email: “email” was sent without a value"),
        "{}",
        profile.note
    );
}

#[test]
fn groups_that_were_too_many_to_be_sent_are_told() {
    let link = "http://schemas.microsoft.com/claims/groups.link";
    let sent = asserted(
        name_id("u", None, None),
        &[(link, &["https://graph.windows.net/x/groups"])],
    );
    let told = |strategy: &str| {
        let spec = Spec::of(strategy).unwrap();
        let profile = profile(&sent, spec, &SamlOptions::default()).unwrap();
        assert!(profile.groups.is_empty());
        profile.note
    };
    let note = told("saml:microsoft");
    assert!(
        note.contains(&format!(
            "no groups: {link} came instead: the person is in more than 150"
        )),
        "{note}"
    );
    assert!(note.ends_with("under “Attributes & Claims”"), "{note}");
    assert!(!told("saml:okta").contains("came instead"));
}

#[test]
fn a_missing_attribute_of_the_subject_names_what_was_sent_instead() {
    let missing = |attributes: &[(&str, &[&str])]| {
        let evidence = by_attribute("employeeNumber", attributes)
            .unwrap_err()
            .evidence();
        assert_eq!(evidence.expected.as_deref(), Some("employeeNumber"));
        evidence.found.unwrap()
    };
    assert_eq!(missing(&[]), "no attribute");
    assert_eq!(
        missing(&[("groups", &["a"]), ("sn", &["L"])]),
        "“groups”, “sn”"
    );
    assert_eq!(
        missing(&[("sn", &["L"]), ("EmployeeNumber", &["7"])]),
        "“EmployeeNumber”"
    );
    assert_eq!(
        missing(&[("employeeNumber", &[""])]),
        "“employeeNumber” without a value"
    );
}

#[test]
fn one_unusable_field_takes_no_other_with_it() {
    let attributes: &[(&str, &[&str])] = &[
        ("email", &["ada@example.com", "eve@example.com"]),
        ("givenName", &["Ada"]),
        ("groups", &["a", "b"]),
    ];
    let profile = mapped(
        &asserted(name_id("u", None, None), attributes),
        &SamlOptions::default(),
    );
    let profile = profile.unwrap();
    assert_eq!(profile.email, None);
    assert_eq!(profile.given_name.as_deref(), Some("Ada"));
    assert_eq!(profile.groups, ["a", "b"]);
}
