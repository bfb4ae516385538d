//! The gateway's own process on PostgreSQL: ended in order under load, and started twice.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use fedgate_test_servers::postgres::Database;
use fedgate_tests::gateway::{Place, REDIRECT_URI, Remote, configuration_at};
use fedgate_tests::process::{Process, free_address};
use fedgate_tests::rows::Rows;
use tempfile::TempDir;

use super::scene::Logins;

/// The program with a configuration of its own.
pub(super) fn program(place: &Place, address: SocketAddr) -> (TempDir, Command) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fedgate.toml");
    let text = configuration_at(place, &address.to_string(), REDIRECT_URI, "");
    std::fs::write(&file, text).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate-crashing"));
    command.arg("serve").arg("--config").arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    (folder, command)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_when_the_gateway_is_told_to_end_is_finished() {
    let (place, address) = (Place::Database(Database::fresh()), free_address());
    let (folder, command) = program(&place, address);
    let mut process = Process::start(command, address);
    let remote = Remote {
        base: format!("http://{address}"),
    };
    let logins = Logins::prepare(&remote, 24).await;
    let sent = logins.send();
    tokio::task::yield_now().await;
    let told = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(told.expect("kill").success());
    let mut accepted = 0;
    for login in sent {
        // One whose connection came too late to be taken has no answer.
        if let Some(ending) = login.await.expect("an end") {
            ending.code();
            accepted += 1;
        }
    }
    assert_eq!(process.wait().code(), Some(0));
    // Whatever was written was also answered.
    assert_eq!(Rows::count(folder.path()).await.sessions, accepted);
    let (_folder, command) = program(&place, address);
    // It comes back with another master key, and says so.
    let refused = output(command);
    assert!(refused.contains("config.master_key_absent"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_the_database_is_refused_with_the_reason() {
    let (place, address) = (Place::Database(Database::fresh()), free_address());
    let (_first_folder, command) = program(&place, address);
    let first = Process::start(command, address);
    let (_second_folder, command) = program(&place, free_address());
    let refused = output(command);
    assert!(refused.contains("store.held"), "{refused}");
    fedgate_tests::seen::note(&refused);
    drop(first);
    let (_third_folder, command) = program(&place, address);
    let refused = output(command);
    assert!(!refused.contains("store.held"), "{refused}");
}

/// What a program that ends with a failure says.
pub(super) fn output(mut command: Command) -> String {
    let output = command.stderr(Stdio::piped()).output().expect("an end");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
