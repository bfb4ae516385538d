//! The whole way in a real browser, by keyboard alone: its cookies, its clipboard, its file field, its policy.

use super::*;
use crate::chromium::{run, screenshots};
use fedgate_tests::counterparts::node;

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_up_by_keyboard_with_and_without_scripts() {
    let (gateway, upstream) = (Gateway::start().await, SamlUpstream::start().await);
    let mut links = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = draft(&gateway, "saml:custom", json!({})).await;
        links.push(link(&gateway, &id).await);
        ids.push(id);
    }
    let document = client().get(upstream.idp.entity_id()).send().await;
    let document = document.expect("metadata").text().await.expect("text");
    let mut command = node("setup.mjs");
    command
        .env("LINKS", json!(links).to_string())
        .env("METADATA_URL", upstream.idp.entity_id())
        .env("METADATA_XML", document)
        .env("PERSON", ALICE)
        .env("PASSWORD", fedgate_lab::person::PASSWORD)
        .env("SHOTS", screenshots("setup"));
    let seen = run(command).await;
    let acs = format!("{}/saml/{}/acs", gateway.base, ids[0]);
    assert_eq!(seen[0]["clipboard"], json!(acs));
    for look in seen.as_array().expect("a list") {
        assert_eq!(look["amiss"], json!([]), "{look:#}");
        let states: Vec<_> = look["states"].as_array().expect("states").iter().collect();
        for (shown, expected) in states.iter().zip([INCOMPLETE, UNTESTED, TESTED, ACTIVE]) {
            let shown = shown.as_str().expect("text");
            assert!(shown.contains(expected), "{look:#}");
        }
    }
}
