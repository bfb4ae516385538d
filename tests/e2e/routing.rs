//! Home realm discovery over HTTP.

use fedgate_lab::key::KeyKind;
use fedgate_lab::person::Person;
use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::ending::{Ending, check_trace};
use fedgate_tests::gateway::{Gateway, REDIRECT_URI, SECRET};
use fedgate_tests::login::{answer, begin, type_address};
use fedgate_tests::upstream::{ALICE, BOB, OidcUpstream, SamlUpstream};
use serde_json::{Value, json};

use crate::people::organization;
use crate::saml_flow::FAST;

async fn start() -> Gateway {
    Gateway::with(FAST).await
}

fn at_login_page(page: &Page) -> bool {
    page.attribute("select#lie", "name").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_leads_to_its_connection_and_no_other_does() {
    let gateway = start().await;
    let idp = SamlUpstream::start().await;
    let domains = json!({"options": {"home_realm_domains": ["acme.test", "bücher.example"]}});
    idp.connect(&gateway, domains).await;
    let mut browser = gateway.browser();
    let page = browser.open(&gateway.authorize_url(&[])).await;
    for address in [
        "alice@acme.test",
        " ALICE@ACME.TEST ",
        "a@bücher.example",
        "a@xn--bcher-kva.example",
        "a@acme.test.",
    ] {
        let there = type_address(&mut browser, &page, address).await;
        assert!(at_login_page(&there), "{address}: {}", there.url);
    }
    for address in [
        "a@sub.acme.test",
        "a@notacme.test",
        "a@acme.test.evil.example",
        "a@test",
        "a@bucher.example",
    ] {
        let stayed = type_address(&mut browser, &page, address).await;
        let expected = if address == "a@test" {
            "route.email_invalid"
        } else {
            "route.unknown_domain"
        };
        let shown = Ending::of(&stayed).refused();
        assert_eq!(shown.code, expected, "{address}");
        check_trace(&gateway, &shown).await.expect("a trace");
        // The page stays usable: what was typed is there, and another address goes on.
        assert_eq!(
            stayed.attribute("#email", "value").as_deref(),
            Some(address)
        );
        assert!(at_login_page(
            &type_address(&mut browser, &stayed, ALICE).await
        ));
    }
    for address in [
        "",
        "ada",
        "ada@",
        "@acme.test",
        "a b@acme.test",
        "ada@127.0.0.1",
    ] {
        let stayed = type_address(&mut browser, &page, address).await;
        assert_eq!(
            Ending::of(&stayed).refused().code,
            "route.email_invalid",
            "{address}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_goes_straight_to_its_domain() {
    let gateway = start().await;
    let idp = SamlUpstream::start().await;
    idp.connect(
        &gateway,
        json!({"options": {"home_realm_domains": ["acme.test"]}}),
    )
    .await;
    let mut browser = gateway.browser();
    let page = begin(&mut browser, &gateway, &[("login_hint", ALICE)]).await;
    assert!(at_login_page(&page), "{}", page.url);
    let unknown = browser
        .open(&gateway.authorize_url(&[("login_hint", "x@nowhere.test")]))
        .await;
    assert_eq!(Ending::of(&unknown).refused().code, "route.unknown_domain");
    assert_eq!(
        unknown.attribute("#email", "value").as_deref(),
        Some("x@nowhere.test")
    );
    let phone = browser
        .open(&gateway.authorize_url(&[("login_hint", "+49 170")]))
        .await;
    assert!(
        matches!(Ending::of(&phone), Ending::Elsewhere(_)),
        "a hint that is no address just asks"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_domain_is_told_with_what_there_is() {
    let gateway = start().await;
    let op = OidcUpstream::start().await;
    let connection = op
        .connect(&gateway, json!({"display_name": "Globex staff"}))
        .await;
    let mut browser = gateway.browser();
    let page = browser.open(&gateway.authorize_url(&[])).await;
    let stayed = type_address(&mut browser, &page, "x@nowhere.test").await;
    assert_eq!(Ending::of(&stayed).refused().code, "route.unknown_domain");
    assert_eq!(
        stayed.attribute("button.connection", "value"),
        Some(connection.id.clone())
    );
    assert!(
        stayed
            .text("button.connection")
            .expect("a button")
            .contains("Globex staff")
    );
    let there = browser
        .submit(
            &stayed.form(),
            &[("email", ""), ("connection", &connection.id)],
        )
        .await;
    assert!(at_login_page(&there), "{}", there.url);
    Ending::of(&answer(&mut browser, &there, BOB, "").await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_the_applications_that_it_is_enabled_for() {
    let gateway = start().await;
    let op = OidcUpstream::start().await;
    let connection = op
        .connect(&gateway, json!({"enabled_applications": ["web"]}))
        .await;
    let mut browser = gateway.browser();
    let there = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
    assert!(at_login_page(&there), "{}", there.url);
    let refused = Ending::told("invalid_request", "route.connection_not_enabled");
    for asked in [
        [
            ("client_id", "other"),
            ("connection_id", connection.id.as_str()),
        ],
        [
            ("client_id", "web"),
            ("connection_id", "conn_00000000000000000000000000000000"),
        ],
        [("client_id", "web"), ("connection_id", "globex")],
    ] {
        let page = browser.open(&gateway.authorize_url(&asked)).await;
        assert_eq!(Ending::of(&page), refused, "{asked:?}");
    }
    let page = browser
        .open(&gateway.authorize_url(&[("client_id", "other")]))
        .await;
    assert_eq!(page.attribute("button.connection", "value"), None);
    let pressed = browser
        .submit(&page.form(), &[("connection", &connection.id)])
        .await;
    assert_eq!(
        Ending::of(&pressed).refused().code,
        "route.connection_not_enabled"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_leads_to_its_connection() {
    let gateway = start().await;
    let op = OidcUpstream::start().await;
    let code = organization(&gateway, true).await;
    let body = json!({"organization_code": code, "enabled_applications": []});
    op.connect(&gateway, body).await;
    let mut browser = gateway.browser();
    let there = begin(&mut browser, &gateway, &[("org_code", &code)]).await;
    assert!(at_login_page(&there), "{}", there.url);
    let signed_in = Ending::of(&answer(&mut browser, &there, BOB, "").await).code();
    assert_eq!(gateway.redeem(&signed_in).await["org_code"], code.as_str());
    let second = op
        .connect(
            &gateway,
            json!({"organization_code": code, "enabled_applications": []}),
        )
        .await;
    let page = browser
        .open(&gateway.authorize_url(&[("org_code", &code)]))
        .await;
    assert!(page.body.contains(&second.id), "of two, the person chooses");
    let empty = organization(&gateway, false).await;
    for nobody in [empty.as_str(), "org_00000000000"] {
        let page = browser
            .open(&gateway.authorize_url(&[("org_code", nobody)]))
            .await;
        assert_eq!(
            Ending::of(&page),
            Ending::told("invalid_request", "route.organization_unknown"),
            "{nobody}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_domain_falls_back_with_its_hint() {
    let first = start().await;
    let op = OidcUpstream::start().await;
    // Neither enabled for the application nor with a domain: to be its fall-back is enough.
    let body = json!({"enabled_applications": []});
    let connection = op.connect(&first, body).await;
    let application = format!(
        "[[applications]]\nclient_id = \"falling\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"{REDIRECT_URI}\"]\nfallback_connection = \"{}\"\n",
        connection.id
    );
    let gateway = first.replica_with(&application).await;
    let mut browser = gateway.browser();
    let page = browser
        .open(&gateway.authorize_url(&[("client_id", "falling")]))
        .await;
    let there = type_address(&mut browser, &page, "x@anywhere.test").await;
    assert_eq!(
        there.query("login_hint").as_deref(),
        Some("x@anywhere.test")
    );
    Ending::of(&answer(&mut browser, &there, BOB, "").await).code();
    let hinted = [("client_id", "falling"), ("login_hint", "y@anywhere.test")];
    let there = begin(&mut browser, &gateway, &hinted).await;
    assert_eq!(
        there.query("login_hint").as_deref(),
        Some("y@anywhere.test")
    );
    let page = browser.open(&gateway.authorize_url(&[])).await;
    let stayed = type_address(&mut browser, &page, "x@anywhere.test").await;
    assert_eq!(
        Ending::of(&stayed).refused().code,
        "route.unknown_domain",
        "only where the application says so"
    );
}

async fn upstream_query(
    gateway: &Gateway,
    connection: &str,
    asked: &[(&str, &str)],
) -> Vec<(String, String)> {
    let asked = [&[("connection_id", connection)], asked].concat();
    let page = begin(&mut Browser::new(), gateway, &asked).await;
    page.url.query_pairs().into_owned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_parameters_arrive_whether_fixed_or_from_the_login() {
    let gateway = start().await;
    let (idp, op) = (SamlUpstream::start().await, OidcUpstream::start().await);
    let parameters = json!({
        "tenant": {"value": "a b&c"}, "login_hint": {"alias": "login_hint"}, "ui_locales": {"alias": "ui_locales"},
        "who": {"alias": "login_hint"},
    });
    let options: Value = json!({"options": {"upstream_params": parameters}});
    let asked = [("login_hint", "someone"), ("ui_locales", "de")];
    for connection in [
        idp.connect(&gateway, options.clone()).await,
        op.connect(&gateway, options.clone()).await,
    ] {
        let query = upstream_query(&gateway, &connection.id, &asked).await;
        let value = |name: &str| {
            let values: Vec<_> = query
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .collect();
            assert!(values.len() <= 1, "{name} twice in {query:?}");
            values.first().copied()
        };
        assert_eq!(value("tenant"), Some("a b&c"), "{query:?}");
        assert_eq!(value("login_hint"), Some("someone"), "{query:?}");
        assert_eq!(value("who"), Some("someone"), "{query:?}");
        assert_eq!(value("ui_locales"), Some("de"), "{query:?}");
        let query = upstream_query(&gateway, &connection.id, &[]).await;
        assert!(query.iter().all(|(name, _)| name != "who"), "{query:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_at_two_connections_is_two_users() {
    let gateway = start().await;
    let twin = Person::new("Bob", "Twin", "globex.test", &[]);
    let idp = SamlUpstream::with(KeyKind::EcP256, vec![twin]).await;
    let op = OidcUpstream::start().await;
    let trusted = json!({"options": {"is_trusted": true, "home_realm_domains": ["globex.test"]}});
    let owner = op.connect(&gateway, trusted).await;
    let other = idp
        .connect(&gateway, json!({"options": {"is_trusted": true}}))
        .await;
    let mut subjects = Vec::new();
    for (connection, verified) in [(&owner, true), (&other, false)] {
        let mut browser = gateway.browser();
        let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
        let code = Ending::of(&answer(&mut browser, &page, BOB, "").await).code();
        let claims = gateway.redeem(&code).await;
        assert_eq!(
            (&claims["email"], &claims["email_verified"]),
            (&json!(BOB), &json!(verified))
        );
        subjects.push(claims["sub"].clone());
    }
    assert_ne!(subjects[0], subjects[1]);
    assert_eq!(gateway.rows().await.users, 2);
}
