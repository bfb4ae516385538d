//! How often a cache was asked, and how often it had to go and look.

use std::sync::atomic::{AtomicU64, Ordering};

/// Two counters, which cost an addition each.
#[derive(Debug, Default)]
pub struct Reads {
    asked: AtomicU64,
    missed: AtomicU64,
}

impl Reads {
    /// The cache is asked.
    pub fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// It does not have the answer.
    pub fn missed(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// Hits and misses since the start. Whoever waits for another's look counts as a hit.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        let missed = self.missed.load(Ordering::Relaxed);
        let asked = self.asked.load(Ordering::Relaxed);
        (asked.saturating_sub(missed), missed)
    }
}
