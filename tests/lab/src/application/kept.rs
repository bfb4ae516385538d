//! What is kept in memory under a name, up to a number: the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Kept<T> {
    most: usize,
    entries: Mutex<VecDeque<(String, T)>>,
}

impl<T: Clone> Kept<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            entries: Mutex::default(),
        }
    }

    /// Keeps a value; whether the name was new.
    pub(super) fn put(&self, name: String, value: T) -> bool {
        let mut entries = self.lock();
        let before = entries.len();
        entries.retain(|(key, _)| *key != name);
        let new = entries.len() == before;
        if entries.len() >= self.most {
            entries.pop_front();
        }
        entries.push_back((name, value));
        new
    }

    pub(super) fn find(&self, name: &str) -> Option<T> {
        self.lock()
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }

    pub(super) fn take(&self, name: &str) -> Option<T> {
        let mut entries = self.lock();
        let at = entries.iter().position(|(key, _)| key == name)?;
        entries.remove(at).map(|(_, value)| value)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, T)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let kept = Kept::new(2);
        assert!(kept.put("a".to_owned(), 1));
        assert!(kept.put("b".to_owned(), 2));
        assert!(!kept.put("a".to_owned(), 3));
        kept.put("c".to_owned(), 4);
        assert_eq!(
            (
                kept.find("a"),
                kept.find("b"),
                kept.take("c"),
                kept.find("c")
            ),
            (Some(3), None, Some(4), None)
        );
    }
}
