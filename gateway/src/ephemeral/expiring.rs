//! A bounded map whose entries expire. It never evicts what is alive.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::EphemeralError;
use super::code::Owner;

/// Locks beside each other; a power of two.
const SHARDS: usize = 16;
/// Below this bound one lock serves all, so that the bound is exact.
const SHARDED_FROM: usize = 1024;
/// Expired entries that one operation clears away.
const SWEPT_PER_OPERATION: usize = 8;

/// Keys are hashes; times are milliseconds since the epoch.
#[derive(Debug)]
pub(super) struct Expiring<V> {
    shards: Vec<Mutex<Shard<V>>>,
    bounds: Bounds<V>,
}

/// Bounds of one shard.
#[derive(Debug)]
struct Bounds<V> {
    entries: usize,
    /// Of these, those of one owner.
    share: usize,
    bytes: usize,
    weigh: fn(&V) -> usize,
}

#[derive(Debug)]
struct Shard<V> {
    entries: HashMap<[u8; 32], Entry<V>>,
    /// How many entries each owner has.
    owners: HashMap<Owner, usize>,
    /// One for each time that an entry was written; the ones of entries taken since are skipped.
    deadlines: BinaryHeap<Reverse<(i64, [u8; 32])>>,
    /// What the entries weigh together.
    bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    expires_at: i64,
    owner: Owner,
    value: V,
}

impl<V> Expiring<V> {
    /// A map of at most `most` entries, spread evenly over the shards.
    pub(super) fn new(most: usize) -> Self {
        Self::weighed(most, usize::MAX, |_| 0)
    }

    /// A map of at most `most` entries that weigh at most `most_bytes` together.
    pub(super) fn weighed(most: usize, most_bytes: usize, weigh: fn(&V) -> usize) -> Self {
        let shards = if most < SHARDED_FROM { 1 } else { SHARDS };
        let shard = || {
            Mutex::new(Shard {
                entries: HashMap::new(),
                owners: HashMap::new(),
                deadlines: BinaryHeap::new(),
                bytes: 0,
            })
        };
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            bounds: Bounds {
                entries: most.div_ceil(shards),
                share: usize::MAX,
                bytes: most_bytes / shards,
                weigh,
            },
        }
    }

    /// The same map with at most `share` entries of one owner.
    pub(super) fn shared(mut self, share: usize) -> Self {
        self.bounds.share = share.div_ceil(self.shards.len());
        self
    }

    /// Adds an entry of nobody's; `false` if one is alive under that key, which stays.
    pub(super) fn insert(
        &self,
        key: [u8; 32],
        value: V,
        expires_at: i64,
        now: i64,
    ) -> Result<bool, EphemeralError> {
        self.insert_of(Owner::NOBODY, key, value, expires_at, now)
    }

    /// Adds an entry that counts against its owner's share; `false` if one is alive under that key, which stays.
    pub(super) fn insert_of(
        &self,
        owner: Owner,
        key: [u8; 32],
        value: V,
        expires_at: i64,
        now: i64,
    ) -> Result<bool, EphemeralError> {
        let mut shard = self.shard(&key);
        shard.sweep(now, self.bounds.weigh);
        if shard.alive(&key, now) {
            return Ok(false);
        }
        let entry = Entry {
            expires_at,
            owner,
            value,
        };
        shard.put(key, entry, &self.bounds)?;
        Ok(true)
    }

    /// Takes an entry out, if it is alive.
    pub(super) fn take(&self, key: &[u8; 32], now: i64) -> Option<V> {
        self.take_with(key, now, |value| value)
    }

    /// Takes an entry out, if it is alive, and makes something of it before anybody else can find it gone.
    pub(super) fn take_with<T>(
        &self,
        key: &[u8; 32],
        now: i64,
        make: impl FnOnce(V) -> T,
    ) -> Option<T> {
        let mut shard = self.shard(key);
        shard.sweep(now, self.bounds.weigh);
        let entry = shard.remove(key, self.bounds.weigh)?;
        (entry.expires_at > now).then(|| make(entry.value))
    }

    /// Changes an entry, or makes it first; answers what `change` does.
    pub(super) fn update<T>(
        &self,
        key: [u8; 32],
        fresh: V,
        expires_at: i64,
        now: i64,
        change: impl FnOnce(&mut V) -> T,
    ) -> Result<T, EphemeralError> {
        let mut shard = self.shard(&key);
        shard.sweep(now, self.bounds.weigh);
        if !shard.alive(&key, now) {
            let entry = Entry {
                expires_at,
                owner: Owner::NOBODY,
                value: fresh,
            };
            shard.put(key, entry, &self.bounds)?;
        }
        shard
            .entries
            .get_mut(&key)
            .map(|entry| change(&mut entry.value))
            .ok_or(EphemeralError::Full)
    }

    fn shard(&self, key: &[u8; 32]) -> MutexGuard<'_, Shard<V>> {
        let index = usize::from(key[0]) % self.shards.len();
        // A panic while the lock was held leaves a map that is still whole.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Clone> Expiring<V> {
    /// A copy of an entry, if it is alive.
    pub(super) fn copy(&self, key: &[u8; 32], now: i64) -> Option<V> {
        let shard = self.shard(key);
        shard
            .entries
            .get(key)
            .filter(|entry| entry.expires_at > now)
            .map(|entry| entry.value.clone())
    }
}

impl<V> Shard<V> {
    fn alive(&self, key: &[u8; 32], now: i64) -> bool {
        self.entries
            .get(key)
            .is_some_and(|entry| entry.expires_at > now)
    }

    fn put(
        &mut self,
        key: [u8; 32],
        entry: Entry<V>,
        bounds: &Bounds<V>,
    ) -> Result<(), EphemeralError> {
        // Whatever is under that key has expired.
        self.remove(&key, bounds.weigh);
        let weight = (bounds.weigh)(&entry.value);
        if self.entries.len() >= bounds.entries || weight > bounds.bytes.saturating_sub(self.bytes)
        {
            return Err(EphemeralError::Full);
        }
        if entry.owner != Owner::NOBODY {
            let held = self.owners.entry(entry.owner).or_default();
            if *held >= bounds.share {
                return Err(EphemeralError::Full);
            }
            *held += 1;
        }
        self.bytes += weight;
        self.deadlines.push(Reverse((entry.expires_at, key)));
        self.entries.insert(key, entry);
        self.compact();
        Ok(())
    }

    fn remove(&mut self, key: &[u8; 32], weigh: fn(&V) -> usize) -> Option<Entry<V>> {
        let entry = self.entries.remove(key)?;
        self.bytes = self.bytes.saturating_sub(weigh(&entry.value));
        if let Some(held) = self.owners.get_mut(&entry.owner) {
            *held -= 1;
            if *held == 0 {
                self.owners.remove(&entry.owner);
            }
        }
        Some(entry)
    }

    /// Clears away some of what has expired.
    fn sweep(&mut self, now: i64, weigh: fn(&V) -> usize) {
        for _ in 0..SWEPT_PER_OPERATION {
            match self.deadlines.peek() {
                Some(Reverse((deadline, _))) if *deadline <= now => {}
                _ => return,
            }
            if let Some(Reverse((deadline, key))) = self.deadlines.pop()
                && self
                    .entries
                    .get(&key)
                    .is_some_and(|entry| entry.expires_at == deadline)
            {
                self.remove(&key, weigh);
            }
        }
    }

    /// Entries taken early leave their deadlines behind. Once these are most of the heap it is built anew:
    /// constant work per operation, over many.
    fn compact(&mut self) {
        if self.deadlines.len() > 2 * self.entries.len() + 64 {
            self.deadlines = self
                .entries
                .iter()
                .map(|(key, entry)| Reverse((entry.expires_at, *key)))
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u16) -> [u8; 32] {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn what_is_alive_is_never_evicted() {
        let map = Expiring::new(3);
        for number in 0..3 {
            assert_eq!(map.insert(key(number), number, 100, 0), Ok(true));
        }
        assert_eq!(map.insert(key(3), 3, 100, 0), Err(EphemeralError::Full));
        assert_eq!(
            (0..3)
                .filter_map(|number| map.take(&key(number), 99))
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
    }

    #[test]
    fn what_has_expired_makes_room() {
        let map = Expiring::new(3);
        for number in 0..3 {
            assert_eq!(map.insert(key(number), (), 100, 0), Ok(true));
        }
        assert_eq!(map.insert(key(3), (), 200, 100), Ok(true));
        assert_eq!(map.take(&key(0), 100), None);
    }

    #[test]
    fn weight_is_bounded_and_given_back() {
        let map: Expiring<Vec<u8>> = Expiring::weighed(9, 10, Vec::len);
        assert_eq!(
            map.insert(key(0), vec![0; 11], 100, 0),
            Err(EphemeralError::Full)
        );
        assert_eq!(map.insert(key(0), vec![0; 6], 100, 0), Ok(true));
        assert_eq!(
            map.insert(key(1), vec![0; 5], 100, 0),
            Err(EphemeralError::Full)
        );
        assert_eq!(map.take(&key(0), 1), Some(vec![0; 6]));
        assert_eq!(map.insert(key(1), vec![0; 10], 100, 1), Ok(true));
        assert_eq!(map.insert(key(1), vec![0; 9], 200, 100), Ok(true));
        assert_eq!(map.insert(key(2), vec![0; 1], 200, 100), Ok(true));
    }

    #[test]
    fn one_owner_leaves_room_for_the_others() {
        let map = Expiring::new(4).shared(2);
        let (greedy, modest) = (Owner::named("greedy"), Owner::named("modest"));
        let put = |owner, number, now| map.insert_of(owner, key(number), (), now + 100, now);
        assert_eq!(put(greedy, 0, 0), Ok(true));
        assert_eq!(put(greedy, 1, 0), Ok(true));
        assert_eq!(put(greedy, 2, 0), Err(EphemeralError::Full));
        assert_eq!(put(modest, 3, 0), Ok(true));
        assert_eq!(map.take(&key(0), 1), Some(()));
        assert_eq!(put(greedy, 2, 1), Ok(true));
        assert_eq!(put(greedy, 4, 200), Ok(true));
        assert_eq!(put(greedy, 5, 200), Ok(true));
        assert_eq!(put(greedy, 6, 200), Err(EphemeralError::Full));
        assert!(map.shard(&key(0)).owners.len() <= 2);
    }

    #[test]
    fn an_entry_dies_at_its_deadline() {
        let map = Expiring::new(3);
        assert_eq!(map.insert(key(0), (), 100, 0), Ok(true));
        assert_eq!(map.copy(&key(0), 99), Some(()));
        assert_eq!(map.copy(&key(0), 100), None);
        assert_eq!(map.take(&key(0), 100), None);
    }

    #[test]
    fn an_entry_made_anew_outlives_its_first_deadline() {
        let map = Expiring::new(3);
        assert_eq!(map.insert(key(0), 1, 100, 0), Ok(true));
        assert_eq!(map.take(&key(0), 1), Some(1));
        assert_eq!(map.insert(key(0), 2, 200, 1), Ok(true));
        assert_eq!(map.insert(key(1), 3, 300, 150), Ok(true));
        assert_eq!(map.take(&key(0), 150), Some(2));
    }

    #[test]
    fn entries_taken_early_leave_nothing_behind() {
        let map = Expiring::new(4);
        for _ in 0..10_000 {
            assert_eq!(map.insert(key(0), (), i64::MAX, 0), Ok(true));
            assert_eq!(map.take(&key(0), 0), Some(()));
        }
        assert!(map.shard(&key(0)).deadlines.len() < 200);
    }

    #[test]
    fn shards_hold_as_much_as_was_promised() {
        let map = Expiring::new(SHARDED_FROM);
        let held = (0..=u16::MAX)
            .filter(|number| map.insert(key(*number), (), 1, 0) == Ok(true))
            .count();
        assert_eq!(held, SHARDED_FROM);
    }
}
