//! The setup page as an administrator meets it, and as those do who should not.

use std::time::Duration;

use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::gateway::{Gateway, SECRET, client, read};
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::setup::{Administrator, browser, code, draft, link, state};
use fedgate_tests::upstream::{ALICE, BOB, OidcUpstream, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::metadata::Document;
use crate::saml_flow::FAST;

mod activation;
mod attacks;
mod chromium;
mod flow;
mod links;
mod settings;
mod verdict;

const UNTESTED: &str = "Draft: no test has passed yet";
const STALE: &str = "Draft: changed since the last test, so test again";
const TESTED: &str = "Tested: ready to be activated";
const ACTIVE: &str = "Active: people sign in through it";
const INCOMPLETE: &str = "Draft: something is still missing";

/// A gateway, the lab's SAML identity provider, and an administrator whose draft knows it.
async fn saml(options: Value) -> (Gateway, SamlUpstream, Administrator) {
    // One test after the other is refused in some tests, faster than anybody's rate.
    let (gateway, upstream) = (Gateway::with(FAST).await, SamlUpstream::start().await);
    let id = draft(&gateway, "saml:custom", options).await;
    let mut administrator = Administrator::of(&gateway, &id).await;
    let page = administrator
        .save(&[("metadata_url", &upstream.idp.entity_id())])
        .await;
    assert_eq!(state(&page), UNTESTED, "{}", page.body);
    (gateway, upstream, administrator)
}

fn has(page: &Page, text: &str) {
    assert!(page.body.contains(text), "no {text} in {}", page.body);
}

async fn patch(gateway: &Gateway, id: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/v1/connections/{id}");
    gateway.api(Method::PATCH, &path, Some(body)).await
}
