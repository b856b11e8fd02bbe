//! What is published arrives.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_block_kit::{
    conformance::{Failure, Outcome, eventually},
    ensure, ensure_eq,
};

use super::{Recorder, Subject};
use crate::{BulkEntry, BulkPublish, Delivery, Handler, Nack, Publish, Subscribe};

/// Messages in a rule that looks at their order.
const SEQUENCE: usize = 100;
/// Length of a message that fits into no packet, in bytes.
const LARGE: usize = 100 << 10;
/// How often a handler publishes on from within.
const HOPS: usize = 200;

/// The broker answers.
pub async fn answers_ping(subject: &Subject) -> Outcome {
    subject.broker.ping().await?;
    Ok(())
}

/// Payloads of any bytes arrive unchanged, on their topic, with their metadata where the broker carries it.
pub async fn messages_arrive_as_published(subject: &Subject) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe("as-published", &recorder).await?;
    let payloads = [
        Bytes::from_static(b"{\"id\":\"1\"}"),
        Bytes::from_static(b"\xff\x00\r\n\xfe"),
        Bytes::new(),
        (0..LARGE).map(|at| (at % 251) as u8).collect(),
    ];
    for payload in &payloads {
        let mut message = subject.message("as-published", payload.clone());
        message.metadata.insert("color".to_owned(), "red".to_owned());
        subject.broker.publish(message).await?;
    }
    eventually("all four payloads arrive", subject.traits.patience, async || {
        let have = recorder.accepted();
        Ok(payloads
            .iter()
            .all(|payload| have.iter().any(|message| message.data == payload)))
    })
    .await?;
    for message in recorder.accepted() {
        ensure_eq!(*message.topic, *subject.topic("as-published"), "the topic");
        if subject.traits.metadata {
            let color = message.metadata.get("color").map(String::as_str);
            ensure_eq!(color, Some("red"), "the metadata");
        }
    }
    subscription.close().await;
    Ok(())
}

/// One publisher's messages arrive in its order, where the broker promises that; all of them in any case.
pub async fn messages_arrive_in_order(subject: &Subject) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe("in-order", &recorder).await?;
    let texts = numbered(SEQUENCE);
    for text in &texts {
        subject.publish("in-order", text).await?;
    }
    recorder.wait_for(&texts, subject.traits.patience).await?;
    if subject.traits.in_order {
        ensure_eq!(recorder.texts(), texts, "messages in the order of arrival");
    }
    subscription.close().await;
    Ok(())
}

/// A subscription has one message in hand at a time, where the broker promises that.
pub async fn one_message_at_a_time(subject: &Subject) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe("serial", &recorder).await?;
    let texts = numbered(20);
    for text in &texts {
        subject.publish("serial", text).await?;
    }
    recorder.wait_for(&texts, subject.traits.patience).await?;
    if subject.traits.serial {
        ensure_eq!(recorder.most_running(), 1, "messages in hand at once");
    }
    subscription.close().await;
    Ok(())
}

/// The handler fails the first two messages and every fifth one, each once: all others arrive all the same. Those that
/// failed come again where the broker redelivers.
pub async fn a_failed_message_does_not_stop_the_rest(subject: &Subject) -> Outcome {
    let fails = |text: &str| matches!(text, "message-0" | "message-1") || text.ends_with(['4', '9']);
    let recorder = Recorder::deciding(move |data, refused| {
        let text = String::from_utf8_lossy(data);
        if refused == 0 && fails(&text) {
            return Err(Nack("on purpose".to_owned()));
        }
        Ok(())
    });
    let subscription = subject.subscribe("failing", &recorder).await?;
    let texts = numbered(10);
    for text in &texts {
        subject.publish("failing", text).await?;
    }
    let wanted: Vec<&String> = texts
        .iter()
        .filter(|text| subject.traits.redelivers || !fails(text))
        .collect();
    recorder.wait_for(&wanted, subject.traits.patience).await?;
    let refused = || {
        texts
            .iter()
            .filter(|text| recorder.refusals(text) > 0)
            .collect::<Vec<_>>()
    };
    let expected: Vec<&String> = texts.iter().filter(|text| fails(text)).collect();
    // A broker without an order may bring one of them last, after all that are accepted.
    eventually("every message was tried", subject.traits.patience, async || {
        Ok(refused().len() >= expected.len())
    })
    .await?;
    ensure_eq!(refused(), expected, "messages that were refused once");
    subscription.close().await;
    Ok(())
}

/// Every entry of a bulk publish arrives, with the request's metadata and its own, which wins.
pub async fn a_bulk_publish_reaches_the_topic(subject: &Subject) -> Outcome {
    let recorder = Recorder::new();
    let subscription = subject.subscribe("bulk", &recorder).await?;
    let texts = numbered(10);
    let entries = texts.iter().map(|text| BulkEntry {
        id: text.clone(),
        data: Bytes::from(text.clone()),
        content_type: "text/plain".to_owned(),
        metadata: [("own".to_owned(), text.clone())].into(),
    });
    let request = BulkPublish {
        topic: subject.topic("bulk"),
        entries: entries.collect(),
        metadata: [
            ("own".to_owned(), "overridden".to_owned()),
            ("all".to_owned(), "x".to_owned()),
        ]
        .into(),
    };
    let failures = subject.broker.bulk_publish(request).await?;
    ensure!(failures.is_empty(), "failures: {failures:?}");
    recorder.wait_for(&texts, subject.traits.patience).await?;
    for message in recorder.accepted().iter().filter(|_| subject.traits.metadata) {
        let own = message.metadata.get("own").map(String::as_bytes);
        ensure_eq!(own, Some(&message.data[..]), "metadata of the entry");
        ensure!(
            message.metadata.contains_key("all"),
            "metadata of the request is missing"
        );
    }
    subscription.close().await;
    Ok(())
}

/// A handler publishes to the topic that it is subscribed to, again and again: nobody waits for anybody.
pub async fn a_handler_may_publish_to_its_own_topic(subject: &Subject) -> Outcome {
    let relay = Arc::new(Relay {
        subject: subject.clone(),
        end: Recorder::new(),
    });
    let request = Subscribe {
        topic: subject.topic("relay"),
        ..Subscribe::default()
    };
    let subscription = subject.broker.subscribe(request, relay.clone()).await?;
    // Hops of a broker over the network take their time, and there is a limit for the whole rule.
    let patience = subject.traits.patience.max(Duration::from_secs(30));
    subject.publish("relay", "0").await?;
    relay.end.wait_for(&[HOPS.to_string()], patience).await?;
    subscription.close().await;
    Ok(())
}

/// Publishes the next number for each it gets, up to the last.
struct Relay {
    subject: Subject,
    end: Arc<Recorder>,
}

#[async_trait]
impl Handler for Relay {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let hop = next_hop(&delivery.message.data).map_err(|failure| Nack(format!("{failure:?}")))?;
        match hop {
            None => self.end.handle(delivery).await,
            Some(next) => {
                let message = Publish {
                    topic: delivery.message.topic.to_string(),
                    data: next,
                    ..Publish::default()
                };
                let sent = self.subject.broker.publish(message).await;
                sent.map_err(|error| Nack(error.to_string()))
            }
        }
    }
}

fn next_hop(data: &[u8]) -> Result<Option<Bytes>, Failure> {
    let hop: usize = std::str::from_utf8(data)?.parse()?;
    Ok((hop < HOPS).then(|| Bytes::from((hop + 1).to_string())))
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("message-{n}")).collect()
}
