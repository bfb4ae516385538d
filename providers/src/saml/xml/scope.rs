//! The namespace declarations in scope at one point of a document.

use super::arena::{Index, NO_NAMESPACE};

/// The slot of the default namespace.
pub(super) const DEFAULT_SLOT: usize = 0;

/// How many bytes of a prefix stand in its key.
const KEY_BYTES: usize = 8;

/// Prefixes by slot, with the declaration that each stands for.
pub(super) struct Scope<'s> {
    /// The prefixes' first bytes: compared before the prefixes themselves.
    keys: Vec<u64>,
    bound: Vec<(&'s str, Index)>,
    /// What was bound before, of each declaration in scope; no slot of its own where the prefix was new.
    before: Vec<Before>,
    /// The most slots that were in use at one point.
    pub(super) most: usize,
}

enum Before {
    New,
    Bound(usize, Index),
}

impl<'s> Scope<'s> {
    /// With an empty default namespace.
    pub(super) fn new() -> Self {
        let mut scope = Self {
            keys: Vec::with_capacity(16),
            bound: Vec::with_capacity(16),
            before: Vec::with_capacity(16),
            most: 0,
        };
        scope.declare("", NO_NAMESPACE);
        scope
    }

    /// How many declarations are in scope, shadowed ones and the empty default one included.
    pub(super) fn depth(&self) -> usize {
        self.before.len()
    }

    /// The declaration of a prefix; none for a prefix that is not declared.
    pub(super) fn find(&self, prefix: &str) -> Option<Index> {
        self.slot(prefix).map(|slot| self.bound[slot].1)
    }

    /// Binds a prefix, and answers its slot.
    pub(super) fn declare(&mut self, prefix: &'s str, declaration: Index) -> usize {
        let slot = self.slot(prefix).unwrap_or(self.bound.len());
        self.declare_at(slot, prefix, declaration);
        slot
    }

    /// Binds the prefix of a slot: one in use, or the next one.
    pub(super) fn declare_at(&mut self, slot: usize, prefix: &'s str, declaration: Index) {
        if let Some(bound) = self.bound.get_mut(slot) {
            let shadowed = std::mem::replace(&mut bound.1, declaration);
            self.before.push(Before::Bound(slot, shadowed));
            return;
        }
        self.keys.push(key(prefix));
        self.bound.push((prefix, declaration));
        self.before.push(Before::New);
        self.most = self.most.max(self.bound.len());
    }

    /// Takes back all declarations but the first `depth`.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.before.len() > depth {
            match self.before.pop() {
                Some(Before::Bound(slot, shadowed)) => self.bound[slot].1 = shadowed,
                Some(Before::New) => {
                    self.keys.pop();
                    self.bound.pop();
                }
                None => return,
            }
        }
    }

    fn slot(&self, prefix: &str) -> Option<usize> {
        let wanted = key(prefix);
        let same = |slot: &usize| prefix.len() <= KEY_BYTES || self.bound[*slot].0 == prefix;
        let alike = self.keys.iter().enumerate();
        alike
            .filter(|(_, key)| **key == wanted)
            .map(|(slot, _)| slot)
            .find(same)
    }
}

/// The prefix itself if it is short; no prefix holds the byte that marks a longer one.
fn key(prefix: &str) -> u64 {
    let bytes = prefix.as_bytes();
    if bytes.len() > KEY_BYTES {
        return u64::MAX;
    }
    bytes
        .iter()
        .fold(0, |key, byte| key << 8 | u64::from(*byte))
}
