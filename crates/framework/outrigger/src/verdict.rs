//! What a handler makes of an event.

use outrigger_base_std::BoxError;

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// It is done, and acknowledged.
    #[default]
    Done,
    /// It failed. Where the subscription has a dead-letter topic it goes there, at the first failure as with Dapr, unless a
    /// retry policy of the sidecar beside the app delivers it again before. Without such a topic it comes again, after the
    /// delay of the broker; one that does not redeliver, such as `pubsub.in-memory`, loses it.
    Retry,
    /// It never comes again; it goes into the dead-letter topic, where there is one.
    Drop,
}

/// What a handler of events may give back: nothing, a [`Verdict`], or a `Result` of either, whose error means
/// [`Verdict::Retry`] and is logged.
pub trait IntoVerdict {
    /// The verdict.
    fn into_verdict(self) -> Verdict;
}

impl IntoVerdict for () {
    fn into_verdict(self) -> Verdict {
        Verdict::Done
    }
}

impl IntoVerdict for Verdict {
    fn into_verdict(self) -> Verdict {
        self
    }
}

impl<T: IntoVerdict, E: Into<BoxError>> IntoVerdict for Result<T, E> {
    fn into_verdict(self) -> Verdict {
        match self {
            Ok(done) => done.into_verdict(),
            Err(error) => {
                let error = error.into();
                tracing::warn!(
                    "a handler of events failed: {}",
                    outrigger_base_std::chain(&*error)
                );
                Verdict::Retry
            }
        }
    }
}
