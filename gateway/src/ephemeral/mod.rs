//! What lives shortly: authorization codes, large pending logins, counters, one-time ids.
//!
//! Embedded, it is this process's memory. It never drops what is alive: where a bound is reached, it refuses.
//! Marks that guard a sign-in are not here: they live in the database, in the transaction that they guard.

mod embedded;
mod expiring;

use std::sync::Arc;

use fedgate_certs::Timestamp;

use crate::limits::Limits;
use embedded::Embedded;

/// What lives shortly. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ephemeral(Backend);

#[derive(Clone, Debug)]
enum Backend {
    /// In this process: one replica only.
    Embedded(Arc<Embedded>),
}

/// What can go wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EphemeralError {
    /// Its bound is reached by entries that are all alive.
    #[error("the ephemeral store is full")]
    Full,
}

/// What is kept for a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptCode {
    /// What it stands for, until it is redeemed.
    pub value: Vec<u8>,
    /// What remains of that afterwards, until the code would have expired: a few octets of each login.
    pub remains: Vec<u8>,
}

/// What a code stands for when it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// It was waiting, and is spent from now on.
    Taken(Vec<u8>),
    /// It was redeemed before: whoever comes second may be a thief, or robbed (RFC 6749 section 4.1.2).
    /// With what remains of it, so that what came of it can be revoked.
    Spent(Vec<u8>),
    /// It never was, or it expired.
    Unknown,
}

#[expect(
    clippy::unused_async,
    reason = "another backend answers over the network"
)]
impl Ephemeral {
    /// This process's memory, within these bounds.
    pub fn embedded(limits: &Limits) -> Self {
        Self(Backend::Embedded(Arc::new(Embedded::new(limits))))
    }

    /// Keeps what an authorization code stands for, under the SHA-256 of the code.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when as many codes wait as may (`waiting_codes`).
    pub async fn put_code(
        &self,
        code_hash: [u8; 32],
        kept: KeptCode,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.put_code(code_hash, kept, expires_at, now)
    }

    /// Redeems a code: of any number of calls at once, one gets the value.
    ///
    /// # Errors
    /// None of the embedded one.
    pub async fn take_code(
        &self,
        code_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<CodeState, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        Ok(embedded.take_code(code_hash, now))
    }

    /// Whether this is the first time that `key` is seen, among those of `kind`, until `expires_at`.
    ///
    /// # Errors
    /// [`EphemeralError::Full`]: whether it was seen cannot be remembered, so it must not be used.
    pub async fn once(
        &self,
        kind: &str,
        key: &[u8],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.once(kind, key, expires_at, now)
    }

    /// Keeps a pending login that is too large for a cookie. One that is there under the same key stays.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when the quota (`stored_pendings`) is reached.
    pub async fn put_pending(
        &self,
        key: &[u8],
        value: Vec<u8>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.put_pending(key, value, expires_at, now)
    }

    /// Reads a kept pending login and leaves it.
    ///
    /// # Errors
    /// None of the embedded one.
    pub async fn pending(
        &self,
        key: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        Ok(embedded.pending(key, now))
    }

    /// Takes a kept pending login, once.
    ///
    /// # Errors
    /// None of the embedded one.
    pub async fn take_pending(
        &self,
        key: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        Ok(embedded.take_pending(key, now))
    }

    /// Counts one more event of `key` in the current window of that many seconds; answers the count, this one included.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when too many keys are counted at once; the caller decides whether to let it pass.
    pub async fn count(
        &self,
        kind: &str,
        key: &[u8],
        window_seconds: u32,
        now: Timestamp,
    ) -> Result<u64, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.count(kind, key, window_seconds, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("in range")
    }

    fn embedded() -> Ephemeral {
        Ephemeral::embedded(&Limits {
            waiting_codes: 3,
            stored_pendings: 2,
            ..Limits::default()
        })
    }

    fn kept(octet: u8) -> KeptCode {
        KeptCode {
            value: vec![octet],
            remains: vec![octet, octet],
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_many_redemptions_at_once_one_gets_the_grant() {
        let ephemeral = embedded();
        ephemeral
            .put_code([1; 32], kept(7), at(60), at(0))
            .await
            .unwrap();
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let ephemeral = ephemeral.clone();
                tokio::spawn(async move { ephemeral.take_code([1; 32], at(1)).await })
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

    #[tokio::test]
    async fn a_spent_code_is_told_from_an_unknown_one_until_it_would_have_expired() {
        let ephemeral = embedded();
        ephemeral
            .put_code([1; 32], kept(7), at(60), at(0))
            .await
            .unwrap();
        assert_eq!(
            ephemeral.take_code([2; 32], at(1)).await,
            Ok(CodeState::Unknown)
        );
        assert_eq!(
            ephemeral.take_code([1; 32], at(1)).await,
            Ok(CodeState::Taken(vec![7]))
        );
        assert_eq!(
            ephemeral.take_code([1; 32], at(59)).await,
            Ok(CodeState::Spent(vec![7, 7]))
        );
        assert_eq!(
            ephemeral.take_code([1; 32], at(60)).await,
            Ok(CodeState::Unknown)
        );
    }

    #[tokio::test]
    async fn a_code_dies_at_its_hour() {
        let ephemeral = embedded();
        ephemeral
            .put_code([1; 32], kept(7), at(60), at(0))
            .await
            .unwrap();
        assert_eq!(
            ephemeral.take_code([1; 32], at(60)).await,
            Ok(CodeState::Unknown)
        );
    }

    #[tokio::test]
    async fn waiting_codes_are_bounded_and_none_is_lost() {
        let ephemeral = embedded();
        for number in 0..3 {
            ephemeral
                .put_code([number; 32], kept(number), at(60), at(0))
                .await
                .unwrap();
        }
        assert_eq!(
            ephemeral
                .put_code([9; 32], KeptCode::default(), at(60), at(0))
                .await,
            Err(EphemeralError::Full)
        );
        assert_eq!(
            ephemeral.take_code([0; 32], at(1)).await,
            Ok(CodeState::Taken(vec![0]))
        );
        ephemeral
            .put_code([9; 32], KeptCode::default(), at(60), at(1))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn redeeming_more_codes_than_are_remembered_goes_on() {
        let ephemeral = embedded();
        for number in 0..100 {
            ephemeral
                .put_code([number; 32], kept(number), at(60), at(0))
                .await
                .unwrap();
            assert_eq!(
                ephemeral.take_code([number; 32], at(0)).await,
                Ok(CodeState::Taken(vec![number]))
            );
        }
    }

    #[tokio::test]
    async fn an_id_is_new_once_per_kind_until_it_expires() {
        let ephemeral = embedded();
        assert_eq!(ephemeral.once("jti", b"a", at(60), at(0)).await, Ok(true));
        assert_eq!(ephemeral.once("jti", b"a", at(60), at(59)).await, Ok(false));
        assert_eq!(
            ephemeral.once("logout", b"a", at(60), at(1)).await,
            Ok(true)
        );
        assert_eq!(ephemeral.once("jt", b"ia", at(60), at(1)).await, Ok(true));
        assert_eq!(ephemeral.once("jti", b"a", at(120), at(60)).await, Ok(true));
    }

    #[tokio::test]
    async fn large_pendings_have_a_quota() {
        let ephemeral = embedded();
        ephemeral
            .put_pending(b"a", vec![1], at(60), at(0))
            .await
            .unwrap();
        ephemeral
            .put_pending(b"b", vec![2], at(60), at(0))
            .await
            .unwrap();
        assert_eq!(
            ephemeral.put_pending(b"c", vec![3], at(60), at(0)).await,
            Err(EphemeralError::Full)
        );
        assert_eq!(ephemeral.pending(b"a", at(1)).await, Ok(Some(vec![1])));
        assert_eq!(ephemeral.take_pending(b"a", at(1)).await, Ok(Some(vec![1])));
        assert_eq!(ephemeral.take_pending(b"a", at(1)).await, Ok(None));
        ephemeral
            .put_pending(b"c", vec![3], at(60), at(1))
            .await
            .unwrap();
        assert_eq!(ephemeral.pending(b"b", at(60)).await, Ok(None));
    }

    #[tokio::test]
    async fn counts_begin_anew_with_each_window() {
        let ephemeral = embedded();
        let start = Timestamp::from_second(1_800_000_000 / 60 * 60).expect("in range");
        let second = |second: i64| start + jiff::SignedDuration::from_secs(second);
        for (at, expected) in [(0, 1), (59, 2), (60, 1), (119, 2)] {
            assert_eq!(
                ephemeral.count("login", b"ip", 60, second(at)).await,
                Ok(expected),
                "{at}"
            );
        }
        assert_eq!(
            ephemeral.count("login", b"other", 60, second(119)).await,
            Ok(1)
        );
    }
}
