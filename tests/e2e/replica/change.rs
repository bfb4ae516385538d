//! What changes on one replica, and when the other knows.

use std::time::Duration;

use fedgate_test_servers::redis::Redis;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{Remote, client, read};
use fedgate_tests::login::{begin, saml_response};
use fedgate_tests::replicas::{Replicas, becomes, login};
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

/// How soon the other replica knows.
const SOON: Duration = Duration::from_secs(1);
/// No cache expires within a test.
const NEVER: &str = "[limits]\ncache_seconds = 3600\n";

/// Two replicas that both have the connection at hand.
async fn warm(redis: &str, more: &str) -> (Replicas, SamlUpstream, Connected) {
    let replicas = Replicas::start(redis, more).await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(replicas.at(0), json!({})).await;
    for replica in 0..2 {
        login(replicas.at(replica), &connection.id, ALICE)
            .await
            .code();
    }
    (replicas, idp, connection)
}

/// The code with which a replica refuses to begin a login.
async fn refusal(gateway: &Remote, connection: &Connected) -> Option<String> {
    let url = gateway.authorize_url(&[("connection_id", &connection.id)]);
    match Ending::of(&gateway.browser().step(&url).await) {
        Ending::Refused(refused) => Some(refused.code),
        Ending::Told { code, .. } => Some(code),
        Ending::SignedIn { .. } | Ending::Elsewhere(_) => None,
    }
}

async fn call(gateway: &Remote, method: Method, path: &str, body: Option<Value>) {
    let (status, answer) = gateway.api(method, path, body).await;
    assert!((200..300).contains(&status), "{path}: {answer}");
}

async fn disable(gateway: &Remote, connection: &Connected) {
    let path = format!("/api/v1/connections/{}?confirm=true", connection.id);
    call(
        gateway,
        Method::PATCH,
        &path,
        Some(json!({"status": "disabled"})),
    )
    .await;
}

/// Until the second replica refuses to begin.
async fn refuses(
    replicas: &Replicas,
    connection: &Connected,
    most: Duration,
    code: &str,
) -> Duration {
    becomes(most, code, async || {
        refusal(replicas.at(1), connection).await.as_deref() == Some(code)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_connection_and_a_removed_link_are_seen_within_a_second() {
    let (replicas, idp, connection) = warm(&Redis::shared_url(), NEVER).await;
    let unlinked = idp.connect(replicas.at(0), json!({"name": "Other"})).await;
    assert_eq!(refusal(replicas.at(1), &unlinked).await, None);
    let path = format!("/api/v1/applications/web/connections/{}", unlinked.id);
    call(replicas.at(0), Method::DELETE, &path, None).await;
    refuses(&replicas, &unlinked, SOON, "route.connection_not_enabled").await;
    disable(replicas.at(0), &connection).await;
    let took = refuses(&replicas, &connection, SOON, "login.connection_unavailable").await;
    println!("seen after {took:?}");
    let path = format!("/api/v1/connections/{}", connection.id);
    call(
        replicas.at(1),
        Method::PATCH,
        &path,
        Some(json!({"status": "active"})),
    )
    .await;
    becomes(SOON, "active again", async || {
        refusal(replicas.at(0), &connection).await.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_given_to_a_connection_is_routed_to_within_a_second() {
    let (replicas, _idp, connection) = warm(&Redis::shared_url(), NEVER).await;
    let routed = async |replica| {
        let gateway = replicas.at(replica);
        let url = gateway.authorize_url(&[("login_hint", ALICE)]);
        let page = gateway.browser().step(&url).await;
        page.body.contains("SAMLRequest")
            || page.location().is_some_and(|to| {
                to.query()
                    .is_some_and(|query| query.contains("SAMLRequest"))
            })
    };
    assert!(
        !routed(1).await,
        "and it remembers that there is no such route"
    );
    let path = format!("/api/v1/connections/{}", connection.id);
    let domains = json!({"options": {"home_realm_domains": ["acme.test"]}});
    call(replicas.at(0), Method::PATCH, &path, Some(domains)).await;
    becomes(SOON, "routed", async || routed(1).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_and_a_key_that_change_are_seen_within_a_second() {
    let (replicas, _idp, _connection) = warm(&Redis::shared_url(), NEVER).await;
    let (a, now) = (&replicas.a.app, replicas.a.app.clock.now());
    let (mut application, _) = a
        .store
        .application("web")
        .await
        .expect("a store")
        .expect("web");
    application.client_id = "made".to_owned();
    a.store
        .create_application(&application, now)
        .await
        .expect("made");
    let of_made = |uri: &str| {
        replicas
            .at(1)
            .authorize_url(&[("client_id", "made"), ("redirect_uri", uri)])
    };
    let code = async |uri: &str| Ending::of(&replicas.at(1).browser().step(&of_made(uri)).await);
    assert!(matches!(
        code(fedgate_tests::gateway::REDIRECT_URI).await,
        Ending::Elsewhere(_)
    ));
    application.redirect_uris = vec!["http://127.0.0.1:9/moved".to_owned()];
    a.store
        .update_application(&application, 1, now)
        .await
        .expect("changed");
    becomes(SOON, "the redirect URI", async || {
        matches!(code(fedgate_tests::gateway::REDIRECT_URI).await, Ending::Refused(refused) if refused.code == "op.redirect_uri_mismatch")
    })
    .await;
    let kids = async || {
        let url = format!("{}/.well-known/jwks.json", replicas.at(1).base);
        let (_, jwks) = read(client().get(url)).await;
        jwks["keys"]
            .as_array()
            .expect("keys")
            .iter()
            .map(|key| key["kid"].as_str().expect("a kid").to_owned())
            .collect::<Vec<_>>()
    };
    let before = kids().await;
    let token = replicas.at(0).api_token().await;
    for kid in &before {
        a.store.move_key(kid, "retired", now).await.expect("moved");
        becomes(SOON, "a key is retired", async || {
            !kids().await.contains(kid)
        })
        .await;
    }
    let url = format!("{}/api/v1/connections", replicas.at(1).base);
    assert_eq!(
        read(client().get(url).bearer_auth(token)).await.0,
        401,
        "its key is gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_message_is_lost_is_seen_when_the_cache_expires_and_at_once_by_the_sign_in()
{
    let redis = Redis::start();
    let (replicas, _idp, connection) = warm(&redis.url(), "[limits]\ncache_seconds = 2\n").await;
    redis.cli(&["ACL", "SETUSER", "default", "-publish"]);
    let mut browser = replicas.at(1).browser();
    let page = begin(
        &mut browser,
        replicas.at(1),
        &[("connection_id", &connection.id)],
    )
    .await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    disable(replicas.at(0), &connection).await;
    replicas.balancer.choose(1);
    let refused = Ending::of(&browser.submit(&form, &[]).await).refused();
    // At once, whichever of the two looks first: what is near has expired, or the transaction reads again.
    let expected = ["people.connection_disabled", "login.connection_unavailable"];
    assert!(expected.contains(&refused.code.as_str()), "{refused:?}");
    let bound = Duration::from_secs(2) + SOON;
    refuses(
        &replicas,
        &connection,
        bound,
        "login.connection_unavailable",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_refuses_at_once_what_is_still_near() {
    let redis = Redis::start();
    let (replicas, _idp, connection) = warm(&redis.url(), NEVER).await;
    redis.cli(&["ACL", "SETUSER", "default", "-publish"]);
    let mut browser = replicas.at(1).browser();
    let page = begin(
        &mut browser,
        replicas.at(1),
        &[("connection_id", &connection.id)],
    )
    .await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    disable(replicas.at(0), &connection).await;
    assert_eq!(
        refusal(replicas.at(1), &connection).await,
        None,
        "it has not heard of it"
    );
    let refused = Ending::of(&browser.submit(&form, &[]).await).refused();
    assert_eq!(refused.code, "people.connection_disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_channel_was_cut_everything_near_is_forgotten() {
    let mut redis = Redis::start();
    let (replicas, _idp, connection) = warm(&redis.url(), NEVER).await;
    redis.kill();
    disable(replicas.at(0), &connection).await;
    assert_eq!(
        refusal(replicas.at(1), &connection).await,
        None,
        "it cannot have heard of it"
    );
    redis.resume();
    refuses(
        &replicas,
        &connection,
        5 * SOON,
        "login.connection_unavailable",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_in_the_channel_changes_nothing() {
    let redis = Redis::start();
    let (replicas, _idp, connection) = warm(&redis.url(), NEVER).await;
    let channel = redis.cli(&["PUBSUB", "CHANNELS"]);
    assert!(
        channel.starts_with("fedgate:") && channel.ends_with(":changes"),
        "{channel}"
    );
    for noise in ["", "x", &"y".repeat(40), &"z".repeat(100_000)] {
        assert_eq!(
            redis.cli(&["PUBLISH", &channel, noise]),
            "2",
            "both hear it"
        );
    }
    assert_eq!(refusal(replicas.at(1), &connection).await, None);
    disable(replicas.at(0), &connection).await;
    refuses(&replicas, &connection, SOON, "login.connection_unavailable").await;
}
