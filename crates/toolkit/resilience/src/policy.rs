//! The slot that a repeatable path holds.

use std::future::Future;

use crate::Backoff;

/// What a failed attempt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<I, E> {
    /// Repeating may help, and here is what it takes.
    Again {
        /// Why this attempt failed.
        error: E,
        /// The input of the next attempt.
        input: I,
    },
    /// Repeating cannot help, or would do something twice.
    Final(E),
}

/// The policies of one path, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Policy {
    retry: Option<(Backoff, u32)>,
}

impl Policy {
    /// One attempt.
    pub const fn none() -> Self {
        Self { retry: None }
    }

    /// At most `repeats` more attempts after the first.
    pub const fn retry(backoff: Backoff, repeats: u32) -> Self {
        Self {
            retry: Some((backoff, repeats)),
        }
    }

    /// Whether a failed attempt may be repeated: a path keeps what it needs for that only then.
    pub const fn repeats(&self) -> bool {
        matches!(self.retry, Some((_, 1..)))
    }

    /// Runs `attempt` until it succeeds, fails for good, or has been repeated often enough.
    pub async fn run<I, T, E, F>(&self, mut input: I, mut attempt: impl FnMut(I) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, Verdict<I, E>>>,
    {
        let mut delays = self
            .retry
            .map(|(backoff, repeats)| backoff.delays().take(repeats as usize));
        loop {
            let error = match attempt(input).await {
                Ok(done) => return Ok(done),
                Err(Verdict::Final(error)) => return Err(error),
                Err(Verdict::Again { error, input: next }) => {
                    input = next;
                    error
                }
            };
            let Some(delay) = delays.as_mut().and_then(Iterator::next) else {
                return Err(error);
            };
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::*;

    async fn attempts(policy: Policy, fail: u32) -> (u32, Result<u32, u32>) {
        let count = Cell::new(0);
        let done = policy
            .run((), |()| {
                count.set(count.get() + 1);
                let now = count.get();
                async move {
                    if now <= fail {
                        Err(Verdict::Again {
                            error: now,
                            input: (),
                        })
                    } else {
                        Ok(now)
                    }
                }
            })
            .await;
        (count.get(), done)
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_as_often_as_it_may() {
        let policy = Policy::retry(Backoff::constant(Duration::from_secs(1)), 3);
        assert_eq!(attempts(policy, 2).await, (3, Ok(3)));
        assert_eq!(attempts(policy, 9).await, (4, Err(4)));
        assert_eq!(attempts(Policy::none(), 9).await, (1, Err(1)));
    }

    #[tokio::test]
    async fn a_final_failure_ends_it() {
        let policy = Policy::retry(Backoff::constant(Duration::from_secs(1)), 3);
        let done: Result<(), _> = policy.run((), |()| async { Err(Verdict::Final("no")) }).await;
        assert_eq!(done, Err("no"));
    }
}
