//! Conditions and times.

use super::*;

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
                "<saml:ProxyRestriction Count=\" 0 \"></saml:ProxyRestriction><saml:AudienceRestriction>",
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
    let bounds = |instant: &str| refused(&[(issued, instant)]).evidence().expected.unwrap();
    assert_eq!(
        bounds("IssueInstant=\"2026-01-02T03:07:01Z\""),
        "at most 120 seconds from 2026-01-02T03:05:00Z"
    );
    assert_eq!(
        bounds("IssueInstant=\"2026-01-02T02:57:59Z\""),
        "within 420 seconds from 2026-01-02T03:05:00Z"
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
fn a_bearer_of_a_week_is_accepted_and_a_second_more_is_not() {
    let both = |end: &'static str| [("2026-01-02T03:09:00Z", end), ("2026-01-02T03:09:05Z", end)];
    accepted(&both("2026-01-09T03:04:05Z"));
    let refusal = refused(&both("2026-01-09T03:04:06Z"));
    assert_eq!(refusal, SamlRefusal::ValidityTooLong);
}

#[test]
fn an_empty_audience_is_nobodys() {
    let empty = [("<saml:Audience>urn:sp<", "<saml:Audience><")];
    let refusal = verified(&empty, |expected| expected.sp_entity_id = "");
    assert_eq!(refusal.unwrap_err(), SamlRefusal::AudienceMismatch);
}

#[test]
fn an_old_response_around_a_fresh_assertion_is_refused() {
    let of_response = "InResponseTo=\"_request\" IssueInstant=\"2026-01-02T03:04:05Z\"";
    let edit = [(
        of_response,
        "InResponseTo=\"_request\" IssueInstant=\"2026-01-02T02:00:00Z\"",
    )];
    assert_eq!(refused(&edit), SamlRefusal::IssueInstantTooOld);
}

/// A stolen assertion in a wrapper of today, which the thief writes: only the assertion is signed.
#[test]
fn a_fresh_response_around_an_old_assertion_is_refused() {
    let of_assertion = "ID=\"a1\" IssueInstant=\"2026-01-02T03:04:05Z\"";
    all_refused(
        SamlRefusal::IssueInstantTooOld,
        &[(
            of_assertion,
            "ID=\"a1\" IssueInstant=\"2026-01-02T02:57:59Z\"",
        )],
    );
    all_refused(
        SamlRefusal::IssueInstantFuture,
        &[(
            of_assertion,
            "ID=\"a1\" IssueInstant=\"2026-01-02T03:07:01Z\"",
        )],
    );
    all_refused(
        SamlRefusal::AssertionMalformed,
        &[(of_assertion, "ID=\"a1\"")],
    );
}

#[test]
fn an_audience_with_a_prefix_counts_for_the_vendor_that_writes_it_and_for_our_entity_id_alone() {
    let prefixed = |audience: &str, prefix: Option<&'static str>| {
        let edit = format!("<saml:Audience>{audience}<");
        let edits = [("<saml:Audience>urn:sp<", edit.as_str())];
        let refusal = verified(&edits, |expected| expected.audience_prefix = prefix).err();
        refusal.map(|refusal| {
            assert_eq!(refusal, SamlRefusal::AudienceMismatch);
            refusal.evidence().detail
        })
    };
    assert_eq!(prefixed("spn:urn:sp", Some("spn:")), None);
    assert_eq!(prefixed("urn:sp", Some("spn:")), None);
    for other in [
        "spn:urn:other",
        "spn:",
        "SPN:urn:sp",
        "spn:spn:urn:sp",
        "spn: urn:sp",
        "urn:spspn:",
    ] {
        assert_eq!(prefixed(other, Some("spn:")), Some(None), "{other}");
    }
    let writer =
        "Microsoft Entra ID writes it so: a connection of the strategy saml:microsoft takes it";
    assert_eq!(prefixed("spn:urn:sp", None), Some(Some(writer.to_owned())));
    let empty = [("<saml:Audience>urn:sp<", "<saml:Audience>spn:<")];
    let refusal = verified(&empty, |expected| {
        expected.sp_entity_id = "";
        expected.audience_prefix = Some("spn:");
    });
    assert_eq!(refusal.unwrap_err(), SamlRefusal::AudienceMismatch);
}

#[test]
fn attributes_keep_their_order_their_format_and_their_friendly_name() {
    let statement = "<saml:AttributeStatement>";
    let first = format!(
        "{statement}<saml:Attribute FriendlyName=\"mail\" Name=\"urn:oid:0.9\" NameFormat=\"urn:uri\">\
         <saml:AttributeValue>z</saml:AttributeValue><saml:AttributeValue>a</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"urn:oid:0.9\"><saml:AttributeValue>b</saml:AttributeValue></saml:Attribute>"
    );
    let asserted = accepted(&[(statement, &first)]);
    let mut sent = asserted.attributes.iter();
    let (one, two) = (sent.next().unwrap(), sent.next().unwrap());
    assert_eq!(
        (one.name_format.as_deref(), one.friendly_name.as_deref()),
        (Some("urn:uri"), Some("mail"))
    );
    assert_eq!(
        (&one.values[..], &two.values[..]),
        (&["z".to_owned(), "a".to_owned()][..], &["b".to_owned()][..])
    );
    assert_eq!(
        (two.name.as_str(), two.name_format.as_deref()),
        ("urn:oid:0.9", None)
    );
}
