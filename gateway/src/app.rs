//! The running gateway: everything a handler can reach, and the only sources of time and randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use fedgate_certs::Timestamp;
use jiff::SignedDuration;
use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

/// The one clock. Tests set it forward; nothing below a handler asks the system.
#[derive(Debug, Default)]
pub struct Clock {
    offset_milliseconds: AtomicI64,
}

impl Clock {
    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_milliseconds.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.checked_add(offset).unwrap_or(now)
    }

    /// Sets the clock forward (or back) by so many seconds, for tests.
    pub fn step(&self, seconds: i64) {
        self.offset_milliseconds.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}

/// The one source of randomness: the operating system's.
#[derive(Debug, Default)]
pub struct Randomness;

impl Randomness {
    /// A generator for one request.
    pub fn rng(&self) -> impl CryptoRng + use<> {
        UnwrapErr(SysRng)
    }
}

/// Shared by every handler.
pub type Shared = Arc<crate::app::App>;

/// The running gateway.
#[derive(Debug)]
pub struct App {
    /// The one clock.
    pub clock: Clock,
    /// The one source of randomness.
    pub randomness: Randomness,
}
