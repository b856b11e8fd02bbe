//! The verdict on an event in the answer of an HTTP app (dapr-runtime.md §3.5).

use http::StatusCode;
use outrigger_runtime_channel::EventVerdict;
use outrigger_wire_names::pubsub;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// The body of an answer to an event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    #[serde(default)]
    status: String,
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        let status = match verdict {
            Verdict::Done => pubsub::VERDICT_SUCCESS,
            Verdict::Retry => pubsub::VERDICT_RETRY,
            Verdict::Drop => pubsub::VERDICT_DROP,
        };
        Self {
            status: status.to_owned(),
        }
    }
}

/// What the answer of a method to an event means: as if it had come over a socket.
pub(crate) fn verdict(status: StatusCode, body: &[u8]) -> EventVerdict {
    if status == StatusCode::NOT_FOUND {
        return EventVerdict::Drop;
    }
    if !status.is_success() {
        return EventVerdict::Retry;
    }
    let Ok(answer) = serde_json::from_slice::<Status>(body) else {
        return EventVerdict::Success;
    };
    match answer.status.to_ascii_uppercase().as_str() {
        "" | pubsub::VERDICT_SUCCESS => EventVerdict::Success,
        pubsub::VERDICT_DROP => EventVerdict::Drop,
        _ => EventVerdict::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_the_same_as_over_a_socket() {
        let of = |status: u16, body: &str| verdict(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(of(204, ""), EventVerdict::Success);
        assert_eq!(of(200, "[1]"), EventVerdict::Success);
        assert_eq!(of(200, r#"{"status":"DROP"}"#), EventVerdict::Drop);
        assert_eq!(of(200, r#"{"status":"later"}"#), EventVerdict::Retry);
        assert_eq!(of(404, ""), EventVerdict::Drop);
        assert_eq!(of(500, ""), EventVerdict::Retry);
    }
}
