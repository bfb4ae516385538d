//! What a sign-in costs.

use super::*;

/// User and system time of this process, in milliseconds.
fn cpu_milliseconds() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap() * 10)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it alone, with --release and --no-capture"]
#[expect(clippy::print_stderr, reason = "a measurement is for reading")]
async fn the_cost_of_a_sign_in() {
    const PEOPLE: u64 = 2_000;
    const LOGINS: u64 = 20_000;
    let scene =
        Scene::new(json!({ "is_trusted": true, "home_realm_domains": ["example.com"] })).await;
    let login = |handle: u64| {
        let mut login = ann(handle);
        login.identity.subject.value = format!("person {}", handle % PEOPLE);
        let mut key = [0; 32];
        StdRng::seed_from_u64(handle).fill_bytes(&mut key);
        login.identity.replay = Some(ReplayMark {
            key,
            until: later(300),
        });
        login
    };
    for (what, logins) in [("first", 0..PEOPLE), ("later", PEOPLE..PEOPLE + LOGINS)] {
        let (count, before) = (logins.end - logins.start, cpu_milliseconds());
        for handle in logins {
            scene.attempt(&login(handle)).await.unwrap();
        }
        eprintln!(
            "{what} login: {} µs of CPU",
            (cpu_milliseconds() - before) * 1000 / count
        );
    }
}
