//! Asking the app, as often as the policy has it.

use outrigger_base_std::chain;
use outrigger_base_telemetry::trace::{SpanHandle, SpanKind, Status, TraceContext, Traceparent};
use outrigger_block_pubsub::{Nack, envelope::Event};
use outrigger_resilience::Verdict;
use outrigger_runtime_channel::{EventDelivery, EventVerdict};
use outrigger_wire_names::pubsub as words;
use tokio::time::Instant;

use super::{Addressed, Courier, Fate, id};
use crate::{metrics::Outcome, outlet::Failure};

impl Courier {
    /// Hands an event to whoever receives it, until there is a verdict that counts.
    pub(super) async fn send(&self, addressed: &Addressed<'_>) -> Fate {
        let sending = self.policy.run((), |()| self.attempt(addressed));
        match self.life.cut.run_until(sending).await {
            Some(Ok(fate) | Err(fate)) => fate,
            None => Fate::Kept(Nack("the subscription ended before the app answered".to_owned())),
        }
    }

    async fn attempt(&self, addressed: &Addressed<'_>) -> Result<Fate, Verdict<(), Fate>> {
        let Addressed {
            topic,
            path,
            envelope,
            event,
            message,
        } = *addressed;
        let mut span = self.span(event, topic);
        let traceparent = span.as_ref().map(|span| span.context().traceparent());
        let start = Instant::now();
        let answer = self.outlet.deliver(EventDelivery {
            path,
            topic,
            pubsub_name: &self.pubsub.name,
            envelope,
            event,
            metadata: &message.metadata,
            traceparent: traceparent.as_ref().map(Traceparent::as_str),
        });
        let answer = answer.await;
        let outcome = match answer {
            Ok(EventVerdict::Success) => Outcome::Success,
            Ok(EventVerdict::Drop) => Outcome::Drop,
            Ok(EventVerdict::Retry) | Err(_) => Outcome::Retry,
        };
        self.metrics.record(topic, outcome, Some(start.elapsed()));
        end_span(&mut span, topic, &answer);
        self.judge(answer, event, topic)
    }

    fn judge(
        &self,
        answer: Result<EventVerdict, Failure>,
        event: &Event<'_>,
        topic: &str,
    ) -> Result<Fate, Verdict<(), Fate>> {
        let text = match answer {
            Ok(EventVerdict::Success) => return Ok(Fate::Done),
            Ok(EventVerdict::Drop) => {
                let text = format!(
                    "DROP status returned from app while processing pub/sub event {}",
                    id(event)
                );
                tracing::warn!("{text}");
                return Ok(Fate::Dropped(Nack(text)));
            }
            Ok(EventVerdict::Retry) => format!(
                "RETRY status returned from app while processing pub/sub event {}",
                id(event)
            ),
            Err(failure) => chain(&failure),
        };
        tracing::warn!(
            "encountered a retriable error while publishing a subscribed message to topic {topic}, err: {text}"
        );
        if self.life.told.is_stopped() {
            // The broker keeps it for whoever subscribes next; a dead letter would take it away from them.
            return Err(Verdict::Final(Fate::Kept(Nack(text))));
        }
        Err(Verdict::Again {
            error: Fate::Failed(Nack(text)),
            input: (),
        })
    }

    /// The span of a delivery, for events that belong to a trace.
    pub(crate) fn span(&self, event: &Event<'_>, topic: &str) -> Option<SpanHandle> {
        if !self.api.tracer().is_enabled() {
            return None;
        }
        let parent = event.trace_parent()?;
        let parent = TraceContext::from_headers(&parent, event.trace_state().as_deref());
        let name = || format!("{}{topic}", words::SPAN_PREFIX).into();
        Some(self.api.tracer().start(name, parent.as_ref(), SpanKind::Client))
    }
}

fn end_span(span: &mut Option<SpanHandle>, topic: &str, answer: &Result<EventVerdict, Failure>) {
    let Some(span) = span.as_mut() else {
        return;
    };
    describe(span, topic);
    match answer {
        Ok(EventVerdict::Success) => (),
        Ok(EventVerdict::Drop) => span.status(|| Status::Error(words::VERDICT_DROP.into())),
        Ok(EventVerdict::Retry) => span.status(|| Status::Error(words::VERDICT_RETRY.into())),
        Err(failure) => span.status(|| Status::Error(chain(failure).into())),
    }
}

/// Adds what every span of a delivery says.
pub(crate) fn describe(span: &mut SpanHandle, topic: &str) {
    span.attribute(words::SPAN_SYSTEM, || words::SPAN_SYSTEM_PUBSUB);
    span.attribute(words::SPAN_DESTINATION, || topic.to_owned());
}
