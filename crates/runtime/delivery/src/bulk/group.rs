//! The entries of a batch that go to one route, in one call; those that fail are repeated as the policy has it.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use outrigger_base_std::chain;
use outrigger_base_telemetry::trace::SpanHandle;
use outrigger_block_pubsub::Nack;
use outrigger_resilience::Verdict;
use outrigger_runtime_channel::{BulkDelivery, BulkEntry, EventVerdict};
use tokio::time::Instant;

use super::Batches;
use crate::courier::{Fate, describe};

/// Entries for one route, in the order in which they came.
pub(super) struct Group<'c> {
    pub(super) path: &'c str,
    /// Where each stands in its batch.
    places: Vec<usize>,
    entries: Vec<BulkEntry>,
    spans: Vec<SpanHandle>,
}

impl<'c> Group<'c> {
    pub(super) fn new(path: &'c str) -> Self {
        Self {
            path,
            places: Vec::new(),
            entries: Vec::new(),
            spans: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, place: usize, entry: BulkEntry, span: Option<SpanHandle>) {
        self.places.push(place);
        self.entries.push(entry);
        self.spans.extend(span);
    }
}

/// Verdicts that count, by entry. Never locked across an await.
type Verdicts = Mutex<Vec<Option<EventVerdict>>>;

impl Batches {
    /// Delivers a group: a fate for each entry, with its place in the batch.
    pub(super) async fn send(&self, mut group: Group<'_>) -> Vec<(usize, Fate)> {
        for span in &mut group.spans {
            describe(span, &self.courier.topic);
        }
        let verdicts: Verdicts = Mutex::new(vec![None; group.entries.len()]);
        let all = (0..group.entries.len()).collect::<Vec<_>>();
        let sent = self
            .courier
            .policy
            .run(all, |open| self.attempt(&group, open, &verdicts))
            .await;
        let verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let problem = sent.err().unwrap_or_default();
        let told = self.courier.life.told.is_stopped();
        let fate = |entry: &BulkEntry, verdict: Option<EventVerdict>| match verdict {
            Some(EventVerdict::Success) => Fate::Done,
            Some(EventVerdict::Drop) => Fate::Dropped(dropped(entry)),
            Some(EventVerdict::Retry) | None if told => Fate::Kept(Nack(problem.clone())),
            Some(EventVerdict::Retry) | None => Fate::Failed(Nack(problem.clone())),
        };
        let fates = group.entries.iter().zip(verdicts);
        let fates = fates.map(|(entry, verdict)| fate(entry, verdict));
        group.places.iter().copied().zip(fates).collect()
    }

    /// One call with the entries that are still open.
    async fn attempt(
        &self,
        group: &Group<'_>,
        open: Vec<usize>,
        verdicts: &Verdicts,
    ) -> Result<(), Verdict<Vec<usize>, String>> {
        let entries: Cow<'_, [BulkEntry]> = if open.len() == group.entries.len() {
            Cow::Borrowed(&group.entries)
        } else {
            Cow::Owned(open.iter().map(|entry| group.entries[*entry].clone()).collect())
        };
        let start = Instant::now();
        let answer = self.channel.deliver_bulk(BulkDelivery {
            id: outrigger_base_clock::uuid_v4(&*self.courier.api.host().entropy).to_string(),
            path: group.path,
            topic: &self.courier.topic,
            pubsub_name: &self.courier.pubsub.name,
            entries: &entries,
        });
        let answer = answer.await;
        self.courier.metrics.record_bulk(start.elapsed());
        let (problem, open) = match answer {
            Err(error) => (
                format!(
                    "error from app channel while sending pub/sub event to app: {}",
                    chain(&error)
                ),
                open,
            ),
            Ok(given) => {
                let mut known = verdicts.lock().unwrap_or_else(PoisonError::into_inner);
                let rest: Vec<usize> = open
                    .into_iter()
                    .filter(|entry| {
                        let verdict = given.get(&group.entries[*entry].id).copied();
                        known[*entry] = verdict;
                        matches!(verdict, None | Some(EventVerdict::Retry))
                    })
                    .collect();
                let problem = "few message(s) have failed during bulk subscribe operation".to_owned();
                (problem, rest)
            }
        };
        if open.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            "encountered a retriable error while publishing {} subscribed message(s) to topic {} in bulk, err: {problem}",
            open.len(),
            self.courier.topic
        );
        if self.courier.life.told.is_stopped() {
            return Err(Verdict::Final(problem));
        }
        Err(Verdict::Again {
            error: problem,
            input: open,
        })
    }
}

fn dropped(entry: &BulkEntry) -> Nack {
    let text = format!(
        "DROP status returned from app while processing pub/sub event {}",
        entry.id
    );
    tracing::warn!("{text}");
    Nack(text)
}
