//! What every backend must do, run over each of them.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use fedgate_test_servers::redis::{Cluster, Redis, Replicated};
use rand::{SeedableRng as _, rngs::StdRng};

use super::{Code, CodeState, Ephemeral, EphemeralError, KeptCode, RedisUrl};
use crate::limits::Limits;

const OWNER: &str = "conn_1";
const OTHER: &str = "conn_2";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

/// The code of that number.
fn code(owner: &str, number: u64) -> Code {
    Code::draw(owner, &mut StdRng::seed_from_u64(number))
}

fn kept(octet: u8) -> KeptCode {
    KeptCode {
        value: vec![octet],
        remains: vec![octet, octet],
    }
}

fn limits() -> Limits {
    Limits {
        waiting_codes: 4,
        waiting_codes_per_connection: 3,
        stored_pendings: 3,
        stored_pendings_per_connection: 2,
        ..Limits::default()
    }
}

/// One of an installation of its own in a Redis.
async fn redis(url: &str) -> Ephemeral {
    let sealer = Arc::new(crate::op::testing::sealer());
    let url = RedisUrl::parse(url).expect("a URL");
    let installation = tempfile::Builder::new().tempdir().expect("a unique name");
    let name = installation.path().display().to_string();
    Ephemeral::redis(url, &name, sealer, &limits())
        .await
        .expect("Redis")
}

async fn put(ephemeral: &Ephemeral, code: &Code, octet: u8) -> Result<(), EphemeralError> {
    ephemeral
        .put_code(code, kept(octet), at(60), at(0), &mut rng())
        .await
}

async fn take(
    ephemeral: &Ephemeral,
    code: &Code,
    second: i64,
) -> Result<CodeState, EphemeralError> {
    let mut attempt = StdRng::from_rng(&mut crate::app::Randomness.rng());
    ephemeral.take_code(code, at(second), &mut attempt).await
}

async fn of_many_redemptions_at_once_one_gets_the_grant(ephemeral: Ephemeral) {
    let code = code(OWNER, 1);
    put(&ephemeral, &code, 7).await.unwrap();
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (ephemeral, code) = (ephemeral.clone(), code.clone());
            tokio::spawn(async move { take(&ephemeral, &code, 1).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        match task.await.unwrap().unwrap() {
            CodeState::Taken(value) => {
                assert_eq!(value, [7]);
                taken += 1;
            }
            state => assert_eq!(state, CodeState::Spent(vec![7, 7])),
        }
    }
    assert_eq!(taken, 1);
}

async fn a_spent_code_is_told_from_an_unknown_one_until_it_would_have_expired(
    ephemeral: Ephemeral,
) {
    let code = code(OWNER, 1);
    put(&ephemeral, &code, 7).await.unwrap();
    for unknown in [
        self::code(OWNER, 2),
        Code::presented(""),
        Code::presented("c}{1"),
    ] {
        assert_eq!(take(&ephemeral, &unknown, 1).await, Ok(CodeState::Unknown));
    }
    assert_eq!(
        take(&ephemeral, &code, 1).await,
        Ok(CodeState::Taken(vec![7]))
    );
    assert_eq!(
        take(&ephemeral, &code, 59).await,
        Ok(CodeState::Spent(vec![7, 7]))
    );
    assert_eq!(take(&ephemeral, &code, 60).await, Ok(CodeState::Unknown));
}

async fn a_code_dies_at_its_hour(ephemeral: Ephemeral) {
    let code = code(OWNER, 1);
    put(&ephemeral, &code, 7).await.unwrap();
    assert_eq!(take(&ephemeral, &code, 60).await, Ok(CodeState::Unknown));
}

async fn a_code_of_the_same_name_keeps_its_first_meaning(ephemeral: Ephemeral) {
    let code = code(OWNER, 1);
    put(&ephemeral, &code, 7).await.unwrap();
    put(&ephemeral, &code, 8).await.unwrap();
    assert_eq!(
        take(&ephemeral, &code, 1).await,
        Ok(CodeState::Taken(vec![7]))
    );
}

async fn one_connection_leaves_room_for_the_codes_of_others(ephemeral: Ephemeral) {
    for number in 0..3 {
        put(&ephemeral, &code(OWNER, number), 1).await.unwrap();
    }
    assert_eq!(
        put(&ephemeral, &code(OWNER, 3), 1).await,
        Err(EphemeralError::Full)
    );
    put(&ephemeral, &code(OTHER, 4), 2).await.unwrap();
    assert_eq!(
        take(&ephemeral, &code(OWNER, 0), 1).await,
        Ok(CodeState::Taken(vec![1]))
    );
    put(&ephemeral, &code(OWNER, 3), 1).await.unwrap();
}

async fn large_pendings_have_a_quota_and_each_connection_a_share(ephemeral: Ephemeral) {
    let put = async |owner, key: &[u8], second| {
        let value = [b"value of ", key].concat();
        ephemeral
            .put_pending((owner, key), value, at(second + 60), at(second), &mut rng())
            .await
    };
    put(OWNER, b"a", 0).await.unwrap();
    put(OWNER, b"b", 0).await.unwrap();
    assert_eq!(put(OWNER, b"c", 0).await, Err(EphemeralError::Full));
    put(OTHER, b"d", 0).await.unwrap();
    assert_eq!(put("conn_3", b"e", 0).await, Err(EphemeralError::Full));
    let read = async |owner, key: &[u8], second| ephemeral.pending((owner, key), at(second)).await;
    assert_eq!(read(OWNER, b"a", 1).await, Ok(Some(b"value of a".to_vec())));
    ephemeral.drop_pending((OWNER, b"a"), at(1)).await.unwrap();
    ephemeral.drop_pending((OWNER, b"a"), at(1)).await.unwrap();
    assert_eq!(read(OWNER, b"a", 1).await, Ok(None));
    put(OWNER, b"c", 1).await.unwrap();
    assert_eq!(read(OWNER, b"b", 60).await, Ok(None));
}

async fn counts_begin_anew_with_each_window(ephemeral: Ephemeral) {
    let start = Timestamp::from_second(1_800_000_000 / 60 * 60).expect("in range");
    let second = |second: i64| start + jiff::SignedDuration::from_secs(second);
    for (at, expected) in [(0, 1), (59, 2), (60, 1), (119, 2)] {
        let count = ephemeral.count("login", b"ip", 60, second(at)).await;
        assert_eq!(count, Ok(expected), "{at}");
    }
    assert_eq!(
        ephemeral.count("login", b"other", 60, second(119)).await,
        Ok(1)
    );
    assert_eq!(
        ephemeral.count("logi", b"nip", 60, second(119)).await,
        Ok(1)
    );
}

/// Each case as a test of each backend.
macro_rules! conformance {
    ($($case:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::Ephemeral::embedded(&super::limits())).await;
            })*
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::redis(&super::Redis::shared_url()).await).await;
            })*
        }
        /// All of them in one test: a cluster and sentinels take seconds to start.
        async fn each_case(url: &str) {
            $($case(redis(url).await).await;)*
        }
    };
}

conformance! {
    of_many_redemptions_at_once_one_gets_the_grant
    a_spent_code_is_told_from_an_unknown_one_until_it_would_have_expired
    a_code_dies_at_its_hour
    a_code_of_the_same_name_keeps_its_first_meaning
    one_connection_leaves_room_for_the_codes_of_others
    large_pendings_have_a_quota_and_each_connection_a_share
    counts_begin_anew_with_each_window
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_does_the_same() {
    each_case(&Cluster::start().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_sentinels_name_does_the_same() {
    each_case(&Replicated::start().url()).await;
}

mod embedded_alone {
    use super::*;

    #[tokio::test]
    async fn waiting_codes_are_bounded_and_none_is_lost() {
        let ephemeral = Ephemeral::embedded(&Limits {
            waiting_codes: 1,
            ..Limits::default()
        });
        put(&ephemeral, &code(OWNER, 1), 1).await.unwrap();
        assert_eq!(
            put(&ephemeral, &code(OTHER, 2), 2).await,
            Err(EphemeralError::Full)
        );
        assert_eq!(
            take(&ephemeral, &code(OWNER, 1), 1).await,
            Ok(CodeState::Taken(vec![1]))
        );
        put(&ephemeral, &code(OTHER, 2), 2).await.unwrap();
    }

    #[tokio::test]
    async fn redeeming_more_codes_than_are_remembered_goes_on() {
        let ephemeral = Ephemeral::embedded(&limits());
        for number in 0..100 {
            put(&ephemeral, &code(OWNER, number), 1).await.unwrap();
            let taken = take(&ephemeral, &code(OWNER, number), 0).await;
            assert_eq!(taken, Ok(CodeState::Taken(vec![1])));
        }
    }
}

mod redis_alone {
    use super::*;
    use crate::ephemeral::Backend;

    #[tokio::test]
    async fn nothing_of_a_person_lies_in_it_in_plain() {
        let server = Redis::start();
        let ephemeral = redis(&server.url()).await;
        let secret = KeptCode {
            value: b"ada@acme.test".to_vec(),
            remains: b"sid_of_ada".to_vec(),
        };
        let code = code(OWNER, 1);
        let mut rng = rng();
        let put = ephemeral.put_code(&code, secret, at(60), at(0), &mut rng);
        put.await.unwrap();
        let pending = ephemeral.put_pending(
            (OWNER, b"handle"),
            b"ada@acme.test".to_vec(),
            at(60),
            at(0),
            &mut rng,
        );
        pending.await.unwrap();
        ephemeral
            .count("address", b"192.0.2.1", 60, at(0))
            .await
            .unwrap();
        let dumped = server.dump();
        assert!(dumped.len() > 200, "{dumped}");
        for word in ["ada", "sid_of", "192.0.2", "handle", OWNER, code.as_str()] {
            assert!(!dumped.contains(word), "{word} in {dumped}");
        }
    }

    #[tokio::test]
    async fn every_entry_goes_by_itself() {
        let server = Redis::start();
        let ephemeral = redis(&server.url()).await;
        let end = at(0) + jiff::SignedDuration::from_millis(1500);
        let code = code(OWNER, 1);
        ephemeral
            .put_code(&code, kept(1), end, at(0), &mut rng())
            .await
            .unwrap();
        ephemeral
            .put_pending((OWNER, b"h"), vec![1], end, at(0), &mut rng())
            .await
            .unwrap();
        ephemeral.count("address", b"a", 1, at(0)).await.unwrap();
        assert!(server.size() > 0);
        while server.size() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(take(&ephemeral, &code, 0).await, Ok(CodeState::Unknown));
    }

    #[tokio::test]
    async fn an_attempt_whose_answer_was_lost_gets_what_it_took() {
        let ephemeral = redis(&Redis::shared_url()).await;
        let code = code(OWNER, 1);
        put(&ephemeral, &code, 7).await.unwrap();
        let Backend::Redis(redis) = &ephemeral.0 else {
            unreachable!("it is Redis");
        };
        for _ in 0..2 {
            let taken = redis.take_code(&code, at(1), [1; 16]).await;
            assert_eq!(taken, Ok(CodeState::Taken(vec![7])));
        }
        let other = redis.take_code(&code, at(1), [2; 16]).await;
        assert_eq!(other, Ok(CodeState::Spent(vec![7, 7])));
        let again = redis.take_code(&code, at(1), [1; 16]).await;
        assert_eq!(again, Ok(CodeState::Taken(vec![7])));
    }

    /// What a persistence that is late, or a replica that is behind, brings back: the code as it was before it was taken.
    #[tokio::test]
    async fn a_code_of_an_earlier_reign_is_taken_by_nobody() {
        let mut server = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let ephemeral = redis(&server.url()).await;
        let (waiting, spent) = (code(OWNER, 1), code(OWNER, 2));
        put(&ephemeral, &waiting, 7).await.unwrap();
        put(&ephemeral, &spent, 8).await.unwrap();
        assert_eq!(
            take(&ephemeral, &spent, 1).await,
            Ok(CodeState::Taken(vec![8]))
        );
        server.kill();
        server.resume();
        assert_eq!(server.size(), 5, "it remembers: {}", server.dump());
        assert_eq!(take(&ephemeral, &waiting, 1).await, Ok(CodeState::Unknown));
        assert_eq!(
            take(&ephemeral, &spent, 1).await,
            Ok(CodeState::Spent(vec![8, 8]))
        );
    }

    #[tokio::test]
    async fn installations_and_altered_values_do_not_meet() {
        let server = Redis::start();
        let (one, other) = (redis(&server.url()).await, redis(&server.url()).await);
        let (first, second) = (code(OWNER, 1), code(OWNER, 2));
        put(&one, &first, 1).await.unwrap();
        assert_eq!(take(&other, &first, 1).await, Ok(CodeState::Unknown));
        // Somebody with access to the server puts one code's value in the place of another's.
        put(&one, &second, 2).await.unwrap();
        let keys = server.keys("*:code:*");
        server.cli(&["COPY", &keys[0], &keys[1], "REPLACE"]);
        let states = [
            take(&one, &first, 1).await.unwrap(),
            take(&one, &second, 1).await.unwrap(),
        ];
        let taken = states
            .iter()
            .filter(|state| matches!(state, CodeState::Taken(_)));
        assert_eq!(taken.count(), 1, "{states:?}");
    }
}
