//! The same-login rescue, and those who would make a flood of it.

use fedgate_lab::saml_idp::Lie;
use fedgate_tests::browser::Browser;
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, begin};
use fedgate_tests::upstream::{ALICE, OidcUpstream, SamlUpstream};
use serde_json::json;

use super::{event, kinds, login, step};
use crate::saml_flow::{FAST, login as lying, scene};

/// How often the identity provider was asked for its metadata.
async fn fetches(gateway: &Gateway) -> u64 {
    let text = fedgate_tests::gateway::client()
        .get(format!("{}/metrics", gateway.base))
        .send()
        .await
        .expect("metrics");
    let text = text.text().await.expect("text");
    let counted = text.lines().filter(|line| {
        line.starts_with("fedgate_upstream_call_duration_seconds_count")
            && line.contains("\"metadata\"")
    });
    let count = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let sum = counted.filter_map(count).sum::<f64>() as u64;
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_a_new_key_reads_the_metadata_once_and_signs_in() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    step(&gateway, &upstream, 10);
    upstream.idp.roll().expect("a key");
    let page = login(&gateway, &connection).await;
    let code = Ending::of(&page).code();
    assert!(!code.is_empty());
    let changed = event(&gateway, "metadata.changed").await;
    assert_eq!(kinds(&changed["changes"]), ["key_added", "key_removed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_of_a_flood_cause_a_bounded_number_of_fetches() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    step(&gateway, &upstream, 10);
    let before = fetches(&gateway).await;
    for _ in 0..12 {
        let page = lying(&gateway, &connection, &[], Lie::RolledKey).await;
        check_refusal(&gateway, &page, "saml.key_unknown")
            .await
            .expect("the code");
    }
    let caused = fetches(&gateway).await - before;
    assert!((1..=10).contains(&caused), "{caused} fetches");
    // Whoever used the budget up has at the same time made the gateway read what is new.
    assert_eq!(gateway.rows().await.sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_could_never_be_accepted_causes_no_fetch() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    step(&gateway, &upstream, 10);
    let before = fetches(&gateway).await;
    for lie in [
        Lie::TamperedSignature,
        Lie::WrongIssuer,
        Lie::WrongDestination,
    ] {
        lying(&gateway, &connection, &[], lie).await;
    }
    assert_eq!(fetches(&gateway).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_and_without_news_a_revocation_on_another_replica_reaches_the_login() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    // The replica has the key near; nobody tells it anything.
    let other = gateway.replica().await;
    let mut browser = Browser::new();
    let asked = [("connection_id", connection.id.as_str())];
    let page = begin(&mut browser, &gateway, &asked).await;
    Ending::of(&login(&gateway, &connection).await).code();
    let fingerprint = upstream
        .idp
        .current_key()
        .certificate_base64()
        .expect("a certificate");
    let fingerprint = fingerprint_of(&fingerprint);
    let path = format!("/keys/{fingerprint}");
    let (status, told) = super::metadata(&other, &connection, reqwest::Method::DELETE, &path).await;
    assert_eq!(status, 200, "{told}");
    let page = answer(&mut browser, &page, ALICE, "").await;
    check_refusal(&gateway, &page, "people.key_revoked")
        .await
        .expect("the code");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openid_provider_that_rolls_its_key_is_followed_within_the_login() {
    let gateway = Gateway::with(FAST).await;
    let upstream = OidcUpstream::start().await;
    let connection = upstream.connect(&gateway, json!({})).await;
    let mut browser = Browser::new();
    let asked = [("connection_id", connection.id.as_str())];
    let page = begin(&mut browser, &gateway, &asked).await;
    let page = answer(&mut browser, &page, fedgate_tests::upstream::BOB, "").await;
    Ending::of(&page).code();
    upstream.op.roll().expect("a key");
    gateway.app.clock.step(10);
    upstream.clock.step(10);
    let mut browser = Browser::new();
    let page = begin(&mut browser, &gateway, &asked).await;
    let page = answer(&mut browser, &page, fedgate_tests::upstream::BOB, "").await;
    Ending::of(&page).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_metadata_serves_within_the_grace_and_says_so() {
    let gateway = Gateway::with(&format!("{FAST}[metadata]\ngrace_hours = 48\n")).await;
    let upstream = SamlUpstream::start().await;
    let until = gateway.app.clock.now() + jiff::SignedDuration::from_hours(24);
    let xml = upstream.idp.metadata().expect("metadata");
    let xml = xml.replacen(
        "entityID=",
        &format!("validUntil=\"{until:.0}\" entityID="),
        1,
    );
    let options = json!({"saml_idp_metadata_xml": xml});
    let connection = upstream
        .connect(&gateway, json!({ "options": options }))
        .await;
    step(&gateway, &upstream, 25 * 3600);
    Ending::of(&login(&gateway, &connection).await).code();
    let told = event(&gateway, "metadata.expired").await;
    assert_eq!(told["connection_id"], connection.id.as_str());
    step(&gateway, &upstream, 48 * 3600);
    let mut browser = Browser::new();
    let asked = [("connection_id", connection.id.as_str())];
    let page = begin(&mut browser, &gateway, &asked).await;
    check_refusal(&gateway, &page, "metadata.expired")
        .await
        .expect("the code");
}

/// SHA-256 of a certificate in base64, as the Management API names it.
fn fingerprint_of(certificate: &str) -> String {
    use base64::Engine as _;
    let der = base64::engine::general_purpose::STANDARD
        .decode(certificate)
        .expect("base64");
    let digest = openssl::sha::sha256(&der);
    fedgate_certs::hex::with_prefix("", &digest)
}
