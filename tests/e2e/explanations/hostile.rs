//! An identity provider whose names and messages aim at the administrator who reads them.

use super::*;

/// What would run, or reorder what is shown.
const NEVER: [&str; 5] = ["<script>alert", "\u{202e}", "\u{9b}", "\u{2028}", "\u{0}"];
/// The largest verdict page, in bytes.
const PAGE_BYTES: usize = 64 * 1024;

async fn verdict(lie: &str) -> (Scene, Page) {
    let scene = Scene::of("custom").await;
    let id = text(&scene.draft(json!({})).await["id"]);
    let mut it = Administrator::of(&scene.gateway, &id).await;
    let document = metadata::document(&scene.upstream, None);
    it.save(&[("metadata_xml", &document)]).await;
    let page = it.test(ALICE, lie).await;
    (scene, page)
}

fn is_harmless(page: &Page) {
    for never in NEVER {
        assert!(!page.body.contains(never), "{never:?} on {}", page.url);
    }
    assert!(page.body.len() < PAGE_BYTES, "{} bytes", page.body.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_message_is_cut_and_escaped() {
    let (scene, page) = verdict("HostileMessage").await;
    assert_eq!(code(&page), "saml.status_request_denied");
    is_harmless(&page);
    assert!(page.body.contains("[U+202E]"), "{}", page.body);
    let trace = scene.verdict(&page).await.trace.expect("a trace");
    assert!(trace.to_string().len() < 8 * 1024, "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_is_cut_and_escaped() {
    let (scene, page) = verdict("HostileIssuer").await;
    assert_eq!(code(&page), "saml.issuer_mismatch");
    is_harmless(&page);
    let trace = scene.verdict(&page).await.trace.expect("a trace");
    assert!(trace.to_string().len() < 8 * 1024, "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attribute_names_and_values_are_cut_and_escaped() {
    let (scene, page) = verdict("HostileAttributes").await;
    is_harmless(&page);
    assert!(page.body.contains("[U+202E]evil"), "{}", page.body);
    let trace = scene.verdict(&page).await.trace.expect("a trace");
    assert!(
        trace["code"].is_null() && trace.to_string().len() < 8 * 1024,
        "{trace}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_were_sent_instead_are_cut_and_escaped() {
    let scene = Scene::of("custom").await;
    let row = Row {
        staged: "HostileAttributes subject=<script>alert(1)</script>",
        ..rows().remove(0)
    };
    let (told, _) = scene.stage(&row).await;
    assert_eq!(told.code, "saml.subject_attribute_missing");
    let trace = told.trace.expect("a trace");
    let last = trace["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .expect("a step");
    for told in ["note", "found"].map(|name| text(&last[name])) {
        assert!(told.chars().count() <= 513, "{told}");
        assert!(
            NEVER[1..].iter().all(|never| !told.contains(never)),
            "{told:?}"
        );
    }
}
