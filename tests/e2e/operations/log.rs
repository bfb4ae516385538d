//! The log: one line for each request and each login, and nothing in it that opens anything.

use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::proved;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use fedgate_lab::oidc_op::Lie as OidcLie;
use fedgate_lab::saml_idp::Lie;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{Remote, SECRET, client, read};
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::served::Served;
use fedgate_tests::upstream::{ALICE, BOB, Connected, OidcUpstream, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{FEDGATE, PROXIED};

const LOUDEST: &str = "info,fedgate=trace,fedgate_providers=trace,fedgate_certs=trace";
const PERSON: &str = "198.51.100.7";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0waw\n-----END PRIVATE KEY-----";

fn start() -> Served {
    let environment = [
        ("RUST_LOG", LOUDEST),
        ("FEDGATE_SERVER__TRUSTED_PROXIES", PROXIED),
    ];
    let more = "[telemetry]\nlog_format = \"json\"\n";
    Served::start(Path::new(FEDGATE), more, &environment)
}

/// What must never be in a log, by name.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// A secret, and the middle of it: a log may cut what it shows.
    fn add(&mut self, name: &'static str, secret: &str) {
        assert!(secret.len() >= 8, "{name}: {secret}");
        self.0.push((name, secret.to_owned()));
        if secret.len() > 120 {
            let from = secret.len() / 2;
            self.0.push((name, secret[from..from + 40].to_owned()));
        }
    }

    fn cookies(&mut self, browser: &fedgate_tests::browser::Browser) {
        for value in browser.cookies().values() {
            self.add("a cookie", value);
        }
    }

    fn found_in(&self, log: &str) -> Vec<&'static str> {
        let found = self.0.iter().filter(|(_, secret)| log.contains(secret));
        found.map(|(name, _)| *name).collect()
    }
}

/// Signs in by SAML, well and badly, and redeems the code.
async fn by_saml(gateway: &Remote, connection: &Connected, secrets: &mut Secrets) -> String {
    let asked = [
        ("connection_id", connection.id.as_str()),
        ("state", "a-state-of-the-application"),
    ];
    let mut reference = String::new();
    for lie in [Lie::WrongAudience.name(), ""] {
        let mut browser = gateway.browser();
        browser.set_header("x-forwarded-for", PERSON);
        let login = begin(&mut browser, gateway, &asked).await;
        secrets.cookies(&browser);
        let form = saml_response(&mut browser, &login, ALICE, lie).await;
        let response = form.fields.iter().find(|(name, _)| name == "SAMLResponse");
        secrets.add("an assertion", &response.expect("a response").1);
        match Ending::of(&browser.submit(&form, &[]).await) {
            Ending::Refused(refused) => reference = refused.reference,
            ending => redeem(gateway, &ending.code(), secrets).await,
        }
        secrets.cookies(&browser);
        // The same answer once more, and in another browser.
        browser.submit(&form, &[]).await;
        gateway.browser().submit(&form, &[]).await;
    }
    reference
}

async fn by_oidc(gateway: &Remote, connection: &Connected, secrets: &mut Secrets) {
    let lies = [
        OidcLie::Honest,
        OidcLie::Tampered,
        OidcLie::InvalidGrant,
        OidcLie::InvalidClient,
    ];
    for lie in lies.map(OidcLie::name) {
        let mut browser = gateway.browser();
        let asked = [("connection_id", connection.id.as_str())];
        let login = begin(&mut browser, gateway, &asked).await;
        secrets.cookies(&browser);
        let page = answer(&mut browser, &login, BOB, lie).await;
        for url in &page.visited {
            for (name, value) in url.query_pairs() {
                if name == "code" && value.len() >= 8 {
                    secrets.add("an upstream's code", &value);
                }
            }
        }
        if let Ending::SignedIn { code } = Ending::of(&page) {
            redeem(gateway, &code, secrets).await;
        }
    }
}

async fn redeem(gateway: &Remote, code: &str, secrets: &mut Secrets) {
    secrets.add("a code", code);
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "http://127.0.0.1:9/cb"),
        ("client_id", "web"),
        ("client_secret", SECRET),
    ];
    let (_, tokens) = gateway.token(&fields).await;
    for name in ["access_token", "id_token"] {
        secrets.add("a token", tokens[name].as_str().expect("a token"));
    }
    let userinfo = client().get(format!("{}/oauth2/v2/user_profile", gateway.base));
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(read(userinfo.bearer_auth(access_token)).await.0, 200);
    // Redeemed again, and with a wrong secret.
    gateway.token(&fields).await;
    let mut wrong = fields;
    wrong[4].1 = "a-wrong-secret-nearly-right";
    secrets.add("a wrong secret", wrong[4].1);
    gateway.token(&wrong).await;
}

async fn through_the_api(gateway: &Remote, secrets: &mut Secrets) {
    secrets.add("an API token", &gateway.api_token().await);
    for strategy in ["oidc:custom", "oidc:nonsense"] {
        let body = json!({
            "name": "Initech", "strategy": strategy, "status": "active",
            "options": {"issuer": "http://127.0.0.1:9", "client_id": "c", "client_secret": PEM, "nonsense": "an-option-of-no-use"},
        });
        let (status, _) = gateway
            .api(Method::POST, "/api/v1/connections", Some(body))
            .await;
        assert!(status >= 400);
    }
    secrets.add(
        "a private key",
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0waw",
    );
    let bad = client().get(format!("{}/api/v1/connections", gateway.base));
    secrets.add("a wrong token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.wrong");
    read(bad.bearer_auth("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.wrong")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_opens_anything_is_in_the_log_at_its_loudest() {
    let mut gateway = start();
    let mut secrets = Secrets::default();
    secrets.add("a client secret", SECRET);
    let (saml, oidc) = (SamlUpstream::start().await, OidcUpstream::start().await);
    let acme = saml.connect(&gateway, json!({})).await;
    let globex = oidc.connect(&gateway, json!({})).await;
    let reference = by_saml(&gateway, &acme, &mut secrets).await;
    by_oidc(&gateway, &globex, &mut secrets).await;
    through_the_api(&gateway, &mut secrets).await;
    gateway.terminate();
    assert!(gateway.wait().success());
    let log = gateway.log();
    assert!(log.lines().count() > 40, "{log}");
    assert_eq!(secrets.found_in(&log), Vec::<&str>::new(), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let requests = lines.iter().filter(|line| line["message"] == "request");
    let of_login: Vec<_> = requests
        .filter(|line| line["reference"] == reference.as_str())
        .collect();
    let [line] = of_login.as_slice() else {
        panic!("one line a request: {of_login:?}");
    };
    let expected = json!([
        "/saml/{connection_id}/acs",
        "POST",
        400,
        PERSON,
        "saml.audience_mismatch"
    ]);
    let told = json!([
        line["route"],
        line["method"],
        line["status"],
        line["client"],
        line["code"]
    ]);
    assert_eq!(told, expected, "{line}");
    assert!(
        line["milliseconds"].as_f64().is_some_and(|took| took > 0.0),
        "{line}"
    );
    let ended = lines.iter().filter(|line| line["message"] == "login ended");
    let references: BTreeSet<_> = ended
        .filter_map(|line| line["reference"].as_str())
        .collect();
    assert!(references.contains(reference.as_str()) && references.len() >= 10);
    proved!(oidc 46, ACCEPTED);
}

#[test]
fn no_password_of_a_store_is_shown_by_a_gateway_that_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[server]\npublic_url = \"http://127.0.0.1:1\"\nlisten = \"127.0.0.1:1\"\n";
    std::fs::write(folder.path().join("fedgate.toml"), config).expect("a file");
    for (name, url) in [
        (
            "FEDGATE_STORE__URL",
            "postgres://fedgate:a-marked-password@127.0.0.1:9/fedgate",
        ),
        (
            "FEDGATE_STORE__URL",
            "postgres://fedgate:a-marked-password@127.0.0.1:nonsense/",
        ),
        (
            "FEDGATE_EPHEMERAL__URL",
            "redis://:a-marked-password@127.0.0.1:9/0",
        ),
        (
            "FEDGATE_EPHEMERAL__URL",
            "redis://:a-marked-password@[nonsense",
        ),
        (
            "FEDGATE_TELEMETRY__OTLP_ENDPOINT",
            "http://u:a-marked-password@127.0.0.1:9",
        ),
    ] {
        let mut command = Command::new(FEDGATE);
        command
            .arg("serve")
            .current_dir(folder.path())
            .env("RUST_LOG", "trace")
            .env(name, url);
        let output = command.output().expect("it runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{url}");
        assert!(!told.contains("a-marked-password"), "{told}");
    }
}
