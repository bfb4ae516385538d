//! What `fedgate check-config` says of a file, and what keeps the gateway from starting.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fedgate_tests::command::{Ran, run};
use fedgate_tests::seen;
use tempfile::TempDir;

const SERVER: &str = "[server]\npublic_url = \"https://login.example.com\"\n";

fn folder_with(text: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("fedgate.toml"), text).expect("a file");
    folder
}

fn check(folder: &Path, environment: &[(&str, &str)]) -> Ran {
    run(folder, &["check-config"], environment)
}

/// `line: key` and code of the only problem.
fn problem(text: &str) -> (String, &'static str) {
    let folder = folder_with(text);
    let ran = check(folder.path(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{text}");
    let first = ran.stderr.lines().next().expect("a line").to_owned();
    let place: Vec<&str> = first.splitn(4, ':').map(str::trim).collect();
    let codes: Vec<_> = seen::codes(&ran.stderr).into_iter().collect();
    assert_eq!(codes.len(), 1, "{}", ran.stderr);
    (format!("{}: {}", place[1], place[2]), codes[0])
}

fn application(lines: &str) -> String {
    format!("{SERVER}[[applications]]\nclient_id = \"a\"\n{lines}\n")
}

const REDIRECT: &str = "redirect_uris = [\"https://app.example/cb\"]";

#[test]
fn each_mistake_is_told_with_its_line_key_and_code() {
    #[rustfmt::skip]
    let cases = [
        ("publik = 1", "3: server.publik", "config.unknown_key"),
        ("listen = 1", "3: server.listen", "config.wrong_type"),
        ("listen = \"localhost:80\"", "3: server.listen", "config.listen"),
        ("trusted_proxies = [\"10.1.2.3/8\"]", "3: server.trusted_proxies[0]", "config.trusted_proxy"),
        ("[store]\nurl = \"mysql://x\"", "4: store.url", "config.store_url"),
        ("[store]\nurl = \"sqlite:\"", "4: store.url", "config.store_url"),
        ("[store]\nurl = \"postgres://u:p@h:x/d\"", "4: store.url", "config.store_url"),
        ("[store]\nurl = \"postgres:///d\"", "4: store.url", "config.store_url"),
        ("[ephemeral]\nurl = \"redis://u:p@x/db\"", "4: ephemeral.url", "config.ephemeral_url"),
        ("[email]\nsmtp_url = \"smtp://127.0.0.1\"", "4: email.smtp_url", "config.not_in_this_version"),
        ("[telemetry]\nlog_format = \"xml\"", "4: telemetry.log_format", "config.value"),
        ("[limits]\ncode_seconds = 0", "4: limits.code_seconds", "config.limit"),
        ("[limits]\ncode_seconds = -1", "4: limits.code_seconds", "config.limit"),
        ("[limits]\ncode_seconds = 4294967296", "4: limits.code_seconds", "config.limit"),
    ];
    for (lines, place, code) in cases {
        let text = format!("{SERVER}{lines}\n");
        assert_eq!(problem(&text), (place.to_owned(), code), "{lines}");
    }
}

#[test]
fn each_mistake_of_an_application_is_told() {
    #[rustfmt::skip]
    let cases = [
        ("redirect_uris = [\"http://app.example/cb\"]", "redirect_uris[0]", "config.redirect_uri"),
        ("redirect_uris = [\"https://*.example/cb\"]", "redirect_uris[0]", "config.redirect_uri"),
        ("redirect_uris = [\"javascript:alert(1)\"]", "redirect_uris[0]", "config.redirect_uri"),
        ("client_secret = \"s\"", "redirect_uris", "config.redirect_uri_missing"),
        ("grant_types = [\"client_credentials\"]", "grant_types", "config.client_credentials"),
        ("client_secret = \"s\"\nclient_secret_file = \"t\"\nredirect_uris = [\"https://app.example/cb\"]", "client_secret_file", "config.client_secret"),
        ("client_secret_file = \"absent\"\nredirect_uris = [\"https://app.example/cb\"]", "client_secret_file", "config.client_secret"),
        ("fallback_connection = \"conn_1\"\nredirect_uris = [\"https://app.example/cb\"]", "fallback_connection", "config.fallback_connection"),
        ("jwks = { keys = [] }\nredirect_uris = [\"https://app.example/cb\"]", "jwks", "config.jwks"),
        ("scopes = [\"read:everything\"]\nredirect_uris = [\"https://app.example/cb\"]", "scopes[0]", "config.scope"),
        ("grant_types = [\"password\"]\nredirect_uris = [\"https://app.example/cb\"]", "grant_types[0]", "config.value"),
    ];
    for (lines, key, code) in cases {
        let (place, found) = problem(&application(lines));
        let place = place.split_once(": ").expect("line and key").1.to_owned();
        assert_eq!(
            (place, found),
            (format!("applications[0].{key}"), code),
            "{lines}"
        );
    }
    let client_id =
        |id: &str| format!("{SERVER}[[applications]]\nclient_id = \"{id}\"\n{REDIRECT}\n");
    let odd = problem(&client_id("a b"));
    assert_eq!(
        odd,
        (
            "4: applications[0].client_id".to_owned(),
            "config.client_id"
        )
    );
    let twice = client_id("a") + &client_id("a").replace(SERVER, "");
    assert_eq!(
        problem(&twice),
        (
            "7: applications[1].client_id".to_owned(),
            "config.client_id_repeated"
        )
    );
    let absent = problem(&format!("{SERVER}[[applications]]\n{REDIRECT}\n"));
    assert_eq!(absent.1, "config.missing");
}

#[test]
fn the_public_url_is_an_origin_over_https() {
    for url in [
        "http://login.example.com",
        "https://login.example.com/path",
        "https://user@login.example.com",
        "http://127.0.0.1.example",
        "login.example.com",
    ] {
        let text = format!("[server]\npublic_url = \"{url}\"\n");
        assert_eq!(problem(&text).1, "config.public_url", "{url}");
    }
}

#[test]
fn a_file_that_is_no_configuration_is_told_from_one_with_mistakes() {
    let code = |text: &[u8]| {
        let folder = folder_with(text);
        let ran = check(folder.path(), &[]);
        assert_eq!(ran.code, Some(1));
        seen::codes(&ran.stderr).into_iter().next().expect("a code")
    };
    assert_eq!(code(b"[server\n"), "config.syntax");
    assert_eq!(code(&[0xff, 0xfe]), "config.unreadable");
    assert_eq!(
        code("#".repeat(1024 * 1024 + 1).as_bytes()),
        "config.too_large"
    );
    let empty = tempfile::tempdir().expect("a folder");
    let ran = check(empty.path(), &[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        seen::codes(&ran.stderr).contains("config.unreadable"),
        "{}",
        ran.stderr
    );
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_them() {
    let folder = folder_with(
        "[server]\nlisten = \"x\"\n[[applications]]\nclient_id = \"a b\"\nclient_secret = \"hush-hush\"\nclient_secret_file = \"x\"\n",
    );
    let ran = check(folder.path(), &[]);
    let told: Vec<_> = seen::codes(&ran.stderr).into_iter().collect();
    let expected = [
        "config.client_id",
        "config.client_secret",
        "config.listen",
        "config.missing",
        "config.redirect_uri_missing",
    ];
    assert_eq!(told, expected, "{}", ran.stderr);
    assert!(!ran.stderr.contains("hush-hush"));
}

#[test]
fn a_variable_is_named_in_its_mistake() {
    let folder = folder_with(SERVER);
    let ran = check(
        folder.path(),
        &[("FEDGATE_SERVER__LISTEN", "x"), ("FEDGATE_NO__SUCH", "1")],
    );
    assert_eq!(ran.code, Some(1));
    for expected in [
        "FEDGATE_SERVER__LISTEN",
        "[config.listen]",
        "FEDGATE_NO__SUCH",
        "[config.unknown_key]",
    ] {
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let mended = check(folder.path(), &[("FEDGATE_SERVER__LISTEN", "127.0.0.1:1")]);
    assert_eq!(mended.code, Some(0), "{}", mended.stderr);
}

mod master_key {
    use super::*;

    const TOKEN: [&str; 4] = ["token", "create", "--scope", "read:connections"];

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let ran = run(folder.path(), &["init"], &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        folder
    }

    /// Every code that both `token create` and `serve` end with.
    fn refused(folder: &Path) -> Vec<&'static str> {
        let [token, serve] = [&TOKEN[..], &["serve"]].map(|arguments| run(folder, arguments, &[]));
        assert_eq!((token.code, serve.code), (Some(1), Some(1)));
        assert_eq!(token.stdout, "");
        let codes = seen::codes(&token.stderr);
        assert_eq!(seen::codes(&serve.stderr), codes, "{}", serve.stderr);
        codes.into_iter().collect()
    }

    #[test]
    fn others_may_not_read_it() {
        let folder = folder();
        let key = folder.path().join("master.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        assert_eq!(refused(folder.path()), ["config.master_key_exposed"]);
    }

    #[test]
    fn a_damaged_one_is_not_replaced() {
        let folder = folder();
        let key = folder.path().join("master.key");
        std::fs::write(&key, "x").expect("a file");
        assert_eq!(refused(folder.path()), ["config.master_key"]);
        assert_eq!(std::fs::read_to_string(&key).expect("a file"), "x");
    }

    #[test]
    fn one_that_is_no_file_is_told() {
        let folder = folder();
        let key = folder.path().join("master.key");
        std::fs::remove_file(&key).expect("removed");
        std::fs::create_dir(&key).expect("a folder");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o700)).expect("a mode");
        assert_eq!(refused(folder.path()), ["config.master_key_file"]);
    }

    #[test]
    fn a_lost_one_is_not_made_anew_over_sealed_rows() {
        let folder = folder();
        assert_eq!(run(folder.path(), &TOKEN, &[]).code, Some(0));
        let key = folder.path().join("master.key");
        std::fs::remove_file(&key).expect("removed");
        assert_eq!(refused(folder.path()), ["config.master_key_absent"]);
        assert!(!key.exists());
    }
}
