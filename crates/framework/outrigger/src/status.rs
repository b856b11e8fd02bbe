//! The verdict on an event in the answer of an HTTP app (dapr-runtime.md §3.5).

use outrigger_wire_names::pubsub;
use serde::Serialize;

use crate::Verdict;

/// The body of an answer to an event.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    status: &'static str,
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        let status = match verdict {
            Verdict::Done => pubsub::VERDICT_SUCCESS,
            Verdict::Retry => pubsub::VERDICT_RETRY,
            Verdict::Drop => pubsub::VERDICT_DROP,
        };
        Self { status }
    }
}
