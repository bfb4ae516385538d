//! PostgreSQL is killed, slow, read-only and full. It is a server of the test's own in each.

use fedgate_test_servers::postgres::{Postgres, as_owner, execute};
use fedgate_tests::gateway::{Gateway, Place, client};

use super::scene::{Logins, await_ready, codes_or_interrupted};

const COUNT: usize = 12;

async fn on(server: &Postgres) -> (Gateway, String) {
    let url = server.database();
    let gateway = Gateway::at(Place::Url(url.clone()), "", &[]).await;
    (gateway, url)
}

async fn is_alive(gateway: &Gateway) -> bool {
    let answer = client().get(format!("{}/healthz", gateway.base)).send();
    answer.await.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_comes_back_with_every_login_once() {
    let mut server = Postgres::start();
    let (gateway, _) = on(&server).await;
    let logins = Logins::prepare(&gateway, COUNT).await;
    let sent = logins.send();
    tokio::task::yield_now().await;
    server.kill();
    let codes = codes_or_interrupted(sent).await;
    await_ready(&gateway, false).await;
    assert!(is_alive(&gateway).await);
    let down = codes_or_interrupted(logins.send()).await;
    assert!(down.is_empty(), "{down:?}");
    server.resume();
    await_ready(&gateway, true).await;
    let more = logins.settle(codes.len()).await;
    assert_eq!(gateway.rows().await, logins.rows());
    logins.redeem_twice(&codes, false).await;
    logins.redeem_twice(&more, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_slow_delays_logins_and_loses_none() {
    let server = Postgres::start();
    let (gateway, url) = on(&server).await;
    let logins = Logins::prepare(&gateway, COUNT).await;
    let held = hold(&url, 1.0).await;
    let codes = codes_or_interrupted(logins.send()).await;
    held.await.expect("released");
    assert_eq!(codes.len(), COUNT);
    assert_eq!(gateway.rows().await, logins.rows());
    logins.redeem_twice(&codes, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_given_up_in_time_and_found_again() {
    let server = Postgres::start();
    let (gateway, url) = on(&server).await;
    let logins = Logins::prepare(&gateway, COUNT).await;
    let held = hold(&url, 12.0).await;
    let codes = codes_or_interrupted(logins.send()).await;
    assert!(codes.is_empty() && is_alive(&gateway).await);
    held.await.expect("released");
    let codes = logins.settle(0).await;
    assert_eq!(codes.len(), COUNT);
    assert_eq!(gateway.rows().await, logins.rows());
}

/// Holds a table that every login writes to, from now on and for so many seconds.
async fn hold(url: &str, seconds: f64) -> tokio::task::JoinHandle<()> {
    let (holder, other) = (url.to_owned(), url.to_owned());
    let held = tokio::task::spawn_blocking(move || {
        execute(
            &holder,
            &format!("BEGIN; LOCK TABLE marks; SELECT pg_sleep({seconds}); COMMIT"),
        );
    });
    let is_held = "SELECT count(*) FROM pg_locks WHERE relation = 'marks'::regclass AND mode = 'AccessExclusiveLock'";
    while execute(&other, is_held) == "0" {
        tokio::task::yield_now().await;
    }
    held
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_refuses_logins_until_it_writes() {
    let server = Postgres::start();
    let (gateway, url) = on(&server).await;
    let logins = Logins::prepare(&gateway, COUNT).await;
    set_read_only(&url, "on").await;
    let codes = codes_or_interrupted(logins.send()).await;
    assert!(codes.is_empty(), "{codes:?}");
    set_read_only(&url, "off").await;
    let codes = logins.settle(0).await;
    assert_eq!(codes.len(), COUNT);
    assert_eq!(gateway.rows().await, logins.rows());
    logins.redeem_twice(&codes, true).await;
}

/// As a primary that was demoted, for every session, those that are open included.
async fn set_read_only(url: &str, word: &str) {
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {word}");
    let writable = format!("{url}?options=-c%20default_transaction_read_only%3Doff");
    execute(&writable, &set);
    execute(&writable, "SELECT pg_reload_conf()");
    while execute(url, "SHOW default_transaction_read_only") != word {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_refuses_logins_until_there_is_some() {
    let server = Postgres::start();
    let (gateway, url) = on(&server).await;
    let logins = Logins::prepare(&gateway, COUNT).await;
    // Pages that take nothing more, so that the next event needs one more than the file may have.
    execute(
        &url,
        "ALTER TABLE outbox ALTER payload SET STORAGE PLAIN;
         ALTER TABLE outbox SET (fillfactor = 10);
         INSERT INTO outbox (type, payload, created_at) SELECT 'filler', 'x', 0 FROM generate_series(1, 400);
         INSERT INTO outbox (type, payload, created_at) SELECT 'filler', repeat('x', 8080), 0 FROM generate_series(1, 200)",
    );
    limit_files(&url, "1048576");
    let codes = codes_or_interrupted(logins.send()).await;
    assert!(codes.is_empty(), "{codes:?}");
    limit_files(&url, "unlimited");
    let codes = logins.settle(0).await;
    assert_eq!(codes.len(), COUNT);
    execute(&url, "DELETE FROM outbox WHERE type = 'filler'");
    assert_eq!(gateway.rows().await, logins.rows());
    logins.redeem_twice(&codes, true).await;
}

/// How large a file the server's processes may make: a full disk, for this server alone.
fn limit_files(url: &str, bytes: &str) {
    let parent = std::fs::read_to_string(format!(
        "{}/postmaster.pid",
        execute(url, "SHOW data_directory")
    ));
    let limit = |process: &str| {
        as_owner("prlimit")
            .args(["--pid", process, &format!("--fsize={bytes}:")])
            .status()
            .expect("prlimit")
    };
    let parent = parent.expect("a process");
    let parent = parent.lines().next().expect("a process");
    // Whatever the parent starts from here on has its limit, so that none is missed between the two.
    assert!(limit(parent).success());
    for process in execute(url, "SELECT pid FROM pg_stat_activity").lines() {
        // One that has ended meanwhile needs none.
        let _ = limit(process);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_forth_and_back_lets_nothing_count_twice() {
    let server = Postgres::start();
    let (gateway, _) = on(&server).await;
    let logins = Logins::prepare(&gateway, COUNT).await;
    let codes = codes_or_interrupted(logins.send()).await;
    assert_eq!(codes.len(), COUNT);
    for seconds in [3 * 60, -3 * 60, 40 * 60, -40 * 60, 65 * 60, -65 * 60] {
        gateway.app.clock.step(seconds);
        let swept = gateway.app.store.sweep(gateway.app.clock.now()).await;
        swept.expect("a sweep");
        for again in logins.send() {
            let ending = again.await.expect("an end").expect("an answer");
            let code = ending.refused().code;
            assert!(seconds > 0 || code == "people.login_replayed", "{code}");
        }
    }
    assert_eq!(gateway.rows().await, logins.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_lost_its_lock_to_another_lets_nobody_in() {
    let server = Postgres::start();
    let (gateway, url) = on(&server).await;
    let logins = Logins::prepare(&gateway, 1).await;
    let usurper = fedgate::store::Store::open(&url).await.expect("a store");
    // It waits for the lock that the gateway holds, and has it as soon as the gateway's session ends.
    let taking = async { while usurper.keep_alone().await.is_err() {} };
    let ending = async {
        while execute(
            &url,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
        ) == "0"
        {
            tokio::task::yield_now().await;
        }
        execute(
            &url,
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted",
        );
    };
    tokio::join!(taking, ending);
    await_ready(&gateway, false).await;
    let codes = codes_or_interrupted(logins.send()).await;
    assert!(codes.is_empty(), "{codes:?}");
    usurper.close().await;
    await_ready(&gateway, true).await;
    assert_eq!(logins.settle(0).await.len(), 1);
}
