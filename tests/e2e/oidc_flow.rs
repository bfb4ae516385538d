//! OpenID Connect logins against the lab's provider, honest and not.

use std::collections::HashSet;

use fedgate_lab::oidc_op::Lie;
use fedgate_tests::browser::{Browser, Form, Page};
use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::ending::{Ending, check_refusal, check_trace};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, begin};
use fedgate_tests::proved;
use fedgate_tests::upstream::{BOB, Connected, OidcUpstream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::saml_flow::FAST;

/// What every lie comes to, with the pending login at hand, and the attacks of the catalogue that it is.
#[rustfmt::skip]
const REFUSED: &[(Lie, &str, &[u16])] = &[
    (Lie::AccessDenied, "oauth.access_denied", &[44]),
    (Lie::InteractionRequired, "oauth.interaction_required", &[]),
    (Lie::TemporarilyUnavailable, "oauth.upstream_unavailable", &[]),
    (Lie::InvalidScope, "oauth.upstream_error", &[]),
    (Lie::CodeMissing, "oauth.callback_empty", &[]),
    (Lie::CodeTwice, "oauth.callback_duplicate", &[43]),
    (Lie::TokensInCallback, "oauth.callback_tokens", &[42, 45]),
    (Lie::IssMismatchInCallback, "oauth.callback_issuer_mismatch", &[1]),
    (Lie::NoIssInCallback, "oauth.callback_issuer_missing", &[1]),
    (Lie::InvalidClient, "oauth.client_rejected", &[]),
    (Lie::InvalidGrant, "oauth.code_rejected", &[4]),
    (Lie::ServerFailure, "oauth.upstream_unavailable", &[]),
    (Lie::Redirected, "egress.redirect_forbidden", &[25]),
    (Lie::Huge, "egress.too_large", &[53]),
    (Lie::Truncated, "oauth.token_malformed", &[53]),
    (Lie::NotJson, "oauth.token_malformed", &[53]),
    (Lie::NoAccessToken, "oauth.token_malformed", &[]),
    (Lie::NoIdToken, "oidc.id_token_missing", &[]),
    (Lie::NotAToken, "oidc.malformed", &[]),
    (Lie::DuplicateMember, "oidc.duplicate_member", &[21]),
    (Lie::AlgNone, "oidc.algorithm_forbidden", &[11]),
    (Lie::Hs256WithPublicKey, "oidc.algorithm_forbidden", &[12]),
    (Lie::AlgNoneInOtherCase, "oidc.algorithm_forbidden", &[13]),
    (Lie::SignatureOfZeros, "oidc.algorithm_forbidden", &[14]),
    (Lie::KeyIdIsAPath, "oidc.key_unknown", &[15]),
    (Lie::KeyByAddress, "oidc.key_unknown", &[16]),
    (Lie::KeyInHeader, "oidc.key_unknown", &[17]),
    (Lie::Encrypted, "oidc.malformed", &[20]),
    (Lie::Padded, "oidc.malformed", &[22]),
    (Lie::OtherKey, "oidc.key_unknown", &[24]),
    (Lie::OtherKeySameId, "oidc.signature_invalid", &[]),
    (Lie::Tampered, "oidc.signature_invalid", &[]),
    (Lie::CriticalHeader, "oidc.critical_header", &[18]),
    (Lie::WrongType, "oidc.type_mismatch", &[19]),
    (Lie::WrongIssuer, "oidc.issuer_mismatch", &[27]),
    (Lie::WrongAudience, "oidc.audience_mismatch", &[33]),
    (Lie::SeveralAudiences, "oidc.azp_mismatch", &[33]),
    (Lie::OtherParty, "oidc.azp_mismatch", &[33]),
    (Lie::ExpiredToken, "oidc.expired", &[36]),
    (Lie::IssuedInFuture, "oidc.issued_in_future", &[36]),
    (Lie::NotYetValid, "oidc.not_yet_valid", &[36]),
    (Lie::WrongNonce, "oidc.nonce_mismatch", &[3, 10]),
    (Lie::NoNonce, "oidc.nonce_mismatch", &[10]),
    (Lie::WrongAtHash, "oidc.at_hash_mismatch", &[35]),
    (Lie::MissingSubject, "oidc.subject_missing", &[]),
    (Lie::UserinfoRefused, "oidc.userinfo_refused", &[]),
    (Lie::UserinfoMalformed, "oidc.userinfo_malformed", &[]),
    (Lie::OtherSubjectInUserinfo, "oidc.userinfo_subject_mismatch", &[34]),
];

/// What does not keep anybody out, where nothing stricter was asked.
const HARMLESS: &[Lie] = &[
    Lie::Honest,
    Lie::OldAuthentication,
    Lie::NoAuthTime,
    Lie::WeakContext,
    Lie::UnverifiedEmail,
    Lie::UnstatedEmail,
    Lie::VerifiedAsText,
    Lie::NoEmail,
];

/// What never finds its pending login.
const LOST: &[(Lie, &str)] = &[
    (Lie::WrongState, "login.state_unknown"),
    (Lie::NoState, "login.state_missing"),
];

/// Tried beside the limits of time, since it takes as long as they allow.
const ELSEWHERE: &[Lie] = &[Lie::Slow];

async fn scene(more: Value) -> (Gateway, OidcUpstream, Connected) {
    let gateway = Gateway::with(FAST).await;
    let op = OidcUpstream::start().await;
    let connection = op.connect(&gateway, more).await;
    (gateway, op, connection)
}

async fn login(gateway: &Gateway, connection: &Connected, more: &[(&str, &str)], lie: Lie) -> Page {
    let mut browser = Browser::new();
    let asked = [&[("connection_id", connection.id.as_str())], more].concat();
    let login = begin(&mut browser, gateway, &asked).await;
    answer(&mut browser, &login, BOB, lie.name()).await
}

#[test]
fn every_lie_is_tried() {
    let lost = LOST.iter().map(|(lie, _)| *lie);
    let tried = REFUSED.iter().map(|(lie, ..)| *lie).chain(lost);
    let tried: HashSet<Lie> = tried
        .chain(HARMLESS.iter().chain(ELSEWHERE).copied())
        .collect();
    let untried: Vec<_> = Lie::ALL.iter().filter(|lie| !tried.contains(lie)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_a_provider_has_its_code_and_leaves_nothing_behind() {
    let (gateway, _op, connection) = scene(json!({})).await;
    let mut amiss = Vec::new();
    for (lie, code, attacks) in REFUSED {
        let before = gateway.rows().await;
        let page = login(&gateway, &connection, &[], *lie).await;
        match check_refusal(&gateway, &page, code).await {
            Ok(_) => attacks
                .iter()
                .for_each(|number| proved!(oidc * number, code)),
            Err(error) => amiss.push(error),
        }
        if gateway.rows().await != before {
            amiss.push(format!("{code} left rows"));
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_no_harm_signs_in() {
    for lie in HARMLESS {
        let (gateway, _op, connection) =
            scene(json!({"options": {"is_trusted": true, "home_realm_domains": ["globex.test"]}}))
                .await;
        let code = Ending::of(&login(&gateway, &connection, &[], *lie).await).code();
        let claims = gateway.redeem(&code).await;
        let verified = match lie {
            Lie::NoEmail => Value::Null,
            Lie::UnverifiedEmail => false.into(),
            _ => true.into(),
        };
        assert_eq!(claims["email_verified"], verified, "{lie:?}");
        if *lie == Lie::UnverifiedEmail {
            proved!(oidc 30, ACCEPTED);
        }
        let rows = gateway.rows().await;
        assert_eq!(
            (rows.users, rows.identities, rows.sessions),
            (1, 1, 1),
            "{lie:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_finds_no_login_is_told_without_a_way_into_one() {
    let (gateway, _op, connection) = scene(json!({})).await;
    for (lie, code) in LOST {
        let refused = Ending::of(&login(&gateway, &connection, &[], *lie).await).refused();
        assert_eq!(
            (refused.code.as_str(), refused.again.as_deref()),
            (*code, None)
        );
        check_trace(&gateway, &refused).await.expect(code);
        proved!(oidc 8, code);
        proved!(oidc 51, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_of_the_application_that_was_not_met_is_told_to_it() {
    let (gateway, _op, connection) = scene(json!({})).await;
    for (asked, lie) in [
        (("max_age", "60"), Lie::OldAuthentication),
        (("max_age", "60"), Lie::NoAuthTime),
        (("prompt", "login"), Lie::OldAuthentication),
    ] {
        let page = login(&gateway, &connection, &[asked], lie).await;
        assert_eq!(
            Ending::of(&page),
            Ending::told("login_required", "oidc.authentication_too_old"),
            "{lie:?}"
        );
    }
    proved!(oidc 60, "oidc.authentication_too_old");
    let page = login(
        &gateway,
        &connection,
        &[("acr_values", "urn:mfa")],
        Lie::WeakContext,
    )
    .await;
    assert_eq!(
        Ending::of(&page),
        Ending::told("unmet_authentication_requirements", "oidc.acr_mismatch")
    );
    proved!(oidc 37, "oidc.acr_mismatch");
    let page = login(
        &gateway,
        &connection,
        &[("acr_values", "urn:mfa")],
        Lie::Honest,
    )
    .await;
    let claims = gateway.redeem(&Ending::of(&page).code()).await;
    assert_eq!(claims["acr"], "urn:mfa");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_describes_itself_wrongly_cannot_be_activated() {
    let gateway = Gateway::start().await;
    let op = OidcUpstream::start().await;
    for (path, code) in [
        ("other-issuer", "oidc.discovery_issuer_mismatch"),
        ("not-json", "oidc.discovery_malformed"),
        ("no-endpoint", "oidc.discovery_malformed"),
        ("no-secrets", "oauth.client_auth_unsupported"),
    ] {
        let issuer = format!("{}/{path}", op.issuer);
        let body = op.body(json!({"options": {"issuer": issuer}}));
        let (status, answer) = gateway
            .api(Method::POST, "/api/v1/connections", Some(body))
            .await;
        assert_eq!(status, 422, "{answer}");
        assert_eq!(answer["errors"][0]["code"], code, "{answer}");
    }
    proved!(oidc 2, "oidc.discovery_issuer_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_relied_on_let_nobody_in() {
    let gateway = Gateway::with(FAST).await;
    let op = OidcUpstream::start().await;
    for (path, code) in [
        ("no-keys", "oidc.keys_malformed"),
        ("weak-keys", "oidc.key_unknown"),
    ] {
        let issuer = format!("{}/{path}", op.issuer);
        let more = json!({"options": {"issuer": issuer}});
        let connection = op.connect(&gateway, more).await;
        let page = login(&gateway, &connection, &[], Lie::NoIssInCallback).await;
        let refused = check_refusal(&gateway, &page, code).await;
        refused.expect("refused");
        proved!(oidc 23, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_is_told_and_comes_back() {
    let (gateway, op, connection) = scene(json!({})).await;
    let replica = gateway.replica().await;
    let moved = json!({"options": {"issuer": "http://127.0.0.1:9", "client_secret": "another-secret-for-another-place"}});
    let path = format!("/api/v1/connections/{}", connection.id);
    let (status, answer) = replica.api(Method::PATCH, &path, Some(moved)).await;
    assert_eq!(
        (status, answer["errors"][0]["code"].as_str()),
        (422, Some("egress.unreachable")),
        "{answer}"
    );
    assert!(!op.issuer.is_empty());
    Ending::of(&login(&gateway, &connection, &[], Lie::Honest).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_with_too_much_in_it_is_refused() {
    let (gateway, _op, connection) = scene(json!({})).await;
    let mut browser = Browser::new();
    let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
    let state = page.query("state").expect("a state");
    let padding = "&x=1".repeat(65);
    let url = format!("{}?state={state}&code=c{padding}", connection.redirect_uri);
    check_refusal(
        &gateway,
        &browser.open(&url).await,
        "oauth.callback_malformed",
    )
    .await
    .expect("refused");
    let long = "c".repeat(5000);
    let url = format!(
        "{}?state={state}&code={long}&iss={}",
        connection.redirect_uri,
        page.url.origin().ascii_serialization()
    );
    check_refusal(
        &gateway,
        &browser.open(&url).await,
        "oauth.callback_malformed",
    )
    .await
    .expect("refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_words_of_saml_is_none_of_this_login() {
    let (gateway, _op, connection) = scene(json!({})).await;
    let mut browser = Browser::new();
    let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
    let form = Form {
        action: format!("{}/saml/{}/acs", gateway.base, connection.id)
            .parse()
            .expect("a URL"),
        post: true,
        fields: vec![
            (
                "RelayState".to_owned(),
                page.query("state").expect("a state"),
            ),
            ("SAMLResponse".to_owned(), "PGEvPg==".to_owned()),
        ],
    };
    let refused = Ending::of(&browser.submit(&form, &[]).await).refused();
    assert_eq!(refused.code, "oauth.state_mismatch");
    // The login is not burnt by it.
    Ending::of(&answer(&mut browser, &page, BOB, "").await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_may_come_as_a_form() {
    let (gateway, _op, connection) = scene(json!({})).await;
    let mut browser = Browser::new();
    let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
    let fields = [
        ("email", BOB),
        ("password", "lab"),
        ("lie", ""),
        ("response_mode", "form_post"),
    ];
    let posting = browser.submit(&page.form(), &fields).await;
    let other = Browser::new().submit(&posting.form(), &[]).await;
    assert_eq!(Ending::of(&other).refused().code, "login.other_browser");
    proved!(oidc 41, "login.other_browser");
    Ending::of(&browser.submit(&posting.form(), &[]).await).code();
}

/// The form that carries the code of a new login, and its browser.
async fn coded(gateway: &Gateway, connection: &Connected) -> (Browser, Page, Form) {
    let mut browser = Browser::new();
    let page = begin(&mut browser, gateway, &[("connection_id", &connection.id)]).await;
    let fields = [
        ("email", BOB),
        ("password", "lab"),
        ("lie", ""),
        ("response_mode", "form_post"),
    ];
    let posting = browser.submit(&page.form(), &fields).await;
    (browser, page, posting.form())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_the_login_alone_whose_proof_key_it_was_given_for() {
    let (gateway, _op, connection) = scene(json!({})).await;
    let (_, first, stolen) = coded(&gateway, &connection).await;
    let (mut browser, second, form) = coded(&gateway, &connection).await;
    let challenge = |page: &Page| page.query("code_challenge").expect("a challenge");
    for page in [&first, &second] {
        assert_eq!(page.query("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(challenge(page).len(), 43);
    }
    assert_ne!(challenge(&first), challenge(&second));
    proved!(oidc 5, ACCEPTED);
    proved!(oidc 7, ACCEPTED);
    let code = stolen.fields.iter().find(|(name, _)| name == "code");
    let code = &code.expect("a code").1;
    let page = browser.submit(&form, &[("code", code)]).await;
    let refused = check_refusal(&gateway, &page, "oauth.code_rejected").await;
    refused.expect("refused");
    proved!(oidc 3, "oauth.code_rejected");
    proved!(oidc 6, "oauth.code_rejected");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_subject_of_one_issuer_at_two_connections_is_two_people() {
    let (gateway, op, connection) = scene(json!({})).await;
    let other = op.connect(&gateway, json!({"name": "Other"})).await;
    let mut people = HashSet::new();
    for connection in [&connection, &other] {
        let page = login(&gateway, connection, &[], Lie::Honest).await;
        let claims = gateway.redeem(&Ending::of(&page).code()).await;
        people.insert(claims["sub"].to_string());
    }
    assert_eq!(people.len(), 2);
    proved!(oidc 32, ACCEPTED);
    proved!(oidc 59, ACCEPTED);
}
