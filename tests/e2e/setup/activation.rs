//! Only what was tested goes active, whoever changes what in between.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_untested_draft_does_not_go_active_from_its_page() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let test = it.page().await.form_to(&format!("{}/test", it.path));
    let mut forged = test.clone();
    forged.action.set_path(&format!("{}/activate", it.path));
    let page = it.browser.submit(&forged, &[]).await;
    assert_eq!(
        (page.status.as_u16(), code(&page).as_str()),
        (422, "connection.untested")
    );
    assert_eq!(
        code(&it.test(ALICE, "WrongAudience").await),
        "saml.audience_mismatch"
    );
    assert_eq!(
        code(&it.browser.submit(&forged, &[]).await),
        "connection.untested"
    );
    let (_, read) = gateway
        .api(Method::GET, &format!("/api/v1/connections/{}", it.id), None)
        .await;
    assert_eq!(read["connection"]["status"], "draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_after_the_test_makes_it_stale() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let verdict = it.test(ALICE, "").await;
    let activate = verdict.form_to(&format!("{}/activate", it.path));
    let renamed = json!({"name": "other"});
    assert_eq!(patch(&gateway, &it.id, renamed).await.0, 200);
    let page = it.browser.submit(&activate, &[]).await;
    assert_eq!(
        (code(&page), state(&page)),
        ("connection.untested".to_owned(), STALE.to_owned())
    );
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
    assert_eq!(state(&it.activate().await), ACTIVE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_the_test_makes_it_stale() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let login = it.begin_test().await;
    assert_eq!(
        patch(&gateway, &it.id, json!({"name": "other"})).await.0,
        200
    );
    let verdict = answer(&mut it.browser, &login, ALICE, "").await;
    assert_eq!(code(&verdict), "setup.test_stale");
    assert_ne!(state(&verdict), TESTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_change_and_an_activation_at_once_never_both_win() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let (mut activated, mut stale) = (0, 0);
    for round in 0..6 {
        let verdict = it.test(ALICE, "").await;
        let activate = verdict.form_to(&format!("{}/activate", it.path));
        let change = json!({"options": {"saml_email_key_attr": format!("mail{round}")}});
        let (page, (status, _)) = tokio::join!(it.browser.submit(&activate, &[]), async {
            tokio::time::sleep(Duration::from_millis(round * 2)).await;
            patch(&gateway, &it.id, change).await
        });
        // The change reads, then writes at the version that it read: one of the two is told that it came late, or they
        // came one after the other.
        if state(&page) == ACTIVE {
            activated += 1;
            assert!([200, 409].contains(&status));
            break;
        }
        stale += 1;
        assert_eq!(code(&page), "connection.untested");
        assert_eq!(status, 200);
    }
    assert!(activated + stale > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_activates_under_the_same_rule_when_asked() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let tested = json!({"status": "active", "require_test": true});
    let (status, answer) = patch(&gateway, &it.id, tested.clone()).await;
    let error = &answer["errors"][0];
    assert_eq!(
        (status, error["code"].as_str()),
        (409, Some("connection.untested")),
        "{answer}"
    );
    assert_eq!(error["field"], "require_test");
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
    let more = json!({"status": "active", "require_test": true, "name": "other"});
    assert_eq!(patch(&gateway, &it.id, more).await.0, 409);
    let odd = json!({"status": "active", "require_test": "yes"});
    assert_eq!(
        patch(&gateway, &it.id, odd).await.1["errors"][0]["code"],
        "api.member_type"
    );
    let (status, answer) = patch(&gateway, &it.id, tested).await;
    assert_eq!(
        (status, &answer["connection"]["status"]),
        (200, &json!("active")),
        "{answer}"
    );
    assert_eq!(it.state().await, ACTIVE);
    let direct = draft(
        &gateway,
        "saml:custom",
        json!({"saml_idp_metadata_xml": Document::default().xml()}),
    )
    .await;
    assert_eq!(
        patch(&gateway, &direct, json!({"status": "active"}))
            .await
            .0,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_switched_off_stays_off() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let verdict = it.test(ALICE, "").await;
    let activate = verdict.form_to(&format!("{}/activate", it.path));
    let off = format!("/api/v1/connections/{}?confirm=true", it.id);
    assert_eq!(
        gateway
            .api(Method::PATCH, &off, Some(json!({"status": "disabled"})))
            .await
            .0,
        200
    );
    let page = it.browser.submit(&activate, &[]).await;
    assert_eq!(
        (code(&page).as_str(), state(&page).as_str()),
        ("setup.not_draft", "Switched off by the operator")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_roll_between_two_tests_are_tested_anew() {
    let (gateway, upstream, mut it) = saml(json!({})).await;
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
    let other = SamlUpstream::start().await;
    // The same connection, but what its address answers is another document from now on: only the one tested counts.
    let id = fedgate_providers::connection::ConnectionId::parse(&it.id).expect("an id");
    let live = gateway
        .app
        .store
        .live_metadata(&id)
        .await
        .expect("a store")
        .expect("metadata");
    let rolled = fedgate::store::metadata_revision::Revision {
        id: "rev_other".into(),
        sha256: [7; 32],
        document: live
            .document
            .replace(&upstream.idp.entity_id(), &other.idp.entity_id()),
        ..live
    };
    gateway
        .app
        .store
        .put_live_metadata(&id, &rolled)
        .await
        .expect("stored");
    let page = it.page().await;
    assert_ne!(state(&page), TESTED);
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
}
