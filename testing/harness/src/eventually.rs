//! Waiting for a condition.

use std::{fmt::Debug, future::Future, panic::Location, time::Duration};

use tokio::time::{Instant, sleep};

/// How long to wait between two looks: short against any deadline, long against one look.
const PAUSE: Duration = Duration::from_millis(5);

/// What a look may answer: `bool`, `Option<T>` or `Result<T, E>`.
pub trait Check {
    /// What the wait gives back.
    type Value;

    /// The value when the condition holds, else what was seen.
    fn check(self) -> Result<Self::Value, String>;
}

impl Check for bool {
    type Value = ();

    fn check(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Check for Option<T> {
    type Value = T;

    fn check(self) -> Result<T, String> {
        self.ok_or_else(|| "None".to_owned())
    }
}

impl<T, E: Debug> Check for Result<T, E> {
    type Value = T;

    fn check(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Looks again and again until the condition holds; gives back what it found.
///
/// # Panics
/// When the condition does not hold before `deadline`, or one look takes until then: names the caller's line and the
/// last answer. This is a test's assertion.
#[track_caller]
pub fn eventually<F, Fut>(
    deadline: Duration,
    mut look: F,
) -> impl Future<Output = <Fut::Output as Check>::Value>
where
    F: FnMut() -> Fut,
    Fut: Future,
    Fut::Output: Check,
{
    let caller = Location::caller();
    async move {
        let end = Instant::now() + deadline;
        let mut last = "no answer".to_owned();
        loop {
            match tokio::time::timeout_at(end, look()).await {
                Ok(answer) => match answer.check() {
                    Ok(value) => return value,
                    Err(seen) => last = seen,
                },
                Err(_) => {
                    panic!("not so within {deadline:?} ({caller}): one look did not end; before it: {last}")
                }
            }
            assert!(
                Instant::now() < end,
                "not so within {deadline:?} ({caller}): last look: {last}"
            );
            sleep(PAUSE).await;
        }
    }
}
