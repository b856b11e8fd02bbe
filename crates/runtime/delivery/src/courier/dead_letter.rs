//! The dead-letter topic: where messages go that the app does not take.

use std::time::Duration;

use outrigger_base_std::chain;
use outrigger_block_pubsub::{BulkEntry, BulkPublish, Message, Metadata, Publish};

use super::Courier;

/// Time to publish a dead letter: room for a healthy broker with retries of its own, short enough that a stuck one does
/// not hold the message it came from for ever. Dapr's budget.
const PUBLISH_BUDGET: Duration = Duration::from_secs(30);

impl Courier {
    /// Publishes a message as it came to the dead-letter topic: whether it worked; `None` when there is no such topic.
    pub(crate) async fn bury(&self, letter: Message) -> Option<bool> {
        let topic = self.dead_letter.as_deref()?;
        let origin = letter.topic;
        if !self.may_bury(topic, &origin) {
            return Some(false);
        }
        let publish = self.pubsub.broker.publish(Publish {
            topic: self.pubsub.broker_topic(topic),
            data: letter.data,
            content_type: letter.content_type,
            metadata: letter.metadata,
        });
        let problem = match tokio::time::timeout(PUBLISH_BUDGET, publish).await {
            Ok(Ok(())) => return Some(true),
            Ok(Err(error)) => chain(&error),
            Err(_) => late(),
        };
        tell(&origin, topic, &problem);
        Some(false)
    }

    /// Publishes many to the dead-letter topic, each with an id: the ids that did not make it; `None` when there is no
    /// such topic.
    pub(crate) async fn bury_all(&self, letters: Vec<(String, Message)>) -> Option<Vec<String>> {
        let topic = self.dead_letter.as_deref()?;
        let all: Vec<_> = letters.iter().map(|(id, _)| id.clone()).collect();
        if all.is_empty() || !self.may_bury(topic, &self.topic) {
            return Some(all);
        }
        let entries = letters.into_iter().map(|(id, letter)| BulkEntry {
            id,
            data: letter.data,
            content_type: letter.content_type.unwrap_or_default(),
            metadata: letter.metadata,
        });
        let publish = self.pubsub.broker.bulk_publish(BulkPublish {
            topic: self.pubsub.broker_topic(topic),
            entries: entries.collect(),
            metadata: Metadata::new(),
        });
        let problem = match tokio::time::timeout(PUBLISH_BUDGET, publish).await {
            Ok(Ok(failures)) => {
                if let Some(first) = failures.first() {
                    tell(&self.topic, topic, &chain(&first.error));
                }
                return Some(failures.into_iter().map(|failure| failure.id).collect());
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => late(),
        };
        tell(&self.topic, topic, &problem);
        Some(all)
    }

    fn may_bury(&self, topic: &str, origin: &str) -> bool {
        let may = self.pubsub.scopes.may_publish(topic);
        if !may {
            let app_id = &self.api.host().identity.app_id;
            tell(
                origin,
                topic,
                &format!("topic {topic} is not allowed for app id {app_id}"),
            );
        }
        may
    }
}

fn late() -> String {
    format!("the broker did not take it within {PUBLISH_BUDGET:?}")
}

fn tell(origin: &str, topic: &str, problem: &str) {
    tracing::error!(
        "error sending message to dead letter, origin topic: {origin} dead letter topic {topic} err: {problem}"
    );
}
