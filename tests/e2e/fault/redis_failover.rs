//! Redis fails over: what a failover may lose is lost, and nothing is redeemed twice.

use fedgate_test_servers::redis::{Cluster, Replicated};
use fedgate_tests::ending::Ending;
use fedgate_tests::replicas::{becomes, login, redeem};
use fedgate_tests::upstream::ALICE;

use super::redis::{RECOVERY, Traffic, nothing_twice, scene};

#[tokio::test(flavor = "multi_thread")]
async fn logins_go_on_at_the_promoted_replica() {
    let mut redis = Replicated::start();
    let (replicas, _idp, connection) = scene(&redis.url()).await;
    let traffic = Traffic::start(&replicas, &connection);
    traffic.goes_on().await;
    redis.settle();
    let master = redis.master();
    redis.servers[master].kill();
    traffic.is_refused().await;
    redis.await_failover(master);
    traffic.goes_on().await;
    let outcome = traffic.end().await;
    nothing_twice(&replicas, &outcome).await;
}

/// The replica never hears that the code was taken, and is promoted: it has the code again.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_whose_redemption_the_replica_missed_is_not_redeemed_again() {
    let mut redis = Replicated::start();
    let (replicas, _idp, connection) = scene(&redis.url()).await;
    let codes = [
        login(replicas.at(0), &connection.id, ALICE).await.code(),
        login(replicas.at(1), &connection.id, ALICE).await.code(),
    ];
    redis.settle();
    let master = redis.master();
    let behind = 1 - master;
    becomes(RECOVERY, "the replica has both", async || {
        redis.servers[behind].keys("*:code:*").len() == 2
    })
    .await;
    redis.servers[behind].stand_still(true);
    redis.servers[master].cli(&["CLIENT", "KILL", "TYPE", "replica"]);
    assert_eq!(redeem(replicas.at(0), &codes[0]).await.0, 200);
    redis.servers[master].kill();
    redis.servers[behind].stand_still(false);
    redis.await_failover(master);
    assert_eq!(
        redis.servers[behind].keys("*:code:*").len(),
        2,
        "it has the code that was taken"
    );
    becomes(RECOVERY, "logins go on", async || {
        matches!(
            login(replicas.at(0), &connection.id, ALICE).await,
            Ending::SignedIn { .. }
        )
    })
    .await;
    for code in &codes {
        for replica in 0..2 {
            let refused = redeem(replicas.at(replica), code).await;
            assert_eq!(refused, (400, "op.code_unknown".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_carries_logins_of_two_replicas() {
    let cluster = Cluster::start();
    let (replicas, _idp, connection) = scene(&cluster.url()).await;
    let traffic = Traffic::start(&replicas, &connection);
    traffic.goes_on().await;
    let outcome = traffic.end().await;
    assert_eq!(
        outcome.refusals.into_iter().collect::<Vec<_>>(),
        ["op.code_replayed"]
    );
}
