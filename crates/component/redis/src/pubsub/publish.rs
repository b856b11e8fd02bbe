//! Publishing: one `XADD` for each message; those of many callers share the connection and are pipelined on it.

use std::time::Duration;

use outrigger_base_clock::Clock;
use outrigger_block_pubsub::{BulkFailure, BulkPublish, Error, Metadata, Publish};
use redis::{Cmd, Pipeline};

use super::{RedisBroker, options::Trim};
use crate::{fault::Fault, value};

/// What every failure here was about.
const ATTEMPTED: &str = "publish to Redis";
/// Messages of a bulk that go in one write: few round trips, and a bound on what is encoded at once.
const CHUNK: usize = 256;

/// Publishes a message. It is repeated when its answer was lost, so it may be there twice; a message is never lost
/// for the sake of that, and subscribers must know it twice anyway.
pub(super) async fn one(broker: &RedisBroker, message: &Publish) -> Result<(), Error> {
    let command = add(broker, &message.topic, &message.data, &message.metadata);
    let call = broker.link.writing(true);
    broker
        .link
        .send(&command, call)
        .await
        .map(drop)
        .map_err(|fault| fault.into_pubsub(ATTEMPTED))
}

/// Publishes many, a chunk at a time, in their order; the failures.
pub(super) async fn many(broker: &RedisBroker, request: &BulkPublish) -> Result<Vec<BulkFailure>, Error> {
    let mut failures = Vec::new();
    for chunk in request.entries.chunks(CHUNK) {
        let mut pipeline = Pipeline::with_capacity(chunk.len());
        for entry in chunk {
            let mut metadata = request.metadata.clone();
            metadata.extend(
                entry
                    .metadata
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
            pipeline.add_command(add(broker, &request.topic, &entry.data, &metadata));
        }
        let answers = broker.link.send_all(&pipeline, broker.link.writing(true)).await;
        let outcomes: Vec<Result<(), Fault>> = match answers {
            Ok(answers) => answers
                .into_iter()
                .map(|answer| value::checked(answer).map(drop))
                .collect(),
            Err(fault) => vec![Err(fault); chunk.len()],
        };
        failures.extend(chunk.iter().zip(outcomes).filter_map(|(entry, outcome)| {
            let error = outcome.err()?.into_pubsub(ATTEMPTED);
            Some(BulkFailure {
                id: entry.id.clone(),
                error,
            })
        }));
    }
    Ok(failures)
}

fn add(broker: &RedisBroker, topic: &str, data: &[u8], metadata: &Metadata) -> Cmd {
    // Nothing but text is in the map, so it always can be written.
    let metadata = (!metadata.is_empty()).then(|| serde_json::to_vec(metadata).unwrap_or_default());
    let size = 64 + topic.len() + data.len() + metadata.as_ref().map_or(0, Vec::len);
    let mut command = Cmd::with_capacity(10, size);
    command.arg("XADD").arg(topic);
    match broker.options.trim {
        Trim::Never => {}
        Trim::Length(length) => {
            command.arg("MAXLEN").arg("~").arg(length);
        }
        Trim::Age(age) => {
            command.arg("MINID").arg("~").arg(oldest(&*broker.clock, age));
        }
    }
    command.arg("*").arg("data").arg(data);
    if let Some(metadata) = metadata {
        command.arg("metadata").arg(metadata);
    }
    command
}

/// The id before which entries are too old.
fn oldest(clock: &dyn Clock, age: Duration) -> String {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let oldest = clock.now().as_millisecond().saturating_sub(age).max(0);
    format!("{oldest}-1")
}
