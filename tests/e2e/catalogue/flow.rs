//! Attacks on the way of a response: the binding, the browser, the pages.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_lab::saml_idp::Lie;
use fedgate_tests::browser::{Browser, Form};
use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::hostile::{Hostile, document};
use fedgate_tests::login::{begin, saml_response};
use fedgate_tests::proved;
use fedgate_tests::upstream::{ALICE, Connected};
use miniz_oxide::deflate::compress_to_vec;
use serde_json::json;

use crate::saml_flow::{login, scene};

/// What is wrong with the way a response comes, by entry.
const BINDING: &[(u16, Lie, &str)] = &[
    (82, Lie::Huge, "saml.response_too_large"),
    (82, Lie::BrokenBase64, "saml.base64_invalid"),
    (84, Lie::FieldTwice, "saml.field_repeated"),
    (87, Lie::AnswerByRedirect, "gateway.method_not_allowed"),
    (90, Lie::NoInResponseTo, "saml.in_response_to_missing"),
    (90, Lie::LostInResponseTo, "saml.in_response_to_mismatch"),
    (107, Lie::TransientNameId, "saml.name_id_transient"),
    (115, Lie::EncryptedId, "saml.encrypted_id"),
];

/// A login up to the response, which is not sent yet.
pub(super) async fn responded(gateway: &Gateway, connection: &Connected) -> (Browser, Form) {
    let mut browser = gateway.browser();
    let page = begin(&mut browser, gateway, &[("connection_id", &connection.id)]).await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    (browser, form)
}

/// The value of a field.
pub(super) fn field(form: &Form, name: &str) -> String {
    let found = form.fields.iter().find(|(key, _)| key == name);
    found.expect(name).1.clone()
}

/// The response of a form, changed outside of what is signed.
fn altered(form: &Form, find: &str, put: &str) -> String {
    let xml = STANDARD
        .decode(field(form, "SAMLResponse"))
        .expect("base64");
    let xml = String::from_utf8(xml).expect("text");
    assert!(xml.contains(find), "{find} in {xml}");
    STANDARD.encode(xml.replacen(find, put, 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_another_form_than_one_post_is_refused() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    for (entry, lie, code) in BINDING {
        let page = login(&gateway, &connection, &[], *lie).await;
        assert_eq!(Ending::of(&page).refused().code, *code, "{lie:?}");
        proved!(*entry, code);
    }
    assert_eq!(gateway.rows().await.sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_no_response() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let (mut browser, mut form) = responded(&gateway, &connection).await;
    form.fields.retain(|(name, _)| name != "SAMLResponse");
    form.fields
        .push(("SAMLart".to_owned(), "AAQAAMFbLinlXaCM".to_owned()));
    let page = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &page, "saml.response_missing")
        .await
        .expect("refused");
    proved!(87, "saml.response_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_an_address_is_inflated() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    // Four megabytes of blanks.
    let bomb = STANDARD.encode(compress_to_vec(&vec![b' '; 4 * 1024 * 1024], 9));
    let mut url = url::Url::parse(&connection.acs).expect("a URL");
    url.query_pairs_mut().append_pair("SAMLResponse", &bomb);
    let began = Instant::now();
    let page = gateway.browser().open(url.as_str()).await;
    assert_eq!(
        Ending::of(&page).refused().code,
        "gateway.method_not_allowed"
    );
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    proved!(83, "gateway.method_not_allowed");
    // By POST it is taken for what it is: no XML.
    let (mut browser, form) = responded(&gateway, &connection).await;
    let page = browser.submit(&form, &[("SAMLResponse", &bomb)]).await;
    let code = Ending::of(&page).refused().code;
    assert_eq!(code, "saml.xml_encoding");
    proved!(83, &code);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_what_a_signature_points_to() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let host = Hostile::start(|_| document("<x/>")).await;
    // KeyInfo is outside of what is signed, so that anybody on the way can write into it.
    let (mut browser, form) = responded(&gateway, &connection).await;
    let retrieval = format!(
        "<ds:KeyInfo><ds:RetrievalMethod URI=\"{}\"/>",
        host.url("/key")
    );
    let pointing = altered(&form, "<ds:KeyInfo>", &retrieval);
    Ending::of(&browser.submit(&form, &[("SAMLResponse", &pointing)]).await).code();
    proved!(52, ACCEPTED);
    let (mut browser, form) = responded(&gateway, &connection).await;
    let pointing = altered(
        &form,
        " URI=\"#",
        &format!(" URI=\"{}#", host.url("/reference")),
    );
    let page = browser.submit(&form, &[("SAMLResponse", &pointing)]).await;
    check_refusal(&gateway, &page, "saml.signature_profile")
        .await
        .expect("refused");
    proved!(30, "saml.signature_profile");
    assert_eq!(host.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_of_browsers_and_upstreams_is_text_on_every_page() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let markup = "\"><script>alert(1)</script>";
    let (mut browser, form) = responded(&gateway, &connection).await;
    let escaped = " Destination=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    let hostile = altered(&form, " Destination=\"", escaped);
    let refused = browser.submit(&form, &[("SAMLResponse", &hostile)]).await;
    assert_eq!(
        Ending::of(&refused).refused().code,
        "saml.destination_mismatch"
    );
    let mut other = gateway.browser();
    let lost = other.submit(&form, &[("RelayState", markup)]).await;
    let lost_code = Ending::of(&lost).refused().code;
    for page in [&refused, &lost] {
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        let policy = page.headers["content-security-policy"]
            .to_str()
            .expect("text");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
    }
    proved!(117, "saml.destination_mismatch");
    proved!(117, &lost_code);
    proved!(oidc 44, &lost_code);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_that_get_a_response_at_once_one_signs_in() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let replica = gateway.replica().await;
    let (browser, form) = responded(&gateway, &connection).await;
    let mut elsewhere = form.clone();
    let address = url::Url::parse(&replica.base).expect("a URL").port();
    elsewhere.action.set_port(address).expect("a port");
    let posts = [form.clone(), elsewhere.clone(), form, elsewhere].map(|form| {
        let mut browser = browser.clone();
        tokio::spawn(async move { Ending::of(&browser.submit(&form, &[]).await) })
    });
    let mut won = 0;
    for post in posts {
        match post.await.expect("an ending") {
            Ending::SignedIn { .. } => won += 1,
            other => assert_eq!(other.refused().code, "people.login_replayed"),
        }
    }
    assert_eq!((won, gateway.rows().await.sessions), (1, 1));
    proved!(89, "people.login_replayed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reads_a_code_and_nothing_else() {
    let gateway = Gateway::start().await;
    let url = format!("{}/saml/conn_{}/acs", gateway.base, "0".repeat(32));
    let form = Form {
        action: url.parse().expect("a URL"),
        post: true,
        fields: vec![("SAMLResponse".to_owned(), "PHg+".to_owned())],
    };
    let page = gateway.browser().submit(&form, &[]).await.body;
    let codes = fedgate_tests::seen::codes(&page);
    assert_eq!(codes.len(), 1, "{page}");
    for word in ["panicked", "openssl", "src/", "backtrace"] {
        assert!(!page.contains(word), "{word} in {page}");
    }
    let code = codes.first().expect("a code");
    proved!(125, code);
}
