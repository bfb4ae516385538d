//! Test logins: every lie shows its code, and the verdict says who it was and what would come of it.

use super::*;

/// What a lie comes to.
const REFUSED: [(&str, &str); 12] = [
    ("WrongAudience", "saml.audience_mismatch"),
    ("WrongRecipient", "saml.recipient_mismatch"),
    ("RolledKey", "saml.key_unknown"),
    ("Unsigned", "saml.signature_missing"),
    ("TamperedAfterSigning", "saml.digest_mismatch"),
    ("Sha1", "saml.algorithm_forbidden"),
    ("Encrypted", "saml.decryption_failed"),
    ("Expired", "saml.expired"),
    ("ClockSkew", "saml.not_yet_valid"),
    ("Cancelled", "saml.status_request_denied"),
    ("TwoAssertions", "saml.assertions_several"),
    ("LostInResponseTo", "saml.in_response_to_mismatch"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_a_saml_identity_provider_shows_its_code_and_where_to_mend_it() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let before = gateway.rows().await;
    for (lie, expected) in REFUSED {
        let verdict = it.test(ALICE, lie).await;
        assert_eq!(code(&verdict), expected, "{lie}");
        has(&verdict, "The test of <bdi>Acme</bdi> did not pass");
        has(&verdict, "What to change");
        assert_eq!(state(&verdict), UNTESTED, "{lie}");
    }
    let after = gateway.rows().await;
    let tests = i64::try_from(REFUSED.len()).expect("few");
    assert_eq!(
        (after.users, after.marks),
        (before.users, before.marks + tests)
    );
    let reference = it.verdict().await.text(".about code").expect("a reference");
    let trace = gateway.trace(&reference).await.expect("a trace");
    assert_eq!(trace.code.as_deref(), Some("saml.in_response_to_mismatch"));
    assert_eq!((trace.client_id, trace.user_id), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_an_openid_provider_shows_its_code() {
    let (gateway, upstream) = (Gateway::start().await, OidcUpstream::start().await);
    let options =
        json!({"issuer": upstream.issuer, "client_id": "fedgate", "client_secret": SECRET});
    let id = draft(&gateway, "oidc:custom", options).await;
    let mut it = Administrator::of(&gateway, &id).await;
    for (lie, expected) in [
        ("AccessDenied", "oauth.access_denied"),
        ("WrongNonce", "oidc.nonce_mismatch"),
        ("OtherKey", "oidc.key_unknown"),
        ("WrongAudience", "oidc.audience_mismatch"),
        ("InvalidClient", "oauth.client_rejected"),
    ] {
        assert_eq!(code(&it.test(BOB, lie).await), expected, "{lie}");
    }
    for (lie, words) in [
        (
            "UnverifiedEmail",
            "the identity provider says that it did not verify it.",
        ),
        (
            "Honest",
            "the operator has not set this connection as trusted.",
        ),
    ] {
        let verdict = it.test(BOB, lie).await;
        assert_eq!(state(&verdict), TESTED, "{}", verdict.body);
        has(&verdict, "Does not count as verified:");
        has(&verdict, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_come_of_it_is_decided_as_a_sign_in_is() {
    let trusted = json!({"is_trusted": true, "home_realm_domains": ["acme.test"]});
    let (gateway, _upstream, mut it) = saml(trusted).await;
    let verdict = it.test(ALICE, "").await;
    has(&verdict, "Counts as verified:");
    has(&verdict, "A new user would be made.");
    let closed = json!({"options": {"is_create_missing_user": false}});
    assert_eq!(patch(&gateway, &it.id, closed).await.0, 200);
    assert_eq!(it.state().await, STALE);
    let verdict = it.test(ALICE, "").await;
    assert_eq!(code(&verdict), "people.user_unknown");
    has(&verdict, "The sign-in would be refused:");
    has(&verdict, ALICE);
    let organization = json!({"name": "Acme", "is_allow_registrations": true});
    let (_, made) = gateway
        .api(Method::POST, "/api/v1/organization", Some(organization))
        .await;
    let org_code = made["organization"]["code"].as_str().expect("a code");
    let open = json!({"organization_code": org_code, "options": {"is_create_missing_user": true}});
    assert_eq!(patch(&gateway, &it.id, open).await.0, 200);
    let verdict = it.test(ALICE, "").await;
    has(&verdict, org_code);
    has(&verdict, "The person would become a member.");
    assert_eq!(gateway.rows().await.memberships, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_bound_to_its_time_and_to_its_session() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let login = it.begin_test().await;
    gateway.app.clock.step(61 * 60);
    let verdict = answer(&mut it.browser, &login, ALICE, "").await;
    assert_eq!(code(&verdict), "login.expired");
    let login = it.begin_test().await;
    link(&gateway, &it.id).await;
    let page = answer(&mut it.browser, &login, ALICE, "").await;
    assert_eq!(code(&page), "setup.session_ended");
    let mut next = Administrator::of(&gateway, &it.id).await;
    let page = next.verdict().await;
    has(&page, "No result of a test is kept for this session.");
    assert!(!page.body.contains(ALICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_entered_beforehand_is_foreseen_and_still_waits() {
    let (gateway, _upstream, mut it) = saml(json!({"home_realm_domains": ["acme.test"]})).await;
    let body = json!({"profile": {"given_name": "Alice"}});
    let (status, made) = gateway.api(Method::POST, "/api/v1/user", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let user = made["id"].as_str().expect("an id");
    let path = format!("/api/v1/users/{user}/identities");
    let waiting = json!({"type": "enterprise", "value": ALICE, "connection_id": it.id});
    let (status, answer) = gateway.api(Method::POST, &path, Some(waiting)).await;
    assert_eq!(status, 201, "{answer}");
    for _ in 0..2 {
        let verdict = it.test(ALICE, "").await;
        has(&verdict, "who was entered beforehand");
        has(&verdict, user);
        assert_eq!(state(&verdict), TESTED);
    }
}
