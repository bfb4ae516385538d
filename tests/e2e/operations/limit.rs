//! Limits on refused attempts: strangers meet them, and whoever holds a login does not.

use fedgate_lab::saml_idp::Lie;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{Gateway, SECRET, client, read};
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::seen;
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::PROXIED;

const LIMITED: &str = "gateway.rate_limited";
const ATTACKER: &str = "203.0.113.66";
const PERSON: &str = "198.51.100.7";

/// A gateway behind a proxy on loopback, with low limits.
async fn gateway(limits: &str) -> Gateway {
    let more = format!("[limits]\n{limits}\n");
    let proxies = [("FEDGATE_SERVER__TRUSTED_PROXIES", PROXIED)];
    Gateway::configured(&more, &proxies).await
}

/// Status, stable code and `Retry-After` of an answer to a request that comes from an address.
async fn from(address: &str, request: RequestBuilder) -> (u16, String, Option<u64>) {
    let request = request.header("x-forwarded-for", address);
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let wait = answer.headers().get("retry-after").cloned();
    let wait = wait.and_then(|value| value.to_str().ok()?.parse().ok());
    let text = answer.text().await.expect("text");
    seen::note(&text);
    let codes = match serde_json::from_str::<Value>(&text) {
        Ok(json) => seen::codes_of_json(&json),
        Err(_) => seen::codes(&text),
    };
    (status, codes.into_iter().collect(), wait)
}

fn garbage(acs: &str) -> RequestBuilder {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let body = "SAMLResponse=PHg%2BPC94Pg%3D%3D&RelayState=AAAAAAAAAAAAAAAAAAAAAA";
    client().post(acs).header(form.0, form.1).body(body)
}

async fn signs_in(gateway: &Gateway, connection: &Connected, address: &str) -> bool {
    let mut browser = gateway.browser();
    browser.set_header("x-forwarded-for", address);
    let asked = [("connection_id", connection.id.as_str())];
    let login = begin(&mut browser, gateway, &asked).await;
    let page = answer(&mut browser, &login, ALICE, "").await;
    matches!(Ending::of(&page), Ending::SignedIn { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_turned_away_by_address_and_a_login_of_that_address_is_not() {
    let gateway = gateway("refused_callbacks_per_address = 3").await;
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    for _ in 0..3 {
        let (status, code, _) = from(ATTACKER, garbage(&connection.acs)).await;
        assert_eq!((status, code.as_str()), (400, "login.other_browser"));
    }
    let (status, code, wait) = from(ATTACKER, garbage(&connection.acs)).await;
    assert_eq!((status, code.as_str()), (429, LIMITED));
    assert!(
        wait.is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{wait:?}"
    );
    let (status, code, _) = from(PERSON, garbage(&connection.acs)).await;
    assert_eq!((status, code.as_str()), (400, "login.other_browser"));
    assert!(signs_in(&gateway, &connection, ATTACKER).await);
    gateway.app.clock.step(60);
    let (status, code, _) = from(ATTACKER, garbage(&connection.acs)).await;
    assert_eq!((status, code.as_str()), (400, "login.other_browser"));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_from_everywhere_locks_nobody_out_of_a_connection() {
    let gateway = gateway("refused_callbacks_per_connection = 5").await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    let other = idp.connect(&gateway, json!({})).await;
    for number in 0..5 {
        let address = format!("203.0.113.{number}");
        let (status, ..) = from(&address, garbage(&connection.acs)).await;
        assert_eq!(status, 400);
    }
    let (status, code, _) = from(PERSON, garbage(&connection.acs)).await;
    assert_eq!((status, code.as_str()), (429, LIMITED));
    let (status, ..) = from(PERSON, garbage(&other.acs)).await;
    assert_eq!(status, 400);
    assert!(signs_in(&gateway, &connection, PERSON).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_cookie_is_no_pending_login() {
    let gateway = gateway("refused_callbacks_per_address = 2").await;
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    let forged = || {
        let cookie = "fedgate-login-AAAAAAAAAAAAAAAAAAAAAA=1.forged";
        garbage(&connection.acs).header("cookie", cookie)
    };
    for _ in 0..2 {
        let (_, code, _) = from(ATTACKER, forged()).await;
        assert_eq!(code, "login.pending_unreadable");
    }
    let (status, code, _) = from(ATTACKER, forged()).await;
    assert_eq!((status, code.as_str()), (429, LIMITED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_company_signs_in_from_one_address() {
    let limits = "refused_callbacks_per_address = 2\nrefused_callbacks_per_connection = 2\n\
        refused_requests_per_address = 2\nrefused_sign_ins_per_address = 2";
    let gateway = gateway(limits).await;
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    for _ in 0..20 {
        assert!(signs_in(&gateway, &connection, PERSON).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_its_upstream_spoils_counts_for_nobody() {
    let gateway = gateway("refused_callbacks_per_address = 2").await;
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    for _ in 0..5 {
        let mut browser = gateway.browser();
        browser.set_header("x-forwarded-for", PERSON);
        let asked = [("connection_id", connection.id.as_str())];
        let login = begin(&mut browser, &gateway, &asked).await;
        let form = saml_response(&mut browser, &login, ALICE, Lie::WrongAudience.name()).await;
        let page = browser.submit(&form, &[]).await;
        assert_eq!(Ending::of(&page).refused().code, "saml.audience_mismatch");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lies_about_the_address_counts_for_his_own() {
    let gateway = gateway("refused_callbacks_per_address = 2").await;
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    // The proxy appends whom it sees to whatever the client wrote.
    for number in 0..2 {
        let list = format!("198.51.100.{number}, {ATTACKER}");
        let (status, ..) = from(&list, garbage(&connection.acs)).await;
        assert_eq!(status, 400);
    }
    let list = format!("127.0.0.1, 192.0.2.1, {ATTACKER}");
    let (status, ..) = from(&list, garbage(&connection.acs)).await;
    assert_eq!(status, 429);
    let (status, ..) = from("2001:db8:1:2::1", garbage(&connection.acs)).await;
    assert_eq!(status, 400);
    for address in ["2001:db8:1:2::2", "2001:db8:1:2:ffff::3"] {
        from(address, garbage(&connection.acs)).await;
    }
    let (status, ..) = from("2001:db8:1:2:1234::4", garbage(&connection.acs)).await;
    assert_eq!(status, 429, "a subscriber has the whole /64");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_addresses_on_the_sign_in_page_is_stopped() {
    let gateway = gateway("refused_sign_ins_per_address = 3").await;
    let mut browser = gateway.browser();
    browser.set_header("x-forwarded-for", ATTACKER);
    let page = browser.open(&gateway.authorize_url(&[])).await;
    for number in 0..3 {
        let address = format!("x@nowhere{number}.test");
        let shown = browser.submit(&page.form(), &[("email", &address)]).await;
        assert_eq!(shown.status, 422);
    }
    let shown = browser
        .submit(&page.form(), &[("email", "x@nowhere.test")])
        .await;
    assert_eq!(shown.status, 429);
    assert_eq!(Ending::of(&shown).refused().code, LIMITED);
    browser.set_header("x-forwarded-for", PERSON);
    let shown = browser
        .submit(&page.form(), &[("email", "x@nowhere.test")])
        .await;
    assert_eq!(shown.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_no_application_sends_are_turned_away() {
    let gateway = gateway("refused_requests_per_address = 2").await;
    let wrong = gateway.authorize_url(&[("redirect_uri", "https://evil.example/cb")]);
    for _ in 0..2 {
        let (status, ..) = from(ATTACKER, client().get(&wrong)).await;
        assert_eq!(status, 400);
    }
    let (status, code, _) = from(ATTACKER, client().get(&wrong)).await;
    assert_eq!((status, code.as_str()), (429, LIMITED));
    let (status, ..) = from(PERSON, client().get(&wrong)).await;
    assert_eq!(status, 400);
}

fn token_request(gateway: &Gateway, client_id: &str, secret: &str, code: &str) -> RequestBuilder {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "http://127.0.0.1:9/cb"),
        ("client_id", client_id),
        ("client_secret", secret),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    client()
        .post(format!("{}/oauth2/token", gateway.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_a_secret_is_stopped_and_its_owner_is_not() {
    let gateway = gateway("refused_clients_per_address = 3").await;
    let guess = |client: &str| token_request(&gateway, client, "a guess", "x");
    for _ in 0..3 {
        let (status, code, _) = from(ATTACKER, guess("web")).await;
        assert_eq!((status, code.as_str()), (401, "op.client_secret_wrong"));
    }
    let (status, code, wait) = from(ATTACKER, guess("web")).await;
    assert_eq!(
        (status, code.as_str(), wait.is_some()),
        (429, LIMITED, true)
    );
    let owner = from(PERSON, token_request(&gateway, "web", SECRET, "x")).await;
    assert_eq!((owner.0, owner.1.as_str()), (400, "op.code_unknown"));
    let other = from(ATTACKER, token_request(&gateway, "other", SECRET, "x")).await;
    assert_eq!((other.0, other.1.as_str()), (400, "op.code_unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_never_stop_an_application() {
    let gateway = gateway("refused_clients_per_address = 2").await;
    for _ in 0..6 {
        let (status, code, _) = from(PERSON, token_request(&gateway, "web", SECRET, "x")).await;
        assert_eq!((status, code.as_str()), (400, "op.code_unknown"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_turns_away_whoever_has_no_token() {
    let gateway = gateway("refused_api_calls_per_address = 2").await;
    let call = || client().get(format!("{}/api/v1/connections", gateway.base));
    for _ in 0..2 {
        let (status, code, _) = from(ATTACKER, call()).await;
        assert_eq!((status, code.as_str()), (401, "op.token_missing"));
    }
    let (status, code, wait) = from(ATTACKER, call()).await;
    assert_eq!(
        (status, code.as_str(), wait.is_some()),
        (429, LIMITED, true)
    );
    let token = gateway.api_token().await;
    let request = call().bearer_auth(token).header("x-forwarded-for", PERSON);
    assert_eq!(read(request).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_on_this_machine_that_is_not_configured_locks_nobody_out() {
    let gateway = Gateway::with("[limits]\nrefused_callbacks_per_address = 1\n").await;
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    for _ in 0..4 {
        let (status, ..) = from(ATTACKER, garbage(&connection.acs)).await;
        assert_eq!(status, 400);
    }
}
