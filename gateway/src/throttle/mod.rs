//! How often an address, a connection or a client may be refused before its attempts are turned away unread.
//!
//! Refused attempts alone are counted, so that thousands who sign in from behind one address never meet a limit. The
//! count is the ephemeral store's, which replicas share; whoever is over a limit is remembered here until the window
//! ends, so that a good request costs no trip to it. A limit that cannot be counted there is counted in this process:
//! a store that is full or down opens no gate wider than the number of replicas.

pub mod guard;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use fedgate_certs::Timestamp;
use openssl::sha::Sha256;

use crate::ephemeral::Ephemeral;
use crate::limits::Limits;
use crate::telemetry::Metrics;

/// Attempts are counted by the minute.
const WINDOW_SECONDS: u32 = 60;
/// Those over a limit that are remembered at once.
const MOST_OVER: usize = 50_000;

/// What is limited, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Answers of upstreams that match no pending login of the browser, by address.
    CallbackAddress,
    /// The same, by connection.
    CallbackConnection,
    /// Requests that an application or a person got wrong, by address.
    RequestAddress,
    /// Addresses typed on the sign-in page that lead nowhere, by network address.
    SignInAddress,
    /// Failed authentications at the token endpoint, by client and address.
    Client,
    /// Requests at the Management API without a sound token, by address.
    ApiAddress,
    /// Encrypted answers that do not decrypt, by connection.
    Decryption,
}

impl Limit {
    /// The name under `[limits]`, and the kind that is counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CallbackAddress => "refused_callbacks_per_address",
            Self::CallbackConnection => "refused_callbacks_per_connection",
            Self::RequestAddress => "refused_requests_per_address",
            Self::SignInAddress => "refused_sign_ins_per_address",
            Self::Client => "refused_clients_per_address",
            Self::ApiAddress => "refused_api_calls_per_address",
            Self::Decryption => "failed_decryptions_per_connection",
        }
    }

    fn most(self, limits: &Limits) -> u64 {
        match self {
            Self::CallbackAddress => limits.refused_callbacks_per_address,
            Self::CallbackConnection => limits.refused_callbacks_per_connection,
            Self::RequestAddress => limits.refused_requests_per_address,
            Self::SignInAddress => limits.refused_sign_ins_per_address,
            Self::Client => limits.refused_clients_per_address,
            Self::ApiAddress => limits.refused_api_calls_per_address,
            Self::Decryption => limits.failed_decryptions_per_connection,
        }
    }
}

/// Who is over a limit at this moment.
#[derive(Debug)]
pub struct Throttle {
    /// By the second at which it ends.
    over: RwLock<HashMap<[u8; 32], i64>>,
    is_anybody: AtomicBool,
    /// Counts what the ephemeral store cannot.
    own: Ephemeral,
    limits: Limits,
}

impl Throttle {
    /// Nobody is over anything.
    pub fn new(limits: &Limits) -> Self {
        Self {
            over: RwLock::default(),
            is_anybody: AtomicBool::new(false),
            own: Ephemeral::embedded(limits),
            limits: limits.clone(),
        }
    }

    /// Seconds until the next attempt, where that one is over the limit. `key` is its parts, one after the other.
    pub fn wait(&self, limit: Limit, key: &[&[u8]], now: Timestamp) -> Option<u64> {
        if !self.is_anybody_over() {
            return None;
        }
        let over = self.over.read().unwrap_or_else(PoisonError::into_inner);
        let ends = over.get(&hashed(limit, key))?;
        let left = ends.saturating_sub(now.as_second());
        u64::try_from(left).ok().filter(|left| *left > 0)
    }

    /// Whether anybody at all is over a limit.
    pub fn is_anybody_over(&self) -> bool {
        self.is_anybody.load(Ordering::Relaxed)
    }

    /// Counts a refused attempt.
    pub async fn refused(
        &self,
        (ephemeral, metrics): (&Ephemeral, &Metrics),
        limit: Limit,
        key: &[&[u8]],
        now: Timestamp,
    ) {
        let hash = hashed(limit, key);
        let kind = limit.as_str();
        let counted = ephemeral.count(kind, &hash, WINDOW_SECONDS, now).await;
        let count = if let Ok(count) = counted {
            count
        } else {
            metrics.uncounted();
            let own = self.own.count(kind, &hash, WINDOW_SECONDS, now).await;
            own.unwrap_or_default()
        };
        if count >= limit.most(&self.limits) {
            self.remember(hash, now);
        }
    }

    fn remember(&self, hash: [u8; 32], now: Timestamp) {
        let now = now.as_second();
        let window = i64::from(WINDOW_SECONDS);
        let mut over = self.over.write().unwrap_or_else(PoisonError::into_inner);
        if over.len() >= MOST_OVER {
            over.retain(|_, ends| *ends > now);
        }
        if over.len() < MOST_OVER {
            over.insert(hash, (now.div_euclid(window) + 1) * window);
        }
        self.is_anybody.store(true, Ordering::Relaxed);
    }

    /// Forgets those whose window has ended.
    pub fn sweep(&self, now: Timestamp) {
        let mut over = self.over.write().unwrap_or_else(PoisonError::into_inner);
        over.retain(|_, ends| *ends > now.as_second());
        self.is_anybody.store(!over.is_empty(), Ordering::Relaxed);
    }
}

/// The limit and each part of the key, length-prefixed, so that no two keys meet.
fn hashed(limit: Limit, key: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(&limit.as_str().as_bytes()).chain(key) {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn limits() -> Limits {
        Limits {
            refused_callbacks_per_address: 3,
            ..Limits::default()
        }
    }

    struct Shared {
        throttle: Throttle,
        ephemeral: Ephemeral,
        metrics: Metrics,
    }

    impl Shared {
        fn new() -> Self {
            Self {
                throttle: Throttle::new(&limits()),
                ephemeral: Ephemeral::embedded(&limits()),
                metrics: Metrics::new(&limits()).unwrap(),
            }
        }

        async fn refused(&self, key: &[u8], now: Timestamp) {
            let counting = (&self.ephemeral, &self.metrics);
            let limit = Limit::CallbackAddress;
            self.throttle.refused(counting, limit, &[key], now).await;
        }

        fn wait(&self, key: &[u8], now: Timestamp) -> Option<u64> {
            self.throttle.wait(Limit::CallbackAddress, &[key], now)
        }
    }

    #[tokio::test]
    async fn the_limit_holds_until_the_window_ends_and_for_that_key_alone() {
        let shared = Shared::new();
        for _ in 0..2 {
            shared.refused(b"a", at(10)).await;
        }
        assert_eq!(shared.wait(b"a", at(10)), None);
        shared.refused(b"a", at(10)).await;
        assert_eq!(shared.wait(b"a", at(10)), Some(50));
        assert_eq!(shared.wait(b"b", at(10)), None);
        let other = shared.throttle.wait(Limit::ApiAddress, &[b"a"], at(10));
        assert_eq!(other, None);
        assert_eq!(shared.wait(b"a", at(60)), None);
        shared.throttle.sweep(at(60));
        assert!(!shared.throttle.is_anybody.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_store_that_counts_no_more_leaves_each_process_to_count_for_itself() {
        let shared = Shared::new();
        for number in 0..200_000_u32 {
            let key = number.to_be_bytes();
            let _ = shared.ephemeral.count("other", &key, 60, at(0)).await;
        }
        for _ in 0..3 {
            shared.refused(b"a", at(0)).await;
        }
        assert_eq!(shared.wait(b"a", at(0)), Some(60));
    }

    #[tokio::test]
    async fn those_over_a_limit_are_bounded() {
        let shared = Shared::new();
        for number in 0..MOST_OVER + 10 {
            shared
                .throttle
                .remember(hashed(Limit::Client, &[&number.to_be_bytes()]), at(0));
        }
        assert_eq!(shared.throttle.over.read().unwrap().len(), MOST_OVER);
    }

    #[test]
    fn a_good_request_costs_a_look_at_a_flag() {
        const REQUESTS: u32 = 1_000_000;
        let throttle = Throttle::new(&limits());
        let began = std::time::Instant::now();
        for _ in 0..REQUESTS {
            let waits = throttle.wait(Limit::CallbackAddress, &[b"0123456789abcdef"], at(0));
            assert_eq!(std::hint::black_box(waits), None);
        }
        println!(
            "throttle: {:?} a request, nobody over",
            began.elapsed() / REQUESTS
        );
        throttle.remember([0; 32], at(0));
        let began = std::time::Instant::now();
        for _ in 0..REQUESTS / 10 {
            let waits = throttle.wait(Limit::CallbackAddress, &[b"0123456789abcdef"], at(0));
            assert_eq!(std::hint::black_box(waits), None);
        }
        println!(
            "throttle: {:?} a request, somebody over",
            began.elapsed() / (REQUESTS / 10)
        );
    }
}
