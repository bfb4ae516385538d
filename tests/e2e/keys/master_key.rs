//! The master key changes while the gateway goes on, also where it is killed in between.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use fedgate_tests::command::{Ran, run};
use fedgate_tests::gateway::{Gateway, Place, REDIRECT_URI, Remote, SECRET, configuration_at};
use fedgate_tests::process::{Process, free_address};
use fedgate_tests::replicas::becomes;
use reqwest::Method;
use serde_json::json;

use super::SOON;

/// SIGABRT: what a crash point ends the process with.
const ABORTED: i32 = 6;

fn verify(folder: &Path) -> Ran {
    run(
        folder,
        &["secrets", "verify", "--config", "fedgate.toml"],
        &[],
    )
}

fn serve(folder: &Path, address: SocketAddr, crash_at: Option<&str>) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate-crashing"));
    command
        .args(["serve", "--config"])
        .arg(folder.join("fedgate.toml"));
    if let Some(point) = crash_at {
        command.env("FEDGATE_CRASH_AT", point);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Process::start(command, address)
}

/// With the new key alone everything opens, and with the old one nothing.
fn the_key_of_before_can_go(folder: &Path) {
    let file = folder.join("fedgate.toml");
    let text = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(
        &file,
        text.replace("previous_master_key_file = \"previous.key\"\n", ""),
    )
    .expect("a file");
    assert_eq!(verify(folder).code, Some(0));
    std::fs::rename(folder.join("previous.key"), folder.join("master.key")).expect("a file");
    assert_eq!(verify(folder).code, Some(1));
}

/// By which signal a gateway ended that dies on its own before or after it listens.
fn crashed(folder: &Path, point: &str) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate-crashing"));
    command
        .args(["serve", "--config"])
        .arg(folder.join("fedgate.toml"))
        .env("FEDGATE_CRASH_AT", point)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().expect("the command runs").signal()
}

fn oauth(name: &str) -> serde_json::Value {
    let options = json!({ "client_id": "c", "client_secret": format!("secret of {name}") });
    json!({ "name": name, "strategy": "oauth2:github", "status": "draft", "options": options })
}

/// Puts another master key in place of the one that is there.
fn rotate(folder: &Path) {
    let (current, previous) = (folder.join("master.key"), folder.join("previous.key"));
    std::fs::rename(&current, &previous).expect("a file");
    let made = run(folder, &["init", "made"], &[]);
    assert_eq!(made.code, Some(0), "{made:?}");
    std::fs::rename(folder.join("made/master.key"), &current).expect("a file");
    let file = folder.join("fedgate.toml");
    let text = std::fs::read_to_string(&file).expect("a file");
    let named = "master_key_file = \"master.key\"\nprevious_master_key_file = \"previous.key\"\n";
    let text = text.replace("master_key_file = \"master.key\"\n", named);
    std::fs::write(&file, text).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_while_it_seals_anew_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, address) = (Place::fresh(), free_address());
    let text = configuration_at(&place, &address.to_string(), REDIRECT_URI, "");
    std::fs::write(folder.path().join("fedgate.toml"), text).expect("a configuration");
    let remote = Remote {
        base: format!("http://{address}"),
    };
    let mut process = serve(folder.path(), address, None);
    for name in ["a", "b", "c"] {
        remote.create_connection(oauth(name)).await;
    }
    let application = json!({ "name": "later", "type": "m2m" });
    let (_, application) = remote
        .api(Method::POST, "/api/v1/applications", Some(application))
        .await;
    let before = verify(folder.path());
    assert_eq!(before.code, Some(0), "{before:?}");
    process.kill();
    rotate(folder.path());
    // Killed after one box: it is sealed anew, the others are not, and each opens.
    assert_eq!(crashed(folder.path(), "reseal.box"), Some(ABORTED));
    let halfway = verify(folder.path());
    assert_eq!(halfway.code, Some(0), "{halfway:?}");
    assert!(
        halfway.stdout.contains("mac_root: 1 opened, 0 of them"),
        "{halfway:?}"
    );
    assert!(
        halfway.stdout.contains("keys: 4 opened, 4 of them"),
        "{halfway:?}"
    );
    assert!(
        halfway.stdout.contains("7 secrets still need it"),
        "{halfway:?}"
    );
    let mut process = serve(folder.path(), address, None);
    becomes(SOON, "everything is sealed anew", async || {
        verify(folder.path()).stdout.contains("not needed any more")
    })
    .await;
    // What is only hashed is known as before: a configured secret, and one that nobody could hash anew.
    remote.api_token().await;
    let id = application["application"]["client_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let secret = application["application"]["client_secret"]
        .as_str()
        .expect("a secret");
    let audience = format!("{}/api", remote.base);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret),
        ("audience", audience.as_str()),
    ];
    let (status, answer) = remote.token(&fields).await;
    assert_ne!(answer["error"], "invalid_client", "{status} {answer}");
    process.kill();
    the_key_of_before_can_go(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_while_it_rotates_has_one_signer_afterwards() {
    for point in ["rotation.made", "rotation.moved"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (place, address) = (Place::fresh(), free_address());
        let more =
            "[limits]\nkey_check_seconds = 1\ncache_seconds = 1\ntoken_key_announced_seconds = 3\n";
        let text = configuration_at(&place, &address.to_string(), REDIRECT_URI, more);
        std::fs::write(folder.path().join("fedgate.toml"), text).expect("a configuration");
        let remote = Remote {
            base: format!("http://{address}"),
        };
        let mut process = serve(folder.path(), address, Some(point));
        let token = remote.api_token().await;
        let asked = fedgate_tests::gateway::client().post(format!("{}/api/v1/keys", remote.base));
        let asked = asked
            .bearer_auth(&token)
            .header("content-type", "application/json");
        // The first point ends the request, the second one the look that would let the key take over.
        let told = asked
            .body(json!({ "purpose": "tokens" }).to_string())
            .send()
            .await;
        assert_eq!(told.is_err(), point == "rotation.made");
        assert_eq!(process.wait().signal(), Some(ABORTED), "{point}");
        let verified = verify(folder.path());
        assert_eq!(verified.code, Some(0), "{verified:?}");
        let _process = serve(folder.path(), address, None);
        let audience = [
            ("grant_type", "client_credentials"),
            ("client_id", "ops"),
            ("client_secret", SECRET),
        ];
        let asked = format!("{}/api", remote.base);
        let mut fields = audience.to_vec();
        fields.push(("audience", &asked));
        assert_eq!(remote.token(&fields).await.0, 200, "{point}");
        becomes(SOON, "one signs of each algorithm", async || {
            let (_, listed) = remote.api(Method::GET, "/api/v1/keys", None).await;
            let keys = listed["keys"].as_array().expect("keys").clone();
            let count = |stage: &str| {
                keys.iter()
                    .filter(|key| key["purpose"] == "tokens" && key["stage"] == stage)
                    .count()
            };
            count("active") == 2 && count("announced") == 0
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_box_is_named_and_ends_the_verification_badly() {
    let mut gateway = Gateway::at(Place::File, "", &[]).await;
    gateway.create_connection(oauth("a")).await;
    gateway.stop().await;
    gateway.app.store.close().await;
    let file = fedgate_tests::gateway::database(gateway.folder());
    let sound = verify(gateway.folder());
    assert_eq!(sound.code, Some(0), "{sound:?}");
    let store = fedgate::store::Store::open(&format!("sqlite:{}", file.display()))
        .await
        .expect("a store");
    let place = fedgate::store::sealed::Place::Connections;
    let boxes = store.sealed_after(place, "", 9).await.expect("boxes");
    let mut altered = boxes[0].octets.clone();
    altered[20] ^= 1;
    assert!(
        store
            .reseal(place, &boxes[0], &altered)
            .await
            .expect("written")
    );
    store.close().await;
    let damaged = verify(gateway.folder());
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert!(
        damaged
            .stdout
            .contains("connections: 0 opened, 0 of them with the previous key, 1 failed"),
        "{damaged:?}"
    );
    assert!(
        damaged
            .stdout
            .contains(&format!("does not open: connections {}", boxes[0].id)),
        "{damaged:?}"
    );
}
