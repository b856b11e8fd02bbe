//! Asking the app what it wants.

use std::{collections::BTreeMap, time::Duration};

use outrigger_base_std::chain;
use outrigger_resilience::{Backoff, Policy, Verdict};
use outrigger_runtime_channel::{AppChannel, AppSubscription, Error};

/// Attempts at an app that does not answer: Dapr's built-in policy for initialisation.
const ASK_POLICY: Policy = Policy::retry(
    Backoff::Exponential {
        initial: Duration::from_millis(500),
        factor: 1.5,
        max: Duration::from_secs(1),
    },
    3,
);

/// The app's subscriptions; `None` when it did not say.
pub(crate) async fn ask(channel: &dyn AppChannel) -> Option<Vec<AppSubscription>> {
    let asked = ASK_POLICY.run((), |()| async move {
        channel.subscriptions().await.map_err(|error| match error {
            // An app that answers nonsense will not answer better in a second.
            Error::Answer { .. } => Verdict::Final(error),
            error => Verdict::Again { error, input: () },
        })
    });
    match asked.await {
        Ok(subscriptions) => {
            tell(&subscriptions);
            Some(subscriptions)
        }
        Err(error) => {
            tracing::error!("error getting topic list from app: {}", chain(&error));
            None
        }
    }
}

/// The lines that people and test suites wait for.
fn tell(subscriptions: &[AppSubscription]) {
    if subscriptions.is_empty() {
        tracing::debug!("user app did not subscribe to any topic");
    }
    let mut topics: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for subscription in subscriptions {
        topics
            .entry(&subscription.pubsub_name)
            .or_default()
            .push(&subscription.topic);
    }
    for (pubsub, topics) in topics {
        tracing::info!(
            "app is subscribed to the following topics: [[{}]] through pubsub={pubsub}",
            topics.join(" ")
        );
    }
}
