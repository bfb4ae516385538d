//! The embedded backend: bounded maps in this process.

use fedgate_certs::Timestamp;
use openssl::sha::Sha256;

use super::code::{Code, Owner};
use super::expiring::Expiring;
use super::{CodeState, EphemeralError, KeptCode};
use crate::limits::Limits;

/// Keys counted at once.
const COUNTED_KEYS: usize = 100_000;
/// What waiting codes stand for, together.
const CODE_BYTES: usize = 128 * 1024 * 1024;
/// What remains of spent codes, together.
const SPENT_BYTES: usize = 64 * 1024 * 1024;
/// Large pending logins, together.
const PENDING_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Embedded {
    codes: Expiring<Waiting>,
    /// Codes that were redeemed, until they would have expired.
    spent: Expiring<Vec<u8>>,
    pendings: Expiring<Vec<u8>>,
    counters: Expiring<u64>,
}

#[derive(Debug)]
struct Waiting {
    kept: KeptCode,
    expires_at: i64,
}

impl Embedded {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            codes: Expiring::weighed(limits.waiting_codes, CODE_BYTES, |waiting: &Waiting| {
                waiting.kept.value.len() + waiting.kept.remains.len()
            })
            .shared(limits.waiting_codes_per_connection),
            spent: Expiring::weighed(limits.waiting_codes, SPENT_BYTES, Vec::len),
            pendings: Expiring::weighed(limits.stored_pendings, PENDING_BYTES, Vec::len)
                .shared(limits.stored_pendings_per_connection),
            counters: Expiring::new(COUNTED_KEYS),
        }
    }

    pub(super) fn put_code(
        &self,
        code: &Code,
        kept: KeptCode,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        let expires_at = expires_at.as_millisecond();
        self.codes
            .insert_of(
                code.owner(),
                code.hash(),
                Waiting { kept, expires_at },
                expires_at,
                now.as_millisecond(),
            )
            .map(|_| ())
    }

    pub(super) fn take_code(&self, code: &Code, now: Timestamp) -> CodeState {
        let hash = code.hash();
        let now = now.as_millisecond();
        let taken = self.codes.take_with(&hash, now, |waiting| {
            // A full memory of spent codes costs a distinction, never a code: it is gone either way.
            let _ = self
                .spent
                .insert(hash, waiting.kept.remains, waiting.expires_at, now);
            CodeState::Taken(waiting.kept.value)
        });
        taken
            .or_else(|| self.spent.copy(&hash, now).map(CodeState::Spent))
            .unwrap_or(CodeState::Unknown)
    }

    pub(super) fn put_pending(
        &self,
        owner: &str,
        key: &[u8],
        value: Vec<u8>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        self.pendings
            .insert_of(
                Owner::named(owner),
                hashed("pending", key),
                value,
                expires_at.as_millisecond(),
                now.as_millisecond(),
            )
            .map(|_| ())
    }

    pub(super) fn pending(&self, key: &[u8], now: Timestamp) -> Option<Vec<u8>> {
        self.pendings
            .copy(&hashed("pending", key), now.as_millisecond())
    }

    pub(super) fn drop_pending(&self, key: &[u8], now: Timestamp) {
        self.pendings
            .take(&hashed("pending", key), now.as_millisecond());
    }

    pub(super) fn count(
        &self,
        kind: &str,
        key: &[u8],
        window_seconds: u32,
        now: Timestamp,
    ) -> Result<u64, EphemeralError> {
        let now = now.as_millisecond();
        let window = i64::from(window_seconds.max(1)) * 1000;
        let ends_at = now
            .div_euclid(window)
            .saturating_add(1)
            .saturating_mul(window);
        self.counters
            .update(hashed(kind, key), 0, ends_at, now, |count| {
                *count = count.saturating_add(1);
                *count
            })
    }
}

/// Kind and key, each length-prefixed, so that no two pairs meet.
fn hashed(kind: &str, key: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [kind.as_bytes(), key] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finish()
}
