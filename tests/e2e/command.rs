//! The commands beside the server: what an operator types and gets.

use std::os::unix::fs::PermissionsExt as _;

use fedgate_tests::command::run;
use fedgate_tests::gateway::{Gateway, claims, client, read};
use fedgate_tests::seen;
use serde_json::Value;

use super::metadata::{Document, codes_of_verify};

#[test]
fn init_writes_a_sound_configuration_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(folder.path(), &["init", "new/place"], &[]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let place = folder.path().join("new/place");
    let key = place.join("master.key");
    let permissions = std::fs::metadata(&key).expect("a key").permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    let checked = run(&place, &["check-config"], &[]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert!(checked.stdout.contains("sound"), "{}", checked.stdout);
    let before = std::fs::read(&key).expect("a key");
    let again = run(folder.path(), &["init", "new/place"], &[]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("nothing was written"),
        "{}",
        again.stderr
    );
    assert_eq!(std::fs::read(&key).expect("a key"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_command_passes_at_the_running_server() {
    let gateway = Gateway::start().await;
    let scope = "read:connections";
    let ran = run(
        gateway.folder(),
        &["token", "create", "--scope", scope],
        &[],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let token = ran.stdout.strip_suffix('\n').expect("one line");
    assert!(!token.contains(char::is_whitespace), "{token:?}");
    assert_eq!(claims(token)["scope"], scope);
    let call = |path: &str| {
        client()
            .get(format!("{}{path}", gateway.base))
            .bearer_auth(token)
    };
    assert_eq!(read(call("/api/v1/connections")).await.0, 200);
    let (status, answer) = read(call("/api/v1/organizations")).await;
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (403, &Value::from("api.scope_missing"))
    );
}

#[test]
fn wrong_usage_is_2_and_tells_how() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, told) in [
        (&["nonsense"][..], "unrecognized subcommand"),
        (&["token", "create"], "--scope"),
        (
            &["token", "create", "--scope", "read:conections"],
            "read:connections is",
        ),
        (&["token", "create", "--scope", " "], "at least one scope"),
        (&["explain"], "REFERENCE"),
        (&["saml", "inspect", "absent.xml"], "absent.xml"),
    ] {
        let ran = run(folder.path(), arguments, &[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert_eq!(run(folder.path(), &["--version"], &[]).code, Some(0));
    assert_eq!(run(folder.path(), &["--help"], &[]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_the_story_behind_a_reference() {
    let gateway = Gateway::start().await;
    let unknown = run(gateway.folder(), &["explain", "FG-AAAAAAAA"], &[]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""));
    let url = gateway.authorize_url(&[("connection_id", &format!("conn_{}", "0".repeat(32)))]);
    let mut browser = gateway.browser();
    let page = browser.step(&url).await;
    assert_eq!(page.status, 303, "{}", page.body);
    gateway.app.traces.flush().await;
    let traces = gateway.app.store.traces("", 1).await.expect("a store");
    let reference = traces[0].reference.to_lowercase();
    let ran = run(gateway.folder(), &["explain", &reference], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("route.connection_not_enabled"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("web"), "{}", ran.stdout);
}

#[test]
fn inspect_explains_metadata_without_a_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("idp.xml"), Document::default().xml()).expect("a file");
    let ran = run(folder.path(), &["saml", "inspect", "idp.xml"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for word in [
        "https://idp.example",
        "https://idp.example/sso",
        "RSA, 2048 bits",
    ] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    let json = run(
        folder.path(),
        &["saml", "inspect", "--json", "idp.xml"],
        &[],
    );
    serde_json::from_str::<Value>(&json.stdout).expect("JSON");
    std::fs::write(folder.path().join("page.html"), "<html><br></html>").expect("a file");
    let page = run(folder.path(), &["saml", "inspect", "page.html"], &[]);
    assert_eq!(page.code, Some(1));
    assert_eq!(seen::codes(&page.stdout).len(), 1, "{}", page.stdout);
}

#[test]
fn verify_tells_metadata_that_is_too_large() {
    let large = format!("<!--{}-->", " ".repeat(4 * 1024 * 1024));
    let document = large + &Document::default().xml();
    assert_eq!(codes_of_verify(&document), ["metadata.too_large"]);
}
