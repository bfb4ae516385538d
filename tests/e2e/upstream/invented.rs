//! A provider that nobody has heard of, from one text, without a line of Rust.

use fedgate_lab::social::{Lie, number};
use fedgate_providers::spec::Spec;
use fedgate_tests::ending::Ending;
use fedgate_tests::upstream::BOB;
use serde_json::json;

use super::{Scene, bob};

/// The example of `docs/ADDING_A_PROVIDER.md`.
const DOCUMENT: &str = include_str!("../../../docs/ADDING_A_PROVIDER.md");

/// The first TOML block of the document.
fn example() -> &'static str {
    let block = DOCUMENT.split("```toml\n").nth(1).expect("an example");
    block.split("```").next().expect("its end")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_provider_signs_people_in() {
    Spec::invent("oauth2:globex", example()).expect("a spec");
    let scene = Scene::start().await;
    let connection = scene
        .connect(
            "oauth2:globex",
            json!({"base_url": "https://idp.globex.test"}),
        )
        .await;
    let code = Ending::of(&scene.login(&connection, Lie::Honest).await).code();
    let claims = scene.gateway.redeem(&code).await;
    assert_eq!(claims["email"], BOB);
    assert_eq!(claims["given_name"], "Bob");
    let told = &claims["ext_provider"];
    assert_eq!(told["strategy"], "oauth2:globex");
    assert_eq!(told["subject"], number(&bob()).to_string());
}

#[test]
fn a_spec_with_a_flaw_is_not_read() {
    let example = example();
    for (from, to, flaw) in [
        (
            "kind = \"url\"",
            "kind = \"text\"",
            "not an option that is safe in a URL",
        ),
        ("subject = ", "# subject = ", "fields.subject is missing"),
        ("label = ", "lable = ", "unknown field"),
    ] {
        let error = Spec::invent("oauth2:flawed", &example.replacen(from, to, 1)).expect_err(flaw);
        assert!(error.contains(flaw), "{error}");
    }
}
