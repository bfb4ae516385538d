//! A Redis that the gateway cannot rely on is told at start.

use std::path::Path;
use std::time::{Duration, Instant};

use fedgate_test_servers::redis::Redis;
use fedgate_tests::command::{Ran, run};
use fedgate_tests::gateway::{REDIRECT_URI, configuration};
use fedgate_tests::process::free_address;

fn serve(folder: &Path, url: &str) -> Ran {
    let text = configuration(&free_address().to_string(), REDIRECT_URI, "");
    std::fs::write(folder.join("fedgate.toml"), text).expect("a configuration");
    run(folder, &["serve"], &[("FEDGATE_EPHEMERAL__URL", url)])
}

fn refused(url: &str, code: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = serve(folder.path(), url);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("[{code}]")), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn a_redis_that_may_drop_what_is_alive_is_refused() {
    let redis = Redis::with(&["--maxmemory-policy", "allkeys-lru"]);
    let told = refused(&redis.url(), "ephemeral.evicts");
    assert!(told.contains("allkeys-lru"), "{told}");
}

#[test]
fn a_user_who_may_not_do_what_is_needed_is_refused() {
    let redis = Redis::start();
    redis.cli(&[
        "ACL", "SETUSER", "weak", "on", ">hush", "~*", "&*", "+@all", "-info",
    ]);
    let url = format!("redis://weak:hush@127.0.0.1:{}", redis.port());
    refused(&url, "ephemeral.unsuitable");
    refused(&url.replace(":hush@", ":hushhush@"), "ephemeral.unsuitable");
}

#[test]
fn the_rights_that_the_documentation_lists_are_enough() {
    let redis = Redis::start();
    let rights = "+eval +evalsha +script|load +info +time +get +set +setrange +exists +del +incr +pexpire +zadd +zrem +zcount \
        +zremrangebyscore +publish +subscribe +ping +select";
    let documented = include_str!("../../../docs/OPERATIONS.md");
    for right in rights.split_whitespace() {
        assert!(documented.contains(right), "{right}");
    }
    let mut user = vec![
        "ACL",
        "SETUSER",
        "fedgate",
        "on",
        ">hush",
        "~fedgate:*",
        "&fedgate:*",
    ];
    user.extend(rights.split_whitespace());
    redis.cli(&user);
    let url = format!("redis://fedgate:hush@127.0.0.1:{}", redis.port());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(super::redis::signs_in(&url));
}

#[test]
fn a_redis_that_is_not_there_is_waited_for_within_a_bound() {
    let began = Instant::now();
    refused("redis://:hush@127.0.0.1:1", "ephemeral.unavailable");
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(4) && took < Duration::from_secs(15),
        "{took:?}"
    );
}
