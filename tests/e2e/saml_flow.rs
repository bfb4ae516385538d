//! SAML logins against the lab's identity provider, honest and not.

use std::collections::HashSet;

use fedgate_lab::key::KeyKind;
use fedgate_lab::person;
use fedgate_lab::saml_idp::{Lie, ResponseParameters};
use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::command;
use fedgate_tests::ending::{Ending, check_refusal, check_trace};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::proved;
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

/// One login after the other is refused here, faster than anybody's rate.
pub(crate) const FAST: &str =
    "[limits]\ntraces_per_second = 1000000\ntraces_per_connection = 100000\n";

/// What every lie comes to, with the pending login at hand.
const REFUSED: &[(Lie, &str)] = &[
    (Lie::WrongAudience, "saml.audience_mismatch"),
    (Lie::NoAudience, "saml.audience_missing"),
    (Lie::WrongRecipient, "saml.recipient_mismatch"),
    (Lie::NoRecipient, "saml.recipient_missing"),
    (Lie::WrongDestination, "saml.destination_mismatch"),
    (Lie::NoDestination, "saml.destination_missing"),
    (Lie::WrongIssuer, "saml.issuer_mismatch"),
    (Lie::NoIssuer, "saml.issuer_missing"),
    (Lie::IssuerFormat, "saml.issuer_format"),
    (Lie::Unsigned, "saml.signature_missing"),
    (Lie::RolledKey, "saml.key_unknown"),
    (Lie::TamperedAfterSigning, "saml.digest_mismatch"),
    (Lie::TamperedSignature, "saml.signature_invalid"),
    (Lie::Sha1, "saml.algorithm_forbidden"),
    (Lie::ExtraTransform, "saml.signature_profile"),
    (Lie::SignatureMisplaced, "saml.signature_misplaced"),
    (Lie::TwoSignatures, "saml.signatures_several"),
    (Lie::Encrypted, "saml.decryption_failed"),
    (Lie::EncryptedCbc, "saml.encryption_algorithm"),
    (Lie::Expired, "saml.expired"),
    (Lie::NotYetValid, "saml.not_yet_valid"),
    (Lie::ConfirmationExpired, "saml.confirmation_expired"),
    (Lie::ClockSkew, "saml.not_yet_valid"),
    (Lie::OldIssueInstant, "saml.issue_instant_too_old"),
    (Lie::LongValidity, "saml.validity_too_long"),
    (Lie::MalformedTime, "saml.time_malformed"),
    (Lie::SessionExpired, "saml.session_expired"),
    (Lie::FutureAuthnInstant, "saml.authn_instant_future"),
    (Lie::LostInResponseTo, "saml.in_response_to_mismatch"),
    (Lie::NoInResponseTo, "saml.in_response_to_missing"),
    (
        Lie::ConfirmationInResponseTo,
        "saml.confirmation_in_response_to",
    ),
    (Lie::Cancelled, "saml.status_request_denied"),
    (Lie::AuthnFailed, "saml.status_authn_failed"),
    (Lie::UnknownPrincipal, "saml.status_unknown_principal"),
    (Lie::NoPassive, "saml.status_no_passive"),
    (Lie::NoAuthnContext, "saml.status_no_authn_context"),
    (
        Lie::InvalidNameIdPolicy,
        "saml.status_invalid_name_id_policy",
    ),
    (Lie::RequestUnsupported, "saml.status_unsupported"),
    (Lie::Requester, "saml.status_requester"),
    (Lie::Responder, "saml.status_responder"),
    (Lie::OtherStatus, "saml.status_other"),
    (Lie::NoStatus, "saml.status_missing"),
    (Lie::NoAssertion, "saml.assertion_missing"),
    (Lie::TwoAssertions, "saml.assertions_several"),
    (Lie::MisplacedAssertion, "saml.assertion_misplaced"),
    (Lie::NestedResponse, "saml.response_nested"),
    (Lie::OtherMessage, "saml.response_expected"),
    (Lie::OldVersion, "saml.version_unsupported"),
    (Lie::RepeatedId, "saml.id_repeated"),
    (Lie::NoId, "saml.id_missing"),
    (Lie::PollutedId, "saml.id_polluted"),
    (Lie::NoConditions, "saml.conditions_missing"),
    (Lie::TwoConditions, "saml.assertion_malformed"),
    (Lie::UnknownCondition, "saml.condition_unknown"),
    (Lie::ProxyRestriction, "saml.proxy_restricted"),
    (Lie::NoSubject, "saml.subject_missing"),
    (Lie::HolderOfKey, "saml.confirmation_missing"),
    (Lie::ConfirmationNotBefore, "saml.confirmation_not_before"),
    (Lie::NoConfirmationEnd, "saml.confirmation_end_missing"),
    (Lie::NoStatement, "saml.statement_missing"),
    (Lie::NoNameId, "saml.name_id_missing"),
    (Lie::EmptyNameId, "saml.name_id_invalid"),
    (Lie::TransientNameId, "saml.name_id_transient"),
    (Lie::WrongQualifier, "saml.name_qualifier_mismatch"),
    (Lie::EncryptedId, "saml.encrypted_id"),
    (Lie::EncryptedAttribute, "saml.encrypted_attribute"),
    (Lie::ManyAttributes, "saml.too_many_attributes"),
    (Lie::CommentInNameId, "saml.xml_comment"),
    (Lie::Doctype, "saml.xml_doctype"),
    (
        Lie::ProcessingInstruction,
        "saml.xml_processing_instruction",
    ),
    (Lie::Cdata, "saml.xml_cdata"),
    (Lie::UnknownEntity, "saml.xml_entity"),
    (Lie::UnboundPrefix, "saml.xml_namespace"),
    (Lie::Malformed, "saml.xml_malformed"),
    (Lie::Utf16, "saml.xml_encoding"),
    (Lie::Deep, "saml.xml_limit"),
    (Lie::NoField, "saml.response_missing"),
    (Lie::FieldTwice, "saml.field_repeated"),
    (Lie::BrokenBase64, "saml.base64_invalid"),
    (Lie::CutBase64, "saml.base64_truncated"),
    (Lie::Huge, "saml.response_too_large"),
    (Lie::SpnAudience, "saml.audience_mismatch"),
    (Lie::SpnOfAnother, "saml.audience_mismatch"),
    (Lie::CapitalAudience, "saml.audience_mismatch"),
    (Lie::SlashInDestination, "saml.destination_mismatch"),
    (Lie::SlashInRecipient, "saml.recipient_mismatch"),
    (Lie::HostileMessage, "saml.status_request_denied"),
    (Lie::HostileIssuer, "saml.issuer_mismatch"),
];

/// What does not keep anybody out, where nothing stricter was asked.
const ACCEPTED: &[Lie] = &[
    Lie::Honest,
    Lie::ResponseSignedOnly,
    Lie::AssertionSignedOnly,
    Lie::NoRelayState,
    Lie::OldAuthnInstant,
    Lie::WeakContext,
    Lie::NoAttributes,
    Lie::TwoAddresses,
    Lie::ReusedId,
    Lie::EmptyAddress,
    Lie::CapitalNames,
    Lie::GroupsOverage,
    Lie::HostileAttributes,
];

/// What never finds its pending login.
const LOST: &[(Lie, &str)] = &[
    (Lie::LongRelayState, "saml.relay_state_too_long"),
    (Lie::ForeignRelayState, "login.other_browser"),
    (Lie::AnswerByRedirect, "gateway.method_not_allowed"),
];

pub(crate) async fn scene(more: Value) -> (Gateway, SamlUpstream, Connected) {
    let gateway = Gateway::with(FAST).await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, more).await;
    (gateway, idp, connection)
}

pub(crate) async fn login(
    gateway: &Gateway,
    connection: &Connected,
    more: &[(&str, &str)],
    lie: Lie,
) -> Page {
    let mut browser = Browser::new();
    let asked = [&[("connection_id", connection.id.as_str())], more].concat();
    let login = begin(&mut browser, gateway, &asked).await;
    answer(&mut browser, &login, ALICE, lie.name()).await
}

async fn refused(options: Value, lie: Lie, code: &str) {
    let (gateway, _idp, connection) = scene(json!({ "options": options })).await;
    let page = login(&gateway, &connection, &[], lie).await;
    check_refusal(&gateway, &page, code).await.expect(code);
    assert_eq!(gateway.rows().await.sessions, 0);
}

#[test]
fn every_lie_is_tried() {
    let tried = REFUSED.iter().chain(LOST).map(|(lie, _)| *lie);
    let tried: HashSet<Lie> = tried.chain(ACCEPTED.iter().copied()).collect();
    let untried: Vec<_> = Lie::ALL.iter().filter(|lie| !tried.contains(lie)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_an_identity_provider_has_its_code_and_leaves_nothing_behind() {
    let gateway = Gateway::with(FAST).await;
    let idp = SamlUpstream::with(KeyKind::Rsa2048, person::acme()).await;
    let connection = idp.connect(&gateway, json!({})).await;
    let mut amiss = Vec::new();
    for (lie, code) in REFUSED {
        let before = gateway.rows().await;
        let page = login(&gateway, &connection, &[], *lie).await;
        amiss.extend(check_refusal(&gateway, &page, code).await.err());
        if gateway.rows().await != before {
            amiss.push(format!("{code} left rows"));
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_no_harm_signs_in() {
    for lie in ACCEPTED {
        let (gateway, _idp, connection) = scene(json!({})).await;
        let code = Ending::of(&login(&gateway, &connection, &[], *lie).await).code();
        let claims = gateway.redeem(&code).await;
        assert_eq!(
            claims["ext_provider"]["connection_id"],
            connection.id.as_str(),
            "{lie:?}"
        );
        let rows = gateway.rows().await;
        assert_eq!(
            (rows.users, rows.identities, rows.sessions, rows.marks),
            (1, 1, 1, 2),
            "{lie:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_finds_no_login_is_told_without_a_way_into_one() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    for (lie, code) in LOST {
        let refused = Ending::of(&login(&gateway, &connection, &[], *lie).await).refused();
        assert_eq!(
            (refused.code.as_str(), refused.again.as_deref()),
            (*code, None)
        );
        if *lie != Lie::AnswerByRedirect {
            check_trace(&gateway, &refused).await.expect(code);
        }
    }
    assert_eq!(gateway.rows().await.sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_signature_must_be_there() {
    let demanded = json!({"saml_signature_policy": "assertion_signed"});
    refused(
        demanded,
        Lie::ResponseSignedOnly,
        "saml.assertion_not_signed",
    )
    .await;
    let demanded = json!({"saml_signature_policy": "response_signed"});
    refused(
        demanded,
        Lie::AssertionSignedOnly,
        "saml.response_not_signed",
    )
    .await;
    proved!(23, "saml.assertion_not_signed");
    proved!(23, "saml.response_not_signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_names_the_subject_must_be_one_plain_value() {
    let by_number = json!({"saml_user_id_key_attr": "employeeNumber"});
    refused(by_number, Lie::Honest, "saml.subject_attribute_missing").await;
    let by_address = json!({"saml_user_id_key_attr": "email"});
    refused(
        by_address,
        Lie::TwoAddresses,
        "saml.subject_attribute_invalid",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_a_little_ahead_is_told_by_the_issue_instant() {
    let (gateway, idp, connection) = scene(json!({})).await;
    idp.clock.step(90);
    let page = login(&gateway, &connection, &[], Lie::Honest).await;
    check_refusal(&gateway, &page, "saml.issue_instant_future")
        .await
        .expect("refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_of_the_application_that_was_not_met_is_told_to_it() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let page = login(
        &gateway,
        &connection,
        &[("max_age", "60")],
        Lie::OldAuthnInstant,
    )
    .await;
    assert_eq!(
        Ending::of(&page),
        Ending::told("login_required", "saml.authn_too_old")
    );
    let page = login(
        &gateway,
        &connection,
        &[("prompt", "login")],
        Lie::OldAuthnInstant,
    )
    .await;
    assert_eq!(
        Ending::of(&page),
        Ending::told("login_required", "saml.authn_too_old")
    );
    let page = login(
        &gateway,
        &connection,
        &[("acr_values", "urn:mfa")],
        Lie::WeakContext,
    )
    .await;
    assert_eq!(
        Ending::of(&page),
        Ending::told(
            "unmet_authentication_requirements",
            "saml.authn_context_mismatch"
        )
    );
    assert_eq!(gateway.rows().await.sessions, 0);
    proved!(105, "saml.authn_too_old");
    proved!(106, "saml.authn_context_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_in_the_address_is_refused_though_its_login_is_found() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let mut browser = Browser::new();
    let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    let field = |name: &str| {
        let found = form.fields.iter().find(|(key, _)| key == name);
        found.expect(name).1.clone()
    };
    let mut url = url::Url::parse(&format!(
        "{}/login/callback/{}",
        gateway.base, connection.id
    ))
    .expect("a URL");
    url.query_pairs_mut()
        .append_pair("state", &field("RelayState"))
        .append_pair("SAMLResponse", &field("SAMLResponse"));
    let page = browser.open(url.as_str()).await;
    check_refusal(&gateway, &page, "saml.wrong_binding")
        .await
        .expect("refused");
    // The login is not burnt by it: the genuine answer still completes it.
    Ending::of(&browser.submit(&form, &[]).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_goes_by_post_where_the_connection_says_so() {
    let (gateway, _idp, connection) =
        scene(json!({"options": {"protocol_binding": "HTTP-POST"}})).await;
    Ending::of(&login(&gateway, &connection, &[], Lie::Honest).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_come_through_whole() {
    let (gateway, _idp, connection) =
        scene(json!({"options": {"home_realm_domains": ["acme.test"], "is_trusted": true}})).await;
    let code = Ending::of(&login(&gateway, &connection, &[], Lie::Honest).await).code();
    let claims = gateway.redeem(&code).await;
    assert_eq!(claims["email"], ALICE);
    assert_eq!(claims["email_verified"], true);
    assert_eq!(
        (&claims["given_name"], &claims["family_name"]),
        (&json!("Alice"), &json!("Osei"))
    );
    assert_eq!(
        claims["ext_provider"]["claims"]["groups"],
        json!(["engineering", "admins"])
    );
    assert_eq!(claims["nonce"], "n");
}

/// No connection takes a response that nobody asked for, so that only the command can be told to expect one.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_should_be_unsolicited_names_no_request() {
    let idp = SamlUpstream::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text);
    write("metadata.xml", idp.idp.metadata().expect("metadata")).expect("a file");
    let (audience, acs) = ("urn:sp", "https://sp.test/acs");
    for (asked, code) in [(Some("_1"), Some(1)), (None, Some(0))] {
        let response = idp.idp.response(&ResponseParameters {
            acs,
            audience,
            in_response_to: asked,
            person: &idp.idp.people()[0],
            context: None,
            lie: Lie::Honest,
        });
        write("response", response.expect("a response")).expect("a file");
        let line = "saml verify --metadata metadata.xml --sp-entity-id urn:sp --acs https://sp.test/acs --unsolicited response";
        let line: Vec<_> = line.split(' ').collect();
        let ran = command::run(folder.path(), &line, &[]);
        assert_eq!(ran.code, code, "{}", ran.stdout);
        let refused = ran.stdout.contains("\"saml.in_response_to_unexpected\"");
        assert_eq!(refused, asked.is_some(), "{}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_active_trusts_the_key_that_was_rolled() {
    let gateway = Gateway::start().await;
    let upstream = SamlUpstream::start().await;
    let connection = upstream.connect(&gateway, json!({})).await;
    let by_id = [("connection_id", connection.id.as_str())];
    upstream.idp.roll().expect("a new key");

    let mut browser = gateway.browser();
    let login = begin(&mut browser, &gateway, &by_id).await;
    let page = answer(&mut browser, &login, ALICE, "").await;
    assert_eq!(Ending::of(&page).refused().code, "saml.key_unknown");

    let path = format!("/api/v1/connections/{}", connection.id);
    let asked = gateway.api(Method::PATCH, &path, Some(json!({"status": "active"})));
    assert_eq!(asked.await.0, 200);
    let login = begin(&mut browser, &gateway, &by_id).await;
    let page = answer(&mut browser, &login, ALICE, "").await;
    assert!(!Ending::of(&page).code().is_empty());
}
