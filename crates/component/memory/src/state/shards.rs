//! The map, in parts that are locked one by one.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use outrigger_block_state::{Item, SEPARATOR};

use super::shard::Shard;

/// How many parts there are. Enough that two of a few dozen threads seldom meet, and as many as a word has bits, so that
/// a transaction's set of parts is one number.
const SHARDS: usize = u64::BITS as usize;

/// All parts, and the hash that assigns keys to them.
pub(super) struct Shards {
    shards: Box<[RwLock<Shard>]>,
    hasher: RandomState,
}

impl Default for Shards {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Shards {
    /// The live value of a key.
    pub(super) fn get(&self, key: &str, now: impl FnOnce() -> i64) -> Option<Item> {
        read(&self.shards[self.index(key)]).get(key, now)
    }

    /// The part of a key, for changes.
    pub(super) fn write(&self, key: &str) -> RwLockWriteGuard<'_, Shard> {
        write(&self.shards[self.index(key)])
    }

    /// The parts of several keys, for changes. They are locked in the order of their numbers, so that two such calls
    /// never wait for each other in a circle.
    pub(super) fn lock<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Locked<'_> {
        let set = keys.fold(0u64, |set, key| set | 1 << self.index(key));
        self.lock_set(set)
    }

    fn lock_set(&self, set: u64) -> Locked<'_> {
        let wanted = (0..SHARDS).filter(|index| set & 1 << index != 0);
        Locked {
            shards: self,
            set,
            guards: wanted.map(|index| write(&self.shards[index])).collect(),
        }
    }

    /// Live keys that are wanted, in no order. Parts are looked at one after the other: the list is no snapshot.
    pub(super) fn keys(&self, now: i64, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = read(shard);
            found.extend(shard.keys(now).filter(|key| wanted(key)).map(str::to_owned));
        }
        found
    }

    /// Removes the live keys that begin with `prefix` and have no separator after it, all at one moment; their number.
    pub(super) fn remove_children(&self, prefix: &str, now: i64) -> u64 {
        let is_child = |key: &&str| {
            key.strip_prefix(prefix)
                .is_some_and(|rest| !rest.contains(SEPARATOR))
        };
        let mut removed = 0;
        for shard in &mut self.lock_set(u64::MAX).guards {
            let keys: Vec<_> = shard.keys(now).filter(is_child).map(str::to_owned).collect();
            shard.remove_all(&keys);
            removed += keys.len() as u64;
        }
        removed
    }

    /// Removes what ended by `now`, part by part.
    pub(super) fn sweep(&self, now: i64) {
        for shard in &self.shards {
            // Most parts have nothing to sweep most of the time; those keep answering readers.
            if read(shard).has_ended(now) {
                write(shard).sweep(now);
            }
        }
    }

    /// Removes everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *write(shard) = Shard::default();
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let sizes = self.shards.iter().map(|shard| read(shard).sizes());
        sizes.fold((0, 0), |(entries, ends), (e, n)| (entries + e, ends + n))
    }

    fn index(&self, key: &str) -> usize {
        // The upper bits: the maps inside use the lower ones of another hash.
        (self.hasher.hash_one(key) >> (u64::BITS - SHARDS.ilog2())) as usize
    }
}

/// Parts that are locked for changes.
pub(super) struct Locked<'a> {
    shards: &'a Shards,
    set: u64,
    guards: Vec<RwLockWriteGuard<'a, Shard>>,
}

impl Locked<'_> {
    /// The part of one of the keys that were locked.
    pub(super) fn shard(&mut self, key: &str) -> &mut Shard {
        let position = self.position(key);
        &mut self.guards[position]
    }

    /// Guards stand in the order of their numbers: before a key's are as many as there are lower bits in the set.
    fn position(&self, key: &str) -> usize {
        let lower = (1 << self.shards.index(key)) - 1;
        (self.set & lower).count_ones() as usize
    }
}

/// A part stays usable after a panic of another thread: no change here can be left half done.
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_spread_over_the_parts() {
        let shards = Shards::default();
        let mut used = [0usize; SHARDS];
        for n in 0..SHARDS * 100 {
            used[shards.index(&n.to_string())] += 1;
        }
        assert!(used.iter().all(|count| (20..300).contains(count)), "{used:?}");
    }

    #[test]
    fn every_locked_key_finds_its_part() {
        let shards = Shards::default();
        let keys: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let locked = shards.lock(keys.iter().map(String::as_str));
        let numbers: Vec<usize> = (0..SHARDS).filter(|at| locked.set >> at & 1 == 1).collect();
        assert_eq!(numbers.len(), locked.guards.len());
        for key in &keys {
            assert_eq!(numbers[locked.position(key)], shards.index(key));
        }
    }
}
