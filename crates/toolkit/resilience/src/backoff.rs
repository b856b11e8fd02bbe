//! How long to wait between attempts.

use std::time::Duration;

/// The pauses between attempts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Backoff {
    /// The same pause every time.
    Constant {
        /// The pause.
        pause: Duration,
        /// Whether the first repeat comes at once: right where the failure is likely to be one replica's.
        first_at_once: bool,
    },
    /// A pause that grows.
    Exponential {
        /// The first pause.
        initial: Duration,
        /// What each pause is multiplied by.
        factor: f64,
        /// The longest pause.
        max: Duration,
    },
}

impl Backoff {
    /// The same pause every time.
    pub const fn constant(pause: Duration) -> Self {
        Self::Constant {
            pause,
            first_at_once: false,
        }
    }

    /// A first repeat at once, then the same pause every time.
    pub const fn at_once_then(pause: Duration) -> Self {
        Self::Constant {
            pause,
            first_at_once: true,
        }
    }

    /// The pauses, one after the other, without an end.
    pub fn delays(self) -> Delays {
        Delays {
            backoff: self,
            taken: 0,
            next: Duration::ZERO,
        }
    }
}

/// The pauses of a [`Backoff`].
#[derive(Debug, Clone)]
pub struct Delays {
    backoff: Backoff,
    taken: u32,
    next: Duration,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let first = self.taken == 0;
        self.taken = self.taken.saturating_add(1);
        match self.backoff {
            Backoff::Constant {
                first_at_once: true, ..
            } if first => Some(Duration::ZERO),
            Backoff::Constant { pause, .. } => Some(pause),
            Backoff::Exponential { initial, factor, max } => {
                self.next = if first { initial } else { grown(self.next, factor) }.min(max);
                Some(self.next)
            }
        }
    }
}

/// A pause that has grown; one that is too long to be told is for ever.
fn grown(pause: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(pause.as_secs_f64() * factor.max(1.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_follow_their_rule() {
        let millis = |backoff: Backoff| {
            backoff
                .delays()
                .take(4)
                .map(|delay| delay.as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            millis(Backoff::constant(Duration::from_secs(1))),
            [1000, 1000, 1000, 1000]
        );
        assert_eq!(
            millis(Backoff::at_once_then(Duration::from_secs(1))),
            [0, 1000, 1000, 1000]
        );
        let growing = Backoff::Exponential {
            initial: Duration::from_millis(500),
            factor: 1.5,
            max: Duration::from_secs(1),
        };
        assert_eq!(millis(growing), [500, 750, 1000, 1000]);
    }

    #[test]
    fn a_pause_that_grows_beyond_all_bounds_stays_at_its_longest() {
        for factor in [f64::INFINITY, 1e300, f64::NAN] {
            let growing = Backoff::Exponential {
                initial: Duration::from_secs(1),
                factor,
                max: Duration::MAX,
            };
            let pauses: Vec<_> = growing.delays().take(4).collect();
            assert!(pauses.is_sorted(), "{pauses:?}");
        }
    }
}
