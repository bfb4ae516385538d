//! What people agreed to at a provider of the lab: found by its code once, by its access token ever after.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Codes and access tokens that are kept; the oldest is forgotten.
const GRANTS: usize = 10_000;

/// The two ways to a grant.
pub(crate) trait Found: Clone {
    /// Its code, until it was redeemed.
    fn code(&self) -> Option<&str>;

    /// Forgets the code.
    fn redeem(&mut self);

    /// Its access token.
    fn access_token(&self) -> &str;
}

/// The grants of one provider.
#[derive(Debug)]
pub(crate) struct Grants<G>(Mutex<VecDeque<G>>);

impl<G> Default for Grants<G> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<G: Found> Grants<G> {
    /// Keeps one.
    pub(crate) fn keep(&self, grant: G) {
        let mut grants = self.lock();
        if grants.len() >= GRANTS {
            grants.pop_front();
        }
        grants.push_back(grant);
    }

    /// The grant of a code, which is good once.
    pub(crate) fn take_code(&self, code: &str) -> Option<G> {
        let mut grants = self.lock();
        let mut latest = grants.iter_mut().rev();
        let grant = latest.find(|grant| grant.code() == Some(code))?;
        grant.redeem();
        Some(grant.clone())
    }

    /// The grant of an access token.
    pub(crate) fn by_access_token(&self, token: &str) -> Option<G> {
        let grants = self.lock();
        let mut latest = grants.iter().rev();
        latest.find(|grant| grant.access_token() == token).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<G>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
