//! One batch: sorted by route, delivered, answered entry by entry.

use outrigger_base_std::chain;
use outrigger_base_telemetry::trace::SpanHandle;
use outrigger_block_pubsub::{
    Message, Nack,
    envelope::{self, Event},
};
use outrigger_engine_routing::RouteError;
use outrigger_runtime_channel::BulkEntry;
use outrigger_wire_names::{content, pubsub as words};
use tokio::sync::oneshot;

use super::{Batches, Entry, group::Group};
use crate::courier::{Courier, EventText, Fate, Form, RawText};

/// What becomes of a message before the app sees it.
enum Sorted<'c> {
    /// It goes to a route.
    To(&'c str, Box<BulkEntry>, Option<SpanHandle>),
    /// It does not.
    Fated(Fate),
}

impl Batches {
    /// Delivers a batch and answers its entries.
    pub(super) async fn deliver(&self, batch: Vec<Entry>) {
        let mut fates: Vec<Option<Fate>> = Vec::with_capacity(batch.len());
        let mut groups: Vec<Group<'_>> = Vec::new();
        for (place, entry) in batch.iter().enumerate() {
            match self.courier.sort(&entry.message) {
                Sorted::Fated(fate) => fates.push(Some(fate)),
                Sorted::To(path, entry, span) => {
                    fates.push(None);
                    let known = groups.iter().position(|group| group.path == path);
                    let group = known.unwrap_or_else(|| {
                        groups.push(Group::new(path));
                        groups.len() - 1
                    });
                    groups[group].add(place, *entry, span);
                }
            }
        }
        for group in groups {
            for (place, fate) in self.send(group).await {
                fates[place] = Some(fate);
            }
        }
        self.settle(batch, fates).await;
    }

    /// Answers entries by their fates. Those that do not reach the app are buried together, where there is a topic for it.
    async fn settle(&self, batch: Vec<Entry>, fates: Vec<Option<Fate>>) {
        let mut tally = Tally::default();
        let mut letters = Vec::new();
        let mut waiting = Vec::new();
        for (place, (entry, fate)) in batch.into_iter().zip(fates).enumerate() {
            // Every entry was given a fate; one without would come again, which is safe.
            let fate = fate.unwrap_or_else(|| Fate::Kept(Nack("no verdict".to_owned())));
            tally.count(&fate);
            match fate {
                Fate::Done => reply(entry.answer, Ok(())),
                Fate::Kept(nack) => reply(entry.answer, Err(nack)),
                fate => {
                    letters.push((place.to_string(), entry.message));
                    waiting.push((place.to_string(), fate, entry.answer));
                }
            }
        }
        let lost = self.courier.bury_all(letters).await;
        for (id, fate, answer) in waiting {
            let buried = lost.as_ref().map(|lost| !lost.contains(&id));
            reply(answer, fate.once_buried(buried));
        }
        tally.record(&self.courier);
    }
}

/// The receiver has gone when the broker gave up on the delivery: the message will come again.
fn reply(answer: oneshot::Sender<Result<(), Nack>>, result: Result<(), Nack>) {
    let _ = answer.send(result);
}

/// How many entries of a batch had which status.
#[derive(Default)]
struct Tally {
    success: usize,
    retry: usize,
    drop: usize,
}

impl Tally {
    fn count(&mut self, fate: &Fate) {
        let status = match fate {
            Fate::Done => &mut self.success,
            Fate::Kept(_) | Fate::Unusable(_) | Fate::Failed(_) => &mut self.retry,
            Fate::Ignored | Fate::Dropped(_) => &mut self.drop,
        };
        *status += 1;
    }

    fn record(&self, courier: &Courier) {
        let metrics = &courier.metrics;
        metrics.record_entries(words::VERDICT_SUCCESS, self.success);
        metrics.record_entries(words::VERDICT_RETRY, self.retry);
        metrics.record_entries(words::VERDICT_DROP, self.drop);
    }
}

impl Courier {
    fn sort(&self, message: &Message) -> Sorted<'_> {
        match &self.form {
            Form::Unclear(problem) => {
                tracing::error!("error deserializing pubsub metadata: {problem}");
                Sorted::Fated(Fate::Unusable(Nack(problem.clone())))
            }
            Form::Raw => {
                let route = self.router.route(&RawText(&message.data));
                self.address(route, None, || self.entry(message, None))
            }
            Form::Events => self.sort_event(message),
        }
    }

    fn sort_event(&self, message: &Message) -> Sorted<'_> {
        let topic = &*self.topic;
        let Ok(envelope) = self.envelope(message, topic) else {
            // The form is clear here, so there is an envelope; a message without one comes again.
            return Sorted::Fated(Fate::Unusable(Nack("no envelope".to_owned())));
        };
        let mut event = match Event::parse(&envelope) {
            Ok(event) => event,
            Err(error) => return Sorted::Fated(Fate::Unusable(self.unreadable(&chain(&error), topic))),
        };
        event.fill_trace(&message.metadata);
        if self.is_over(&event) {
            return Sorted::Fated(Fate::Ignored);
        }
        let route = self.router.route(&EventText(&event));
        if let Err(error) = &route {
            return Sorted::Fated(Fate::Unusable(self.misrouted(&chain(error), &event, topic)));
        }
        let span = self.span(&event, topic);
        self.address(route, span, || self.entry(message, Some(envelope.clone())))
    }

    fn address<'c>(
        &self,
        route: Result<Option<&'c str>, RouteError>,
        span: Option<SpanHandle>,
        entry: impl FnOnce() -> BulkEntry,
    ) -> Sorted<'c> {
        match route {
            Ok(Some(path)) => Sorted::To(path, Box::new(entry()), span),
            Ok(None) => {
                tracing::warn!(
                    "No matching route for event in pubsub {} and topic {}; skipping",
                    self.pubsub.name,
                    self.topic
                );
                Sorted::Fated(Fate::Ignored)
            }
            Err(error) => {
                let problem = format!(
                    "error finding matching route for a raw message: {}",
                    chain(&error)
                );
                tracing::error!("{problem}");
                Sorted::Fated(Fate::Unusable(Nack(problem)))
            }
        }
    }

    /// The entry of a message: its envelope, or its bytes as they are.
    fn entry(&self, message: &Message, envelope: Option<bytes::Bytes>) -> BulkEntry {
        let is_envelope = envelope.is_some();
        let given = message.content_type.clone().filter(|kind| !kind.is_empty());
        let binary = given.as_deref().is_some_and(envelope::is_binary);
        let content_type = match given {
            // What was binary has become an envelope.
            Some(kind) if !(is_envelope && binary) => kind,
            _ if is_envelope => content::CLOUD_EVENT.to_owned(),
            _ => content::OCTET_STREAM.to_owned(),
        };
        BulkEntry {
            id: outrigger_base_clock::uuid_v4(&*self.api.host().entropy).to_string(),
            event: envelope.unwrap_or_else(|| message.data.clone()),
            is_envelope,
            content_type,
            metadata: message.metadata.clone(),
        }
    }
}
