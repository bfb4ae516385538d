//! Logins over https across three sites, in a real browser: cookies as `__Host-`, `Secure` and `SameSite=None` have them
//! only there, and people who go back, reload, press twice or use two tabs.

use std::sync::Arc;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use fedgate_lab::key::KeyKind;
use fedgate_lab::person::{self, PASSWORD};
use fedgate_lab::saml_idp::{Lie, SamlIdp, SamlIdpOptions, Signed};
use fedgate_tests::counterparts::node;
use fedgate_tests::gateway::{Gateway, SECRET, claims, client, read};
use fedgate_tests::tls::{Front, Terminator};
use fedgate_tests::upstream::ALICE;
use serde_json::{Value, json};

use crate::chromium::{run, screenshots};

const LOGIN: &str = "login.fedgate.test";
const IDP: &str = "idp.example.test";
const SHOP: &str = "shop.example.com";

/// A gateway, an identity provider and an application, each under a host name of its own.
struct Sites {
    gateway: Gateway,
    /// `https://login.fedgate.test:PORT`
    login: String,
    shop: String,
    key_hash: String,
}

impl Sites {
    async fn start() -> Self {
        let terminator = Terminator::new(&[LOGIN, IDP, SHOP]);
        let login = terminator.front(LOGIN).await;
        let idp = terminator.front(IDP).await;
        let shop = terminator.front(SHOP).await;
        let sites = Self {
            gateway: gateway(&login, &shop).await,
            login: login.origin.clone(),
            shop: shop.origin.clone(),
            key_hash: terminator.key_hash,
        };
        let address = sites.gateway.base.trim_start_matches("http://");
        login.serve(address.parse().expect("an address"));
        let idp = serve_idp(idp).await;
        let domains = json!(["acme.test"]);
        sites.connect(&idp, "HTTP-REDIRECT", domains).await;
        let by_post = sites.connect(&idp, "HTTP-POST", json!([])).await;
        serve_shop(shop, &sites.authorize_url(), &by_post).await;
        sites
    }

    fn authorize_url(&self) -> String {
        format!(
            "{}/oauth2/auth?client_id=shop&response_type=code&scope=openid+email&redirect_uri={}/cb&state=s&nonce=n",
            self.login, self.shop
        )
    }

    /// Connects the identity provider by its metadata as a text: its name leads nowhere but in the browser.
    async fn connect(&self, idp: &SamlIdp, binding: &str, domains: Value) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", "ops"),
            ("client_secret", SECRET),
            ("audience", &format!("{}/api", self.login)),
        ];
        let (_, answer) = self.gateway.token(&fields).await;
        let token = answer["access_token"].as_str().expect("a token");
        let body = json!({
            "name": "Acme", "strategy": "saml:custom", "status": "active", "enabled_applications": ["shop"],
            "options": {"saml_idp_metadata_xml": idp.metadata().expect("metadata"), "is_create_missing_user": true,
                        "home_realm_domains": domains, "protocol_binding": binding},
        });
        let request = client()
            .post(format!("{}/api/v1/connections", self.gateway.base))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_string());
        let (status, answer) = read(request).await;
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["connection"]["status"], "active", "{answer}");
        answer["connection"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// The ID token's claims for a code.
    async fn redeem(&self, code: &Value) -> Value {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str().expect("a code")),
            ("redirect_uri", &format!("{}/cb", self.shop)),
            ("client_id", "shop"),
            ("client_secret", SECRET),
        ];
        let (status, answer) = self.gateway.token(&fields).await;
        assert_eq!(status, 200, "{answer}");
        claims(answer["id_token"].as_str().expect("an ID token"))
    }
}

async fn gateway(login: &Front, shop: &Front) -> Gateway {
    let application = format!(
        "[[applications]]\nclient_id = \"shop\"\nname = \"Shop\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"{}/cb\"]\n",
        shop.origin
    );
    let public = [("FEDGATE_SERVER__PUBLIC_URL", login.origin.as_str())];
    Gateway::configured(&application, &public).await
}

async fn serve_idp(front: Front) -> Arc<SamlIdp> {
    let options = SamlIdpOptions {
        base_url: front.origin.clone(),
        name: "Acme".to_owned(),
        people: person::acme(),
        key: KeyKind::EcP256,
        signed: Signed::Assertion,
    };
    let idp = Arc::new(SamlIdp::new(options, Arc::default()).expect("keys"));
    serve(front, Arc::clone(&idp).router()).await;
    idp
}

/// An application that shows what came back.
async fn serve_shop(front: Front, authorize_url: &str, by_post: &str) {
    let link = authorize_url.replace('&', "&amp;");
    let start = Html(format!(
        "<!doctype html><title>Shop</title><a href=\"{link}\">Sign in</a> <a href=\"{link}&amp;connection_id={by_post}\">By POST</a>"
    ));
    let back = Html("<!doctype html><title>Shop</title><p id=\"back\">Back at the shop");
    let router = Router::new()
        .route("/", get(async move || start))
        .route("/cb", get(async move || back));
    serve(front, router).await;
}

async fn serve(front: Front, router: Router) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    front.serve(listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// Plays every scene of `https.mjs`, and answers how each ended.
async fn played(sites: &Sites) -> Value {
    let mut command = node("https.mjs");
    command
        .env("SHOP", &sites.shop)
        .env("NAMES", [LOGIN, IDP, SHOP].join(" "))
        .env("KEY_HASH", &sites.key_hash)
        .env("PERSON", ALICE)
        .env("PASSWORD", PASSWORD)
        .env("LIE", Lie::WrongAudience.name())
        .env("SHOTS", screenshots("https"));
    run(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_across_three_sites_over_https_and_what_people_do_to_them() {
    let sites = Sites::start().await;
    let told = played(&sites).await;
    for (name, scene) in told.as_object().expect("scenes") {
        assert_eq!(scene["failed"], Value::Null, "{name}: {scene:#}");
        assert_eq!(scene["amiss"], json!([]), "{name}: {scene:#}");
    }
    for name in ["honest", "by_post"] {
        let scene = &told[name];
        assert_eq!(scene["iss"], sites.login, "{scene:#}");
        let claims = sites.redeem(&scene["code"]).await;
        assert_eq!(claims["email"], ALICE, "{claims}");
    }
    check_transport(&told["honest"]);
    assert_eq!(told["by_post"]["asked_from"], "cross-site");
    check_ends(&told);
}

/// The cookie as it was kept, and that the cross-site POST carried it.
fn check_transport(honest: &Value) {
    let cookie = json!({
        "name": "__Host-fedgate-login-", "domain": LOGIN, "path": "/", "secure": true, "httpOnly": true, "sameSite": "None",
    });
    assert_eq!(honest["cookies"], json!([cookie]));
    assert_eq!(
        honest["sent"],
        json!({"site": "cross-site", "cookie": true})
    );
    assert_eq!(honest["hsts"], "max-age=31536000");
}

/// How the scenes end that somebody spoils.
fn check_ends(told: &Value) {
    let ways = json!([
        "Start again",
        "Back to Shop",
        "Send this to your administrator"
    ]);
    let both = json!({"first": true, "second": true, "apart": true, "amiss": []});
    assert_eq!(told["two_tabs"], both);
    assert_eq!(told["dropped"]["refused"], "login.other_browser");
    for (name, code) in [
        ("back", "login.already_used"),
        ("reload", "saml.audience_mismatch"),
    ] {
        assert_eq!(told[name]["refused"], code, "{told:#}");
        assert_eq!(told[name]["ways"], ways, "{told:#}");
    }
    assert_eq!(told["reload_at_the_application"]["same"], true);
    assert_eq!(told["pressed_twice"]["codes"], 1);
    // Whichever came later: before the first had ended, or after.
    let late = ["login.already_used", "people.login_replayed"];
    let refused = told["pressed_twice"]["refused"]
        .as_str()
        .unwrap_or_default();
    assert!(late.contains(&refused), "{told:#}");
    let ended = told["double_click"]["ended"].as_str().unwrap_or_default();
    assert!(ended == "signed in" || late.contains(&ended), "{told:#}");
}
