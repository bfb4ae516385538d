//! What an honest login through each strategy brings.

use fedgate_lab::social::{Lie, number, uuid};
use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::ending::Ending;
use fedgate_tests::proved;
use fedgate_tests::upstream::BOB;
use serde_json::{Value, json};

use super::{Scene, TENANT, bob};

/// One strategy with the options of one connection.
struct Case {
    strategy: &'static str,
    options: Value,
    subject: String,
    /// Whether the address counts as verified: by itself, and where the connection is trusted with its domain.
    verified: (bool, bool),
    /// Whether there is an address at all.
    email: bool,
}

const TRUSTED: (bool, bool) = (false, true);
const NEVER: (bool, bool) = (false, false);
const CUSTOM: &str = r#"{
    "authorization_url": "https://idp.globex.test/authorize", "token_url": "https://idp.globex.test/token",
    "userinfo_url": "https://idp.globex.test/api/me", "user_id_key_attr": "data/user/uid",
    "email_key_attr": "data/user/contacts/1/value", "email_verified_key_attr": "data/user/contacts/1/confirmed"
}"#;
const CUSTOM_BY_HEADER: &str = r#"{
    "authorization_url": "https://idp.globex.test/authorize", "token_url": "https://idp.globex.test/token",
    "userinfo_url": "https://idp.globex.test/api/me", "user_id_key_attr": "data/user/uid",
    "email_key_attr": "data/user/contacts/1/value", "email_verified_key_attr": "data/user/contacts/1/confirmed",
    "client_auth_method": "client_secret_basic"
}"#;
const WORKSPACE: &str = r#"{"hosted_domains": ["Globex.test", "acme.test"]}"#;
const COMMON: &str = r#"{"is_use_common_endpoint": true, "allowed_tenants": ["TENANT"]}"#;
const GITHUB_SERVER: &str = r#"{"base_url": "https://github.globex.test/", "api_url": "https://github.globex.test/api/v3"}"#;
const GITLAB_SERVER: &str = r#"{"base_url": "https://gitlab.globex.test"}"#;
const PUBLIC: &str = r#"{"client_auth_method": "none", "client_secret": null}"#;

/// Strategy, options, subject, and whether the address counts as verified.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str, (bool, bool))] = &[
    ("oauth2:google", "{}", "ID", (true, true)),
    ("oidc:google_workspace", WORKSPACE, "ID", (true, true)),
    ("oauth2:apple", "{}", "ID", TRUSTED),
    ("oauth2:microsoft", "{}", "TENANT:UUID", TRUSTED),
    ("oauth2:microsoft", r#"{"tenant": "organizations"}"#, "TENANT:UUID", TRUSTED),
    ("oauth2:microsoft", r#"{"tenant": "consumers"}"#, "9188040d-6c67-4c5b-b112-36a304b66dad:UUID", TRUSTED),
    ("oauth2:azure_ad", r#"{"entra_id_domain": "globex.test"}"#, "TENANT:UUID", TRUSTED),
    ("oauth2:azure_ad", COMMON, "TENANT:UUID", TRUSTED),
    ("oauth2:facebook", "{}", "ID", NEVER),
    ("oauth2:github", "{}", "ID", TRUSTED),
    ("oauth2:github", GITHUB_SERVER, "ID", TRUSTED),
    ("oauth2:gitlab", "{}", "ID", TRUSTED),
    ("oauth2:gitlab", GITLAB_SERVER, "ID", NEVER),
    ("oauth2:bitbucket", "{}", "{UUID}", TRUSTED),
    ("oauth2:clever", "{}", "ID", NEVER),
    ("oauth2:discord", "{}", "ID", TRUSTED),
    ("oauth2:linkedin", "{}", "ID", TRUSTED),
    ("oauth2:roblox", "{}", "ID", NEVER),
    ("oauth2:slack", r#"{"team_id": "T0GLOBEX"}"#, "T0GLOBEX:ID", TRUSTED),
    ("oauth2:twitch", "{}", "ID", TRUSTED),
    ("oauth2:twitter", "{}", "ID", TRUSTED),
    ("oauth2:twitter", PUBLIC, "ID", TRUSTED),
    ("oauth2:xero", "{}", "UUID", TRUSTED),
    ("oauth2:custom", CUSTOM, "ID", TRUSTED),
    ("oauth2:custom", CUSTOM_BY_HEADER, "ID", TRUSTED),
];

fn cases() -> impl Iterator<Item = Case> {
    let (id, uuid) = (number(&bob()).to_string(), uuid(&bob()));
    CASES
        .iter()
        .map(move |(strategy, options, subject, verified)| {
            let options = options.replace("TENANT", TENANT);
            let subject = subject.replace("UUID", &uuid).replace("TENANT", TENANT);
            Case {
                strategy,
                options: serde_json::from_str(&options).expect("JSON"),
                subject: subject.replace("ID", &id),
                verified: *verified,
                email: *strategy != "oauth2:roblox",
            }
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_through_every_strategy_brings_the_same_person() {
    let scene = Scene::start().await;
    for case in cases() {
        let (claims, options) = signed_in(&scene, &case, json!({})).await;
        let told = &claims["ext_provider"];
        assert_eq!(
            told["subject"],
            case.subject.as_str(),
            "{} {options}",
            case.strategy
        );
        assert_eq!(told["strategy"], case.strategy);
        let email = if case.email { BOB.into() } else { Value::Null };
        assert_eq!(claims["email"], email, "{} {options}", case.strategy);
        if case.email {
            assert_eq!(
                claims["email_verified"], case.verified.0,
                "{} {options}",
                case.strategy
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_counts_as_the_spec_the_trust_and_the_domain_say() {
    for case in cases().filter(|case| case.email) {
        let scene = Scene::start().await;
        let trust = json!({"is_trusted": true, "home_realm_domains": ["globex.test"]});
        let (claims, options) = signed_in(&scene, &case, trust).await;
        assert_eq!(
            claims["email_verified"], case.verified.1,
            "{} {options}",
            case.strategy
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_comes_back_as_the_same_user() {
    let scene = Scene::start().await;
    for strategy in ["oauth2:github", "oauth2:microsoft", "oauth2:apple"] {
        let connection = scene.connect(strategy, json!({})).await;
        let mut users = Vec::new();
        for _ in 0..2 {
            let code = Ending::of(&scene.login(&connection, Lie::Honest).await).code();
            users.push(scene.gateway.redeem(&code).await["sub"].clone());
        }
        assert_eq!(users[0], users[1], "{strategy}");
    }
    proved!(oidc 57, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_do_not_fit_into_a_token_are_read_from_graph() {
    let scene = Scene::start().await;
    let options = json!({"entra_id_domain": "globex.test", "is_retrieve_provider_user_groups": true,
        "is_extended_attributes_required": true});
    let connection = scene.connect("oauth2:azure_ad", options).await;
    let code = Ending::of(&scene.login(&connection, Lie::Honest).await).code();
    let claims = scene.gateway.redeem(&code).await;
    assert_eq!(
        claims["ext_provider"]["claims"]["groups"],
        json!(bob().groups)
    );
    assert_eq!(claims["given_name"], "Bob");
}

async fn signed_in(scene: &Scene, case: &Case, more: Value) -> (Value, Value) {
    let mut options = case.options.clone();
    for (name, value) in more.as_object().expect("options") {
        options[name] = value.clone();
    }
    let connection = scene.connect(case.strategy, options.clone()).await;
    let page = scene.login(&connection, Lie::Honest).await;
    let code = match Ending::of(&page) {
        Ending::SignedIn { code } => code,
        other => panic!("{} {options}: {other:?} {}", case.strategy, page.body),
    };
    (scene.gateway.redeem(&code).await, options)
}
