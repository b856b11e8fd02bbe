//! Changing a value that others change as well.

use std::time::Duration;

use outrigger_base_clock::{Entropy, fraction};
use outrigger_resilience::Backoff;
use serde::{Serialize, de::DeserializeOwned};

use super::{StateStore, first_write};
use crate::Error;

/// How often an update reads again after somebody else was faster. Each time somebody made progress, so that more than
/// this means a key that too many write at once.
const ATTEMPTS: usize = 32;
/// How long the writers of one key leave each other alone. Each pause is drawn at random below a bound: those who met once
/// do not meet again, and however many they are, the bound grows until about one of them is at work at a time.
const PAUSES: Backoff = Backoff::Exponential {
    // About what a read and a write take over a socket of this machine: shorter ones would not part two writers.
    initial: Duration::from_millis(2),
    factor: 2.0,
    // Room for dozens of writers of a store some milliseconds away. All the pauses of an update together stay below three
    // seconds, half of that on average.
    max: Duration::from_millis(100),
};

impl StateStore {
    /// Reads a value, changes it and writes it, again and again until nobody else wrote in between. Gives back what was
    /// written.
    ///
    /// `change` gets `None` where there is no value, and may be called many times. An error of it ends the update. After
    /// the first conflict the value is read again at once, after each further one a pause comes first: at random, of 2 ms
    /// at most, then of twice as much each time, up to 100 ms.
    ///
    /// # Errors
    /// As [`StateStore::get`] and [`StateStore::set_if`]; [`Error::is_conflict`] when others were faster 32 times.
    pub async fn update<T, F>(&self, key: &str, mut change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> Result<T, Error>,
    {
        let mut pauses = pauses(self.backend.entropy());
        loop {
            let (value, etag) = match self.get_versioned::<T>(key).await? {
                Some(found) => (Some(found.value), found.etag),
                None => (None, String::new()),
            };
            let changed = change(value)?;
            let Err(error) = self.set_with(key, &changed, first_write(&etag)).await else {
                return Ok(changed);
            };
            match pauses.next() {
                Some(pause) if error.is_conflict() => wait(pause).await,
                _ => return Err(error),
            }
        }
    }
}

/// The pauses between the attempts of one update. The first is none: a single conflict is most often chance.
fn pauses(entropy: &dyn Entropy) -> impl Iterator<Item = Duration> {
    let drawn = PAUSES.delays().map(|bound| bound.mul_f64(fraction(entropy)));
    std::iter::once(Duration::ZERO).chain(drawn).take(ATTEMPTS - 1)
}

async fn wait(pause: Duration) {
    // A timer would round nothing up to its next tick.
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use outrigger_base_clock::SeededEntropy;

    use super::*;

    #[test]
    fn pauses_grow_at_random_and_end() {
        let drawn = |seed| pauses(&SeededEntropy::new(seed)).collect::<Vec<_>>();
        let one = drawn(1);
        assert_eq!(one.len(), 31);
        assert_eq!(one[0], Duration::ZERO);
        let bounds = [2, 4, 8, 16, 32, 64, 100, 100].map(Duration::from_millis);
        for (pause, bound) in one[1..].iter().zip(bounds) {
            assert!(*pause < bound, "{pause:?} of {bound:?}");
        }
        let late: Duration = one[7..].iter().sum();
        assert!(late > Duration::from_millis(600), "{late:?}");
        // Two writers that met wait for different times.
        let other = drawn(2);
        assert!(one.iter().zip(&other).skip(1).all(|(one, other)| one != other));
    }
}
