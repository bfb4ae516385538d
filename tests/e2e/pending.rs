//! The pending login: one browser, one connection, one time, and always a way on.

use std::collections::BTreeMap;

use fedgate_tests::browser::{Browser, Form, Page};
use fedgate_tests::ending::{Ending, Refused, check_refusal, check_trace};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::proved;
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use serde_json::json;

use crate::saml_flow::FAST;

const HOUR: i64 = 3600;

async fn scene() -> (Gateway, SamlUpstream, Connected) {
    scene_with("").await
}

async fn scene_with(limits: &str) -> (Gateway, SamlUpstream, Connected) {
    let gateway = Gateway::with(&format!("{FAST}{limits}")).await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    (gateway, idp, connection)
}

/// A login up to the response, which is not sent yet.
async fn responded(browser: &mut Browser, gateway: &Gateway, connection: &Connected) -> Form {
    let page = begin(browser, gateway, &[("connection_id", &connection.id)]).await;
    saml_response(browser, &page, ALICE, "").await
}

fn refused(page: &Page) -> Refused {
    Ending::of(page).refused()
}

/// Changes the value of the one pending cookie.
fn altered(
    browser: &Browser,
    change: impl Fn(&str) -> String,
) -> BTreeMap<(String, String), String> {
    let mut cookies = browser.cookies();
    for ((_, name), value) in &mut cookies {
        if name.starts_with("fedgate-login-") {
            let (set_at, sealed) = value.split_once('.').expect("a time");
            *value = format!("{set_at}.{}", change(sealed));
        }
    }
    cookies
}

/// Another letter at a place.
fn flipped(text: &str, at: usize) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
    letters.into_iter().collect()
}

/// A sealed text, spoilt in every kind of place.
fn spoilt(sealed: &str) -> Vec<String> {
    let half = sealed.len() / 2;
    vec![
        String::new(),
        flipped(sealed, 0),
        flipped(sealed, 8),
        flipped(sealed, half),
        flipped(sealed, sealed.len() - 2),
        sealed[..half].to_owned(),
        sealed[..sealed.len() - 1].to_owned(),
        format!("{sealed}A"),
        format!("{sealed}{sealed}"),
        "~".to_owned(),
        "AAAA".to_owned(),
        "x".repeat(3000),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_works_once_whoever_brings_the_cookie_back() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    let cookies = browser.cookies();
    Ending::of(&browser.submit(&form, &[]).await).code();
    let rows = gateway.rows().await;
    let again = browser.submit(&form, &[]).await;
    assert_eq!(refused(&again).code, "login.already_used");
    browser.set_cookies(cookies.clone());
    let replayed = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &replayed, "people.login_replayed")
        .await
        .expect("refused");
    let mut thief = gateway.browser();
    thief.set_cookies(cookies);
    let stolen = thief.submit(&form, &[]).await;
    assert_eq!(refused(&stolen).code, "people.login_replayed");
    assert_eq!(gateway.rows().await, rows);
    proved!(88, "people.login_replayed");
    proved!(90, "login.already_used");
    proved!(oidc 9, "login.already_used");
    proved!(127, "people.login_replayed");
    proved!(129, "people.login_replayed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_genuine_response_to_the_same_request_is_a_replay_too() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
    let first = saml_response(&mut browser, &page, ALICE, "").await;
    let second = saml_response(&mut browser, &page, "bruno@acme.test", "").await;
    assert_ne!(first, second);
    let cookies = browser.cookies();
    Ending::of(&browser.submit(&first, &[]).await).code();
    let rows = gateway.rows().await;
    browser.set_cookies(cookies);
    let page = browser.submit(&second, &[]).await;
    check_refusal(&gateway, &page, "people.login_replayed")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_posts_at_the_same_moment_one_wins() {
    let (gateway, _idp, connection) = scene().await;
    for _ in 0..5 {
        let mut browser = gateway.browser();
        let form = responded(&mut browser, &gateway, &connection).await;
        let before = gateway.rows().await.sessions;
        let posts = (0..6).map(|_| {
            let (mut browser, form) = (browser.clone(), form.clone());
            tokio::spawn(async move { Ending::of(&browser.submit(&form, &[]).await) })
        });
        let mut won = 0;
        for post in posts.collect::<Vec<_>>() {
            match post.await.expect("an ending") {
                Ending::SignedIn { .. } => won += 1,
                other => assert_eq!(other.refused().code, "people.login_replayed"),
            }
        }
        assert_eq!((won, gateway.rows().await.sessions - before), (1, 1));
    }
    proved!(89, "people.login_replayed");
    proved!(oidc 9, "people.login_replayed");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_tabs_the_newest_four_complete() {
    let (gateway, idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let mut forms = Vec::new();
    for _ in 0..10 {
        forms.push(responded(&mut browser, &gateway, &connection).await);
        gateway.app.clock.step(1);
        idp.clock.step(1);
        let held = browser.cookie_names("127.0.0.1");
        assert!(held.len() <= 4, "{held:?}");
    }
    let kept = forms.split_off(6);
    for form in &forms {
        assert_eq!(
            refused(&browser.submit(form, &[]).await).code,
            "login.other_browser"
        );
    }
    for form in &kept {
        Ending::of(&browser.submit(form, &[]).await).code();
    }
    assert_eq!(gateway.rows().await.sessions, 4);
    assert!(browser.cookie_names("127.0.0.1").len() <= 4);
    for form in &kept {
        let shown = refused(&browser.submit(form, &[]).await);
        assert_eq!(shown.code, "login.already_used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_logins_make_room_before_one_that_is_under_way() {
    let (gateway, idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let first = responded(&mut browser, &gateway, &connection).await;
    for _ in 0..6 {
        gateway.app.clock.step(1);
        idp.clock.step(1);
        let form = responded(&mut browser, &gateway, &connection).await;
        Ending::of(&browser.submit(&form, &[]).await).code();
    }
    Ending::of(&browser.submit(&first, &[]).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_browser_gets_nothing_and_this_one_still_completes() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    let mut other = gateway.browser();
    let shown = refused(&other.submit(&form, &[]).await);
    assert_eq!(shown.code, "login.other_browser");
    check_trace(&gateway, &shown).await.expect("a trace");
    assert_eq!(gateway.rows().await.sessions, 0);
    Ending::of(&browser.submit(&form, &[]).await).code();
    proved!(91, "login.other_browser");
    proved!(oidc 55, "login.other_browser");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_pending_is_kept_here_and_opens_for_its_browser_only() {
    let (gateway, _idp, connection) = scene().await;
    let state = "s".repeat(1500);
    let asked = [("connection_id", connection.id.as_str()), ("state", &state)];
    let mut browser = gateway.browser();
    let page = begin(&mut browser, &gateway, &asked).await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    let stored = |cookies: &BTreeMap<_, String>| {
        cookies
            .values()
            .any(|value| value.contains(".~") && value.len() < 80)
    };
    assert!(stored(&browser.cookies()), "{:?}", browser.cookies());
    let mut thief = gateway.browser();
    assert_eq!(
        refused(&thief.submit(&form, &[]).await).code,
        "login.other_browser"
    );
    for sealed in [
        "~",
        "~AAAA",
        "~AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAA",
    ] {
        thief.set_cookies(altered(&browser, |_| sealed.to_owned()));
        assert_eq!(
            refused(&thief.submit(&form, &[]).await).code,
            "login.pending_unreadable",
            "{sealed}"
        );
    }
    let page = browser.submit(&form, &[]).await;
    let location = page.location().expect("the application");
    assert!(
        location
            .query_pairs()
            .any(|(name, value)| name == "state" && value == state.as_str())
    );
    Ending::of(&page).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_large_pendings_have_a_quota_and_small_ones_do_not_need_it() {
    let (gateway, _idp, connection) = scene_with("stored_pendings = 2\n").await;
    let state = "s".repeat(1500);
    let large = [("connection_id", connection.id.as_str()), ("state", &state)];
    for _ in 0..2 {
        begin(&mut gateway.browser(), &gateway, &large).await.form();
    }
    let page = gateway.browser().open(&gateway.authorize_url(&large)).await;
    assert_eq!(page.status, 503);
    let shown = check_refusal(&gateway, &page, "login.too_many_pending")
        .await
        .expect("refused");
    gateway.app.clock.step(HOUR + 1);
    let again = gateway
        .browser()
        .open(&shown.again.expect("start again"))
        .await;
    assert!(again.url.path().ends_with("/sso"), "{}", again.url);
    begin(&mut gateway.browser(), &gateway, &large[..1])
        .await
        .form();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_pending_still_offers_a_start_that_works() {
    for state in ["s", &"s".repeat(1500)] {
        let (gateway, idp, connection) = scene().await;
        let mut browser = gateway.browser();
        let asked = [("connection_id", connection.id.as_str()), ("state", state)];
        let page = begin(&mut browser, &gateway, &asked).await;
        gateway.app.clock.step(HOUR + 1);
        idp.clock.step(HOUR + 1);
        let late = answer(&mut browser, &page, ALICE, "").await;
        let shown = refused(&late);
        assert_eq!(shown.code, "login.expired");
        check_trace(&gateway, &shown).await.expect("a trace");
        assert_eq!(gateway.rows().await.sessions, 0);
        if state.len() > 1 {
            continue;
        }
        check_refusal(&gateway, &late, "login.expired")
            .await
            .expect("refused");
        let page = browser.open(&shown.again.expect("start again")).await;
        Ending::of(&answer(&mut browser, &page, ALICE, "").await).code();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_that_was_open_for_long_starts_again() {
    let (gateway, _idp, _connection) = scene().await;
    let mut browser = gateway.browser();
    let page = browser.open(&gateway.authorize_url(&[])).await;
    gateway.app.clock.step(11 * HOUR);
    let in_time = browser.submit(&page.form(), &[("email", "x")]).await;
    assert_eq!(refused(&in_time).code, "route.email_invalid");
    gateway.app.clock.step(2 * HOUR);
    let late = browser.submit(&page.form(), &[("email", ALICE)]).await;
    let shown = check_refusal(&gateway, &late, "login.page_expired")
        .await
        .expect("refused");
    let fresh = browser.open(&shown.again.expect("start again")).await;
    assert!(
        fresh.attribute("#email", "name").is_some(),
        "{}",
        fresh.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_request_opens_whole_or_not_at_all() {
    let (gateway, _idp, _connection) = scene().await;
    let mut browser = gateway.browser();
    let page = browser.open(&gateway.authorize_url(&[])).await;
    let sealed = page
        .attribute("input[name=request]", "value")
        .expect("a request");
    for bad in spoilt(&sealed) {
        let posted = browser
            .submit(&page.form(), &[("request", &bad), ("email", ALICE)])
            .await;
        assert_eq!(refused(&posted).code, "login.request_unreadable", "{bad}");
        let again = browser
            .open(&format!("{}/login/again?request={bad}", gateway.base))
            .await;
        assert_eq!(refused(&again).code, "login.request_unreadable", "{bad}");
    }
    let bare = browser.open(&format!("{}/login/again", gateway.base)).await;
    assert_eq!(refused(&bare).code, "login.request_unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_opens_whole_or_not_at_all() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    let (_, value) = browser.cookies().into_iter().next().expect("a cookie");
    let (_, sealed) = value.split_once('.').expect("a time");
    let mut forger = gateway.browser();
    for bad in spoilt(sealed) {
        forger.set_cookies(altered(&browser, |_| bad.clone()));
        let code = refused(&forger.submit(&form, &[]).await).code;
        // A browser secret in place of the sealed login names one that is not stored.
        let expected = match bad.as_str() {
            "~" => "login.expired",
            _ => "login.pending_unreadable",
        };
        assert_eq!(code, expected, "{bad}");
    }
    assert_eq!(gateway.rows().await.sessions, 0);
    Ending::of(&browser.submit(&form, &[]).await).code();
    proved!(oidc 54, "login.pending_unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_is_good_at_its_own_connection_only() {
    let (gateway, idp, connection) = scene().await;
    let other = idp.connect(&gateway, json!({"name": "Other"})).await;
    let mut browser = gateway.browser();
    let mut form = responded(&mut browser, &gateway, &connection).await;
    form.action = other.acs.parse().expect("a URL");
    let shown = refused(&browser.submit(&form, &[]).await);
    assert_eq!(shown.code, "login.pending_unreadable");
    check_trace(&gateway, &shown).await.expect("a trace");
    // Nor does a seal for the right connection fit another login's handle.
    let mut second = gateway.browser();
    let mut second_form = responded(&mut second, &gateway, &connection).await;
    let stolen = browser.cookies().into_values().next().expect("a cookie");
    let swapped = second
        .cookies()
        .into_keys()
        .map(|key| (key, stolen.clone()));
    second.set_cookies(swapped.collect());
    second_form.fields.retain(|(name, _)| name != "other");
    assert_eq!(
        refused(&second.submit(&second_form, &[]).await).code,
        "login.pending_unreadable"
    );
    assert_eq!(gateway.rows().await.sessions, 0);
    proved!(126, "login.pending_unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_another_master_key_nothing_opens() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let mut form = responded(&mut browser, &gateway, &connection).await;
    let sign_in = browser.open(&gateway.authorize_url(&[])).await;
    let stranger = Gateway::start().await;
    form.action = form
        .action
        .as_str()
        .replace(&gateway.base, &stranger.base)
        .parse()
        .expect("a URL");
    assert_eq!(
        refused(&browser.submit(&form, &[]).await).code,
        "login.pending_unreadable"
    );
    let mut form = sign_in.form();
    form.action = form
        .action
        .as_str()
        .replace(&gateway.base, &stranger.base)
        .parse()
        .expect("a URL");
    let shown = refused(&browser.submit(&form, &[("email", ALICE)]).await);
    assert_eq!(shown.code, "login.request_unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_switched_off_meanwhile_lets_nobody_in() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    let path = format!("/api/v1/connections/{}?confirm=true", connection.id);
    let off = json!({"status": "disabled"});
    let (status, told) = gateway.api(reqwest::Method::PATCH, &path, Some(off)).await;
    assert_eq!(status, 200, "{told}");
    let page = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &page, "login.connection_unavailable")
        .await
        .expect("refused");
    let page = gateway
        .browser()
        .open(&gateway.authorize_url(&[("connection_id", &connection.id)]))
        .await;
    check_refusal(&gateway, &page, "login.connection_unavailable")
        .await
        .expect("refused");
    assert_eq!(gateway.rows().await.sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_the_host_is_the_one_that_cookies_come_back_to() {
    let (gateway, _idp, connection) = scene().await;
    let port = gateway.base.rsplit(':').next().expect("a port");
    let url = gateway.authorize_url(&[("connection_id", &connection.id)]);
    for host in ["localhost", "[::1]", "127.0.0.2"] {
        let mut browser = gateway.browser();
        browser.set_header("host", &format!("{host}:{port}"));
        let page = browser.open(&url).await;
        check_refusal(&gateway, &page, "login.wrong_host")
            .await
            .expect(host);
        assert_eq!(browser.cookies().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_gets_no_login_and_no_cookie() {
    let (gateway, _idp, connection) = scene().await;
    let url = gateway.authorize_url(&[("connection_id", &connection.id)]);
    for destination in ["iframe", "frame", "embed", "object", "empty", "image"] {
        let mut browser = gateway.browser();
        browser.set_header("sec-fetch-dest", destination);
        let page = browser.open(&url).await;
        check_refusal(&gateway, &page, "login.embedded")
            .await
            .expect(destination);
        assert_eq!(browser.cookies().len(), 0, "{destination}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_told_on_a_page() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let form = responded(&mut browser, &gateway, &connection).await;
    let huge = "A".repeat(600 * 1024);
    let page = browser.submit(&form, &[("SAMLResponse", &huge)]).await;
    let shown = refused(&page);
    assert_eq!(shown.code, "login.body_unreadable");
    check_trace(&gateway, &shown).await.expect("a trace");
    let sign_in = browser.open(&gateway.authorize_url(&[])).await;
    let page = browser.submit(&sign_in.form(), &[("email", &huge)]).await;
    assert_eq!(refused(&page).code, "login.body_unreadable");
    Ending::of(&browser.submit(&form, &[]).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_nobody_is_told_apart_from_a_lost_one() {
    let (gateway, _idp, connection) = scene().await;
    let mut browser = gateway.browser();
    let callback = format!("{}/login/callback/{}", gateway.base, connection.id);
    for (query, code) in [
        ("", "login.state_missing"),
        ("?code=c", "login.state_missing"),
        ("?code=c&state=bookmark", "login.state_unknown"),
        ("?code=c&state=", "login.state_unknown"),
        (
            "?code=c&state=AAAAAAAAAAAAAAAAAAAAAA",
            "login.other_browser",
        ),
    ] {
        let page = browser.open(&format!("{callback}{query}")).await;
        assert_eq!(refused(&page).code, code, "{query}");
    }
    let nowhere = browser
        .open(&format!(
            "{}/login/callback/conn_x?state=AAAAAAAAAAAAAAAAAAAAAA",
            gateway.base
        ))
        .await;
    assert_eq!(refused(&nowhere).code, "login.connection_unavailable");
}
