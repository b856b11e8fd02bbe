//! Subscriptions and brokers that end.

use std::{pin::pin, time::Duration};

use outrigger_block_kit::{
    conformance::{Outcome, eventually},
    ensure, ensure_eq,
};

use super::{Recorder, Subject};
use crate::Error;

/// How long a close is watched to see that it does wait. A close that does not wait ends much sooner.
const WATCH: Duration = Duration::from_millis(200);

/// A close takes no further message, and ends only when the one in hand is answered.
pub async fn closing_waits_for_the_message_in_hand(subject: &Subject) -> Outcome {
    let recorder = Recorder::gated();
    let subscription = subject.subscribe("in-hand", &recorder).await?;
    subject.publish("in-hand", "one").await?;
    recorder.wait_entered(1, subject.traits.patience).await?;
    {
        let mut close = pin!(subscription.close());
        let waited = tokio::time::timeout(WATCH, &mut close).await.is_err();
        ensure!(waited, "the close did not wait for the message in hand");
        recorder.open(1);
        close.await;
    }
    ensure_eq!(recorder.texts(), ["one"], "messages when the close ended");
    subject.publish("in-hand", "two").await?;
    witness(subject, "in-hand-witness").await?;
    ensure_eq!(
        recorder.entered(),
        1,
        "messages that came to a closed subscription and before"
    );
    Ok(())
}

/// Dropping a subscription ends it, soon if not at once.
pub async fn a_dropped_subscription_ends(subject: &Subject) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe("dropped", &recorder).await?;
    subject.publish("dropped", "before").await?;
    recorder.wait_for(&["before"], subject.traits.patience).await?;
    drop(subscription);
    eventually(
        "a dropped subscription gets nothing more",
        subject.traits.patience,
        async || {
            let before = recorder.entered();
            subject.publish("dropped", "after").await?;
            witness(subject, "dropped-witness").await?;
            Ok(recorder.entered() == before)
        },
    )
    .await
}

/// A message that came when the subscription was closing, or after it, is there for the next one, where the broker
/// keeps it; one that was answered does not come again.
pub async fn what_was_not_handled_stays(subject: &Subject) -> Outcome {
    if !subject.traits.keeps_unhandled {
        return Ok(());
    }
    let recorder = Recorder::new();
    let first = subject.subscribe("kept", &recorder).await?;
    subject.publish("kept", "one").await?;
    recorder.wait_for(&["one"], subject.traits.patience).await?;
    first.close().await;
    subject.publish("kept", "two").await?;
    let next = Recorder::new();
    let second = subject.subscribe("kept", &next).await?;
    subject.publish("kept", "three").await?;
    next.wait_for(&["two", "three"], subject.traits.patience).await?;
    ensure!(
        !next.texts().contains(&"one".to_owned()),
        "an answered message came again"
    );
    second.close().await;
    Ok(())
}

/// Every call after the close is told so; a second close is no error.
pub async fn a_closed_broker_says_so(subject: &Subject) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe("closing", &recorder).await?;
    subject.broker.close().await;
    let answers = [
        ("publish", subject.publish("closing", "x").await.err()),
        ("subscribe", subject.subscribe("closing", &recorder).await.err()),
        ("ping", subject.broker.ping().await.err()),
    ];
    for (call, error) in answers {
        ensure!(matches!(error, Some(Error::Closed)), "{call}: found {error:?}");
    }
    subscription.close().await;
    subject.broker.close().await;
    ensure_eq!(recorder.entered(), 0, "messages after the close");
    Ok(())
}

/// A message goes to another topic and arrives: what the broker had to deliver before it has had its time.
async fn witness(subject: &Subject, topic: &str) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe(topic, &recorder).await?;
    subject.publish(topic, "witness").await?;
    recorder.wait_for(&["witness"], subject.traits.patience).await?;
    subscription.close().await;
    Ok(())
}
