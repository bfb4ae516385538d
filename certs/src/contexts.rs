//! Prepared OpenSSL contexts, kept for the next operation.

use std::sync::{Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::pkey_ctx::PkeyCtx;

/// The most idle contexts that one key keeps: as many threads can use it at once without a new one.
const IDLE_CONTEXTS: usize = 16;

/// Idle contexts of one key, each prepared for one way `W` of using it.
///
/// OpenSSL 3 looks up algorithms by name whenever a context is prepared, which costs more than an ECDSA
/// signature's own overhead. A context may be used again (`EVP_PKEY_verify(3)`, `EVP_PKEY_sign(3)`), by one
/// thread at a time: it is taken out for the operation, so that no thread waits for another.
pub(crate) struct Contexts<W, T> {
    idle: Mutex<Vec<(W, PkeyCtx<T>)>>,
}

impl<W: Copy + PartialEq, T> Contexts<W, T> {
    pub(crate) fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Runs `operation` with an idle context, or with one made by `prepare`. After an error the context is
    /// dropped, since its state is not documented.
    pub(crate) fn with<R, E: From<ErrorStack>>(
        &self,
        way: W,
        prepare: impl FnOnce() -> Result<PkeyCtx<T>, ErrorStack>,
        operation: impl FnOnce(&mut PkeyCtx<T>) -> Result<R, E>,
    ) -> Result<R, E> {
        let idle = self.take(way);
        let mut context = idle.map_or_else(prepare, Ok)?;
        let result = operation(&mut context)?;
        self.put_back(way, context);
        Ok(result)
    }

    fn take(&self, way: W) -> Option<PkeyCtx<T>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle
            .iter()
            .rposition(|(prepared_for, _)| *prepared_for == way)?;
        Some(idle.swap_remove(found).1)
    }

    fn put_back(&self, way: W, context: PkeyCtx<T>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= IDLE_CONTEXTS {
            // An old one makes room: contexts that nobody asks for any more must not keep useful ones out.
            idle.swap_remove(0);
        }
        idle.push((way, context));
    }
}
