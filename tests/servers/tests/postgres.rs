//! The servers themselves: they answer, come back on their folder, and do not outlive who started them.

use fedgate_test_servers::postgres::{Postgres, execute};

#[test]
fn a_server_answers_survives_a_kill_and_ends_with_its_value() {
    let mut server = Postgres::start();
    let url = server.database();
    execute(&url, "CREATE TABLE t (n INT); INSERT INTO t VALUES (7)");
    server.kill();
    server.resume();
    assert_eq!(execute(&url, "SELECT n FROM t"), "7");
    let other = server.database();
    assert_eq!(execute(&other, "SELECT to_regclass('t') IS NULL"), "t");
    drop(server);
}

#[test]
fn a_run_hands_its_server_to_the_command_and_ends_with_its_code() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fedgate-test-servers"))
        .args([
            "run",
            "--",
            "sh",
            "-c",
            "echo $FEDGATE_TEST_POSTGRES; exit 7",
        ])
        .output()
        .expect("the command");
    assert_eq!(output.status.code(), Some(7));
    let url = String::from_utf8_lossy(&output.stdout);
    assert!(url.starts_with("postgres://"), "{url}");
}

#[test]
fn a_killed_test_leaves_no_server_behind() {
    let script = "echo $FEDGATE_TEST_POSTGRES; kill -9 $PPID";
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fedgate-test-servers"))
        .args(["run", "--", "sh", "-c", script])
        .output()
        .expect("the command");
    let url = String::from_utf8_lossy(&output.stdout);
    let port = url
        .rsplit_once('/')
        .and_then(|(server, _)| server.rsplit_once(':'));
    let port = port.expect("a port").1;
    let listening = || std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while listening() {
        assert!(std::time::Instant::now() < deadline, "still there");
        fedgate_test_servers::process::pause();
    }
}
