//! What the sign-in transaction refuses, and what it makes of a person.

use fedgate_providers::connection::ConnectionId;
use fedgate_tests::browser::{Browser, Form, Page};
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::{Gateway, Remote};
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::proved;
use fedgate_tests::upstream::{ALICE, BOB, Connected, OidcUpstream, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::management::user;
use crate::saml_flow::FAST;

async fn scene(more: Value) -> (Gateway, SamlUpstream, Connected) {
    let gateway = Gateway::with(FAST).await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, more).await;
    (gateway, idp, connection)
}

/// Makes an organization and answers its code.
pub(crate) async fn organization(gateway: &Remote, joins: bool) -> String {
    let body = json!({"name": "An organization", "is_auto_membership_enabled": joins});
    let (status, answer) = gateway
        .api(Method::POST, "/api/v1/organization", Some(body))
        .await;
    assert_eq!(status, 201, "{answer}");
    answer["organization"]["code"]
        .as_str()
        .expect("a code")
        .to_owned()
}

async fn call(gateway: &Remote, method: Method, path: &str, body: Option<Value>) {
    let (status, answer) = gateway.api(method, path, body).await;
    assert!((200..300).contains(&status), "{path}: {answer}");
}

async fn login(gateway: &Gateway, asked: &[(&str, &str)], person: &str) -> Page {
    let mut browser = Browser::new();
    let page = begin(&mut browser, gateway, asked).await;
    answer(&mut browser, &page, person, "").await
}

/// A login up to the response, then a change, then the response.
async fn changed_meanwhile(more: Value, change: impl AsyncFn(&Gateway, &Connected), code: &str) {
    let (gateway, _idp, connection) = scene(more).await;
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    let before = gateway.rows().await;
    change(&gateway, &connection).await;
    let page = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &page, code).await.expect(code);
    assert_eq!(gateway.rows().await, before);
}

async fn responded(browser: &mut Browser, gateway: &Gateway, connection: &Connected) -> Form {
    let page = begin(browser, gateway, &[("connection_id", &connection.id)]).await;
    saml_response(browser, &page, ALICE, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_and_without_news_what_another_replica_switched_off_is_off_here_at_once() {
    let disable = async |gateway: &Gateway, connection: &Connected| {
        let path = format!("/api/v1/connections/{}?confirm=true", connection.id);
        call(
            &*gateway.replica().await,
            Method::PATCH,
            &path,
            Some(json!({"status": "disabled"})),
        )
        .await;
    };
    changed_meanwhile(json!({}), disable, "people.connection_disabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_and_without_news_what_another_replica_deleted_is_gone_here_at_once() {
    let delete = async |gateway: &Gateway, connection: &Connected| {
        let path = format!("/api/v1/connections/{}?confirm=true", connection.id);
        call(&*gateway.replica().await, Method::DELETE, &path, None).await;
    };
    changed_meanwhile(json!({}), delete, "people.connection_missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_taken_from_the_application_meanwhile_lets_nobody_in() {
    let unlink = async |gateway: &Gateway, connection: &Connected| {
        let path = format!("/api/v1/applications/web/connections/{}", connection.id);
        call(gateway, Method::DELETE, &path, None).await;
    };
    changed_meanwhile(json!({}), unlink, "people.connection_not_enabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_deleted_meanwhile_takes_nobody_in() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let code = organization(&gateway, true).await;
    let mut browser = gateway.browser();
    let asked = [
        ("connection_id", connection.id.as_str()),
        ("org_code", &code),
    ];
    let page = begin(&mut browser, &gateway, &asked).await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    call(
        &gateway,
        Method::DELETE,
        &format!("/api/v1/organization/{code}"),
        None,
    )
    .await;
    let page = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &page, "people.organization_unknown")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await.users, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_with_connections_is_locked_to_them() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let code = organization(&gateway, true).await;
    let asked = [
        ("connection_id", connection.id.as_str()),
        ("org_code", &code),
    ];
    let op = OidcUpstream::start().await;
    op.connect(&gateway, json!({"organization_code": code}))
        .await;
    let page = login(&gateway, &asked, ALICE).await;
    let expected = "people.organization_connection_not_allowed";
    check_refusal(&gateway, &page, expected)
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await.users, 0);
    call(
        &gateway,
        Method::POST,
        &format!("/api/v1/organizations/{code}/connections/{}", connection.id),
        None,
    )
    .await;
    let signed_in = Ending::of(&login(&gateway, &asked, ALICE).await).code();
    assert_eq!(gateway.redeem(&signed_in).await["org_code"], code.as_str());
    assert_eq!(gateway.rows().await.memberships, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_no_member_and_cannot_become_one_stays_out() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let code = organization(&gateway, false).await;
    call(
        &gateway,
        Method::POST,
        &format!("/api/v1/organizations/{code}/connections/{}", connection.id),
        None,
    )
    .await;
    let asked = [
        ("connection_id", connection.id.as_str()),
        ("org_code", &code),
    ];
    let before = gateway.rows().await;
    let page = login(&gateway, &asked, ALICE).await;
    check_refusal(&gateway, &page, "people.not_a_member")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await, before);
    assert_eq!((before.users, before.identities), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organizations_own_connection_makes_members_where_it_may() {
    for joins in [false, true] {
        let gateway = Gateway::with(FAST).await;
        let op = OidcUpstream::start().await;
        let code = organization(&gateway, false).await;
        let body = json!({"organization_code": code, "options": {"is_auto_join_organization_enabled": joins}});
        let connection = op.connect(&gateway, body).await;
        let page = login(&gateway, &[("connection_id", &connection.id)], BOB).await;
        if joins {
            assert_eq!(
                gateway.redeem(&Ending::of(&page).code()).await["org_code"],
                code.as_str()
            );
        } else {
            check_refusal(&gateway, &page, "people.not_a_member")
                .await
                .expect("refused");
        }
        assert_eq!(gateway.rows().await.memberships, i64::from(joins));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_users_are_not_made_only_known_ones_sign_in() {
    let (gateway, _idp, connection) =
        scene(json!({"options": {"is_create_missing_user": true}})).await;
    let asked = [("connection_id", connection.id.as_str())];
    let first = gateway
        .redeem(&Ending::of(&login(&gateway, &asked, ALICE).await).code())
        .await;
    let off = json!({"options": {"is_create_missing_user": false}});
    call(
        &gateway,
        Method::PATCH,
        &format!("/api/v1/connections/{}", connection.id),
        Some(off),
    )
    .await;
    let again = gateway
        .redeem(&Ending::of(&login(&gateway, &asked, ALICE).await).code())
        .await;
    assert_eq!(first["sub"], again["sub"]);
    let before = gateway.rows().await;
    let page = login(&gateway, &asked, "bruno@acme.test").await;
    check_refusal(&gateway, &page, "people.user_unknown")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_user_stays_out_and_the_page_says_no_more_than_of_an_unknown_one() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let asked = [("connection_id", connection.id.as_str())];
    let claims = gateway
        .redeem(&Ending::of(&login(&gateway, &asked, ALICE).await).code())
        .await;
    let store = &gateway.app.store;
    let mut user = store
        .user(claims["sub"].as_str().expect("a user"))
        .await
        .expect("a store")
        .expect("a user");
    user.is_suspended = true;
    store
        .update_user(&user, gateway.app.clock.now())
        .await
        .expect("suspended");
    let before = gateway.rows().await;
    let suspended = login(&gateway, &asked, ALICE).await;
    check_refusal(&gateway, &suspended, "people.user_suspended")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await, before);
    let off = json!({"options": {"is_create_missing_user": false}});
    call(
        &gateway,
        Method::PATCH,
        &format!("/api/v1/connections/{}", connection.id),
        Some(off),
    )
    .await;
    let unknown = login(&gateway, &asked, "bruno@acme.test").await;
    assert_eq!(suspended.text(".says"), unknown.text(".says"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_id_that_comes_again_is_no_second_login() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let mut browser = gateway.browser();
    for turn in 0..2 {
        let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
        let before = gateway.rows().await;
        let page = answer(&mut browser, &page, ALICE, "ReusedId").await;
        if turn == 0 {
            Ending::of(&page).code();
        } else {
            check_refusal(&gateway, &page, "people.assertion_replayed")
                .await
                .expect("refused");
            assert_eq!(gateway.rows().await, before);
        }
    }
    proved!(88, "people.assertion_replayed");
    proved!(129, "people.assertion_replayed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_follows_its_upstream_where_the_connection_says_so() {
    for follows in [false, true] {
        let (gateway, _idp, connection) =
            scene(json!({"options": {"is_sync_user_profile_on_login": follows}})).await;
        let asked = [("connection_id", connection.id.as_str())];
        let claims = gateway
            .redeem(&Ending::of(&login(&gateway, &asked, ALICE).await).code())
            .await;
        let store = &gateway.app.store;
        let mut user = store
            .user(claims["sub"].as_str().expect("a user"))
            .await
            .expect("a store")
            .expect("a user");
        user.family_name = Some("Before".to_owned());
        store
            .update_user(&user, gateway.app.clock.now())
            .await
            .expect("changed");
        let claims = gateway
            .redeem(&Ending::of(&login(&gateway, &asked, ALICE).await).code())
            .await;
        assert_eq!(
            claims["family_name"],
            if follows { "Osei" } else { "Before" }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_subject_at_two_connections_is_two_people() {
    let (gateway, idp, connection) = scene(json!({})).await;
    let other = idp.connect(&gateway, json!({"name": "Other"})).await;
    let mut subjects = Vec::new();
    for id in [&connection.id, &other.id] {
        assert!(ConnectionId::parse(id).is_some());
        let code = Ending::of(&login(&gateway, &[("connection_id", id)], ALICE).await).code();
        subjects.push(gateway.redeem(&code).await["sub"].clone());
    }
    assert_ne!(subjects[0], subjects[1]);
}

/// Enters a user and an identity of a connection that waits for `value`; the user's id.
async fn entered(gateway: &Remote, connection: &Connected, value: &str) -> String {
    let id = user(gateway, json!({})).await;
    let body = json!({"type": "enterprise", "value": value, "connection_id": connection.id});
    let path = format!("/api/v1/users/{id}/identities");
    call(gateway, Method::POST, &path, Some(body)).await;
    id
}

fn known_only(domains: &[&str]) -> Value {
    json!({"options": {"is_create_missing_user": false, "home_realm_domains": domains}})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_entered_beforehand_is_claimed_once_and_pinned_to_its_subject() {
    let (gateway, idp, connection) = scene(known_only(&["acme.test"])).await;
    let id = entered(&gateway, &connection, "Alice@ACME.test").await;
    let asked = [("connection_id", connection.id.as_str())];
    for _ in 0..2 {
        let code = Ending::of(&login(&gateway, &asked, ALICE).await).code();
        assert_eq!(gateway.redeem(&code).await["sub"], id.as_str());
    }
    let path = format!("/api/v1/users/{id}/identities");
    let (_, listed) = gateway.api(Method::GET, &path, None).await;
    let identity = &listed["identities"][0];
    assert_eq!(identity["is_confirmed"], true, "{listed}");
    assert_eq!(identity["issuer"], idp.idp.entity_id());
    assert!(identity["last_login_on"].is_string() && identity["email"].is_null());
    // Nobody waits for the colleague.
    let page = login(&gateway, &asked, "bruno@acme.test").await;
    check_refusal(&gateway, &page, "people.user_unknown")
        .await
        .expect("refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_identity_provider_claims_nothing_by_asserting_the_address() {
    let (gateway, _idp, connection) = scene(known_only(&["acme.test"])).await;
    let id = entered(&gateway, &connection, ALICE).await;
    let op = OidcUpstream::start().await;
    let theirs = op.connect(&gateway, known_only(&["globex.test"])).await;
    // Mallory of Globex has Alice's address there.
    let mut browser = Browser::new();
    let page = begin(&mut browser, &gateway, &[("connection_id", &theirs.id)]).await;
    let page = answer(&mut browser, &page, ALICE, "").await;
    check_refusal(&gateway, &page, "people.user_unknown")
        .await
        .expect("refused");
    let asked = [("connection_id", connection.id.as_str())];
    let code = Ending::of(&login(&gateway, &asked, ALICE).await).code();
    assert_eq!(gateway.redeem(&code).await["sub"], id.as_str());
    proved!(oidc 31, "people.user_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_was_taken_away_takes_the_claim_along_even_during_the_login() {
    let (gateway, _idp, connection) = scene(known_only(&["acme.test"])).await;
    let id = entered(&gateway, &connection, ALICE).await;
    let path = format!("/api/v1/connections/{}", connection.id);
    let assign = async |domains: &[&str]| {
        let body = json!({"options": {"home_realm_domains": domains}});
        call(&gateway, Method::PATCH, &path, Some(body)).await;
    };
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    assign(&["elsewhere.test"]).await;
    let before = gateway.rows().await;
    let page = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &page, "people.domain_not_assigned")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await, before);
    assign(&["acme.test"]).await;
    let asked = [("connection_id", connection.id.as_str())];
    let code = Ending::of(&login(&gateway, &asked, ALICE).await).code();
    assert_eq!(gateway.redeem(&code).await["sub"], id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_through_the_api_ends_what_is_open_and_lets_nobody_in() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let asked = [("connection_id", connection.id.as_str())];
    let code = Ending::of(&login(&gateway, &asked, ALICE).await).code();
    let claims = gateway.redeem(&code).await;
    let path = format!(
        "/api/v1/user?id={}",
        claims["sub"].as_str().expect("a user")
    );
    let suspend = |is: bool| {
        call(
            &gateway,
            Method::PATCH,
            &path,
            Some(json!({"is_suspended": is})),
        )
    };
    suspend(true).await;
    let page = login(&gateway, &asked, ALICE).await;
    check_refusal(&gateway, &page, "people.user_suspended")
        .await
        .expect("refused");
    suspend(false).await;
    let sid = claims["sid"].as_str().expect("a sid");
    let session = gateway.app.store.login_session(sid).await.expect("a store");
    assert!(session.expect("a session").ended_at.is_some());
    let code = Ending::of(&login(&gateway, &asked, ALICE).await).code();
    assert_eq!(gateway.redeem(&code).await["sub"], claims["sub"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_another_one_at_the_next_login_and_a_deleted_identity_too() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let asked = [("connection_id", connection.id.as_str())];
    let signed_in = async || {
        let code = Ending::of(&login(&gateway, &asked, ALICE).await).code();
        let claims = gateway.redeem(&code).await;
        claims["sub"].as_str().expect("a user").to_owned()
    };
    let first = signed_in().await;
    call(
        &gateway,
        Method::DELETE,
        &format!("/api/v1/user?id={first}"),
        None,
    )
    .await;
    let rows = gateway.rows().await;
    assert_eq!((rows.users, rows.identities, rows.sessions), (0, 0, 0));
    let second = signed_in().await;
    assert_ne!(second, first);
    let path = format!("/api/v1/users/{second}/identities");
    let (_, listed) = gateway.api(Method::GET, &path, None).await;
    let identity = listed["identities"][0]["id"].as_str().expect("an id");
    call(
        &gateway,
        Method::DELETE,
        &format!("/api/v1/identities/{identity}"),
        None,
    )
    .await;
    assert_ne!(signed_in().await, second);
    assert_eq!(gateway.rows().await.users, 2);
}
