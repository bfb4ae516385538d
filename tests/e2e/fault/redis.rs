//! Redis dies, is full, or is slow. Nothing is redeemed twice, and logins go on by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fedgate_test_servers::redis::Redis;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{Remote, client, read};
use fedgate_tests::replicas::{Replicas, becomes, login, redeem};
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use serde_json::json;
use tokio::task::JoinSet;

/// How soon logins go on.
pub(super) const RECOVERY: Duration = Duration::from_secs(20);
/// People who sign in at the same time.
const PEOPLE: usize = 3;

pub(super) async fn scene(redis: &str) -> (Replicas, SamlUpstream, Connected) {
    let replicas = Replicas::start(redis, "").await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(replicas.at(0), json!({})).await;
    (replicas, idp, connection)
}

/// Logins that run until they are stopped, each step at another replica, each code redeemed at both at once.
pub(super) struct Traffic {
    redeemed: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    people: JoinSet<Outcome>,
}

/// What became of them.
#[derive(Default)]
pub(super) struct Outcome {
    /// Codes that were redeemed.
    pub(super) codes: Vec<String>,
    /// With what others were refused.
    pub(super) refusals: BTreeSet<String>,
}

impl Traffic {
    pub(super) fn start(replicas: &Replicas, connection: &Connected) -> Self {
        let gateway = replicas.balancer.alternate(0).clone();
        let mut traffic = Self {
            redeemed: Arc::default(),
            refused: Arc::default(),
            stop: Arc::default(),
            people: JoinSet::new(),
        };
        for _ in 0..PEOPLE {
            let (gateway, connection) = (gateway.clone(), connection.id.clone());
            let counts = (traffic.redeemed.clone(), traffic.refused.clone());
            let stop = traffic.stop.clone();
            traffic.people.spawn(async move {
                let mut outcome = Outcome::default();
                while !stop.load(Ordering::SeqCst) {
                    sign_in(&gateway, &connection, &counts, &mut outcome).await;
                }
                outcome
            });
        }
        traffic
    }

    /// Waits until some more were redeemed.
    pub(super) async fn goes_on(&self) {
        let before = self.redeemed.load(Ordering::SeqCst);
        becomes(RECOVERY, "logins go on", async || {
            self.redeemed.load(Ordering::SeqCst) >= before + 5
        })
        .await;
    }

    /// Waits until some more were refused.
    pub(super) async fn is_refused(&self) {
        let before = self.refused.load(Ordering::SeqCst);
        becomes(RECOVERY, "logins are refused", async || {
            self.refused.load(Ordering::SeqCst) > before
        })
        .await;
    }

    pub(super) async fn end(mut self) -> Outcome {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Outcome::default();
        while let Some(outcome) = self.people.join_next().await {
            let outcome = outcome.expect("an end");
            all.codes.extend(outcome.codes);
            all.refusals.extend(outcome.refusals);
        }
        all
    }
}

async fn sign_in(
    gateway: &Remote,
    connection: &str,
    (redeemed, refused): &(Arc<AtomicUsize>, Arc<AtomicUsize>),
    outcome: &mut Outcome,
) {
    match login(gateway, connection, ALICE).await {
        Ending::SignedIn { code } => {
            let (one, other) = tokio::join!(redeem(gateway, &code), redeem(gateway, &code));
            let answers = [one, other];
            let successes = answers.iter().filter(|answer| answer.0 == 200).count();
            assert!(successes <= 1, "redeemed twice");
            redeemed.fetch_add(successes, Ordering::SeqCst);
            refused.fetch_add(usize::from(successes == 0), Ordering::SeqCst);
            if successes == 1 {
                outcome.codes.push(code);
            }
            outcome.refusals.extend(
                answers
                    .into_iter()
                    .map(|answer| answer.1)
                    .filter(|code| !code.is_empty()),
            );
        }
        Ending::Refused(page) => {
            refused.fetch_add(1, Ordering::SeqCst);
            outcome.refusals.insert(page.code);
        }
        other => panic!("{other:?}"),
    }
}

/// Nothing that was redeemed is redeemed again, and nobody saw anything but what a fault of Redis explains.
pub(super) async fn nothing_twice(replicas: &Replicas, outcome: &Outcome) {
    for code in &outcome.codes {
        let (status, refusal) = redeem(replicas.balancer.alternate(0), code).await;
        let expected = ["op.code_replayed", "op.code_unknown"];
        assert!(
            status == 400 && expected.contains(&refusal.as_str()),
            "{status} {refusal}"
        );
    }
    let explained = [
        "ephemeral.unavailable",
        "op.code_replayed",
        "op.code_unknown",
    ];
    let strange = outcome
        .refusals
        .iter()
        .filter(|code| !explained.contains(&code.as_str()));
    assert_eq!(strange.count(), 0, "{:?}", outcome.refusals);
    let rows = replicas.a.rows().await;
    assert_eq!((rows.users, rows.identities), (1, 1), "{rows:?}");
    assert_eq!(rows.marks, 2 * rows.sessions, "{rows:?}");
}

async fn readiness(gateway: &Remote) -> (u16, serde_json::Value) {
    read(client().get(format!("{}/readyz", gateway.base))).await
}

async fn killed_and_started_again(settings: &[&str]) {
    let mut redis = Redis::with(settings);
    let (replicas, _idp, connection) = scene(&redis.url()).await;
    let waiting = login(replicas.at(0), &connection.id, ALICE).await.code();
    let traffic = Traffic::start(&replicas, &connection);
    traffic.goes_on().await;
    redis.kill();
    traffic.is_refused().await;
    let (status, said) = readiness(&replicas.a).await;
    let parts = [said["store"].as_str(), said["ephemeral"].as_str()];
    assert_eq!((status, parts), (503, [Some("ok"), Some("unavailable")]));
    redis.resume();
    traffic.goes_on().await;
    let outcome = traffic.end().await;
    assert!(
        outcome.refusals.contains("ephemeral.unavailable"),
        "{:?}",
        outcome.refusals
    );
    nothing_twice(&replicas, &outcome).await;
    // It waited while Redis died: it is burnt, and the person starts again.
    assert_eq!(
        redeem(replicas.at(0), &waiting).await,
        (400, "op.code_unknown".to_owned())
    );
    assert_eq!(readiness(&replicas.a).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_and_forgets_is_taken_up_again() {
    killed_and_started_again(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_and_remembers_hands_out_nothing_twice() {
    killed_and_started_again(&["--appendonly", "yes"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_request_is_told_to_come_again_while_redis_is_away() {
    let mut redis = Redis::start();
    let (replicas, _idp, connection) = scene(&redis.url()).await;
    let code = login(replicas.at(0), &connection.id, ALICE).await.code();
    redis.kill();
    assert_eq!(
        redeem(replicas.at(1), &code).await,
        (503, "ephemeral.unavailable".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_refuses_new_logins_and_keeps_what_it_has() {
    let redis = Redis::start();
    let (replicas, _idp, connection) = scene(&redis.url()).await;
    let kept = login(replicas.at(0), &connection.id, ALICE).await.code();
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = login(replicas.at(1), &connection.id, ALICE).await.refused();
    assert_eq!(refused.code, "op.ephemeral_full");
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(redeem(replicas.at(1), &kept).await.0, 200);
    login(replicas.at(1), &connection.id, ALICE).await.code();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_redis_is_waited_for_within_a_bound() {
    let redis = Redis::start();
    let (replicas, _idp, connection) = scene(&redis.url()).await;
    let kept = login(replicas.at(0), &connection.id, ALICE).await.code();
    redis.stand_still(true);
    let began = Instant::now();
    let refused = login(replicas.at(0), &connection.id, ALICE).await.refused();
    let took = began.elapsed();
    assert_eq!(refused.code, "ephemeral.unavailable");
    assert!(took < Duration::from_secs(6), "{took:?}");
    redis.stand_still(false);
    becomes(RECOVERY, "it goes on", async || {
        matches!(
            login(replicas.at(0), &connection.id, ALICE).await,
            Ending::SignedIn { .. }
        )
    })
    .await;
    assert_eq!(redeem(replicas.at(0), &kept).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_cannot_use_up_the_codes_of_others() {
    let redis = Redis::shared_url();
    let replicas = Replicas::start(&redis, "[limits]\nwaiting_codes_per_connection = 2\n").await;
    let idp = SamlUpstream::start().await;
    let greedy = idp.connect(replicas.at(0), json!({})).await;
    let modest = idp.connect(replicas.at(0), json!({"name": "Modest"})).await;
    for replica in 0..2 {
        login(replicas.at(replica), &greedy.id, ALICE).await.code();
    }
    let refused = login(replicas.at(0), &greedy.id, ALICE).await.refused();
    assert_eq!(refused.code, "op.ephemeral_full");
    login(replicas.at(1), &modest.id, ALICE).await.code();
}

/// A login of each kind of entry: a code, a large pending login.
pub(super) async fn signs_in(redis: &str) {
    let (replicas, _idp, connection) = scene(redis).await;
    let gateway = replicas.balancer.alternate(0);
    let code = login(gateway, &connection.id, ALICE).await.code();
    assert_eq!(redeem(gateway, &code).await.0, 200);
    let state = "s".repeat(1500);
    let mut browser = gateway.browser();
    let asked = [("connection_id", connection.id.as_str()), ("state", &state)];
    let page = fedgate_tests::login::begin(&mut browser, gateway, &asked).await;
    Ending::of(&fedgate_tests::login::answer(&mut browser, &page, ALICE, "").await).code();
}
