//! The broker as the runtime sees it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_base_task::{TaskSet, Thread};
use outrigger_block_kit::{Context, OpenError};
use outrigger_block_pubsub::{
    Broker, BulkFailure, BulkPublish, Error, Feature, Handler, Metadata, Publish, Subscribe, Subscription,
    envelope,
};
use tokio::sync::oneshot;

use crate::{
    bell::{self, Sleepers},
    folder::Sockets,
    life::LifeLines,
    settings::Settings,
    store::{self, NewMessage, Opened, Ping, Store, StoreHandle},
    subscription::{End, Newcomer},
};

/// The largest payload, in bytes. Many are in memory at once; Dapr's own limit for a request body is 4 MiB unless set.
const MAX_PAYLOAD: usize = 128 << 20;
/// How long a task of ours may take to end once nothing is in hand. They only wait for sockets.
const TASK_DEADLINE: Duration = Duration::from_secs(5);

/// An open embedded broker.
pub(crate) struct EmbeddedBroker {
    settings: Arc<Settings>,
    store: StoreHandle,
    thread: Thread,
    sleepers: Arc<Sleepers>,
    lines: Arc<LifeLines>,
    tasks: TaskSet,
    subscriptions: Mutex<Subscriptions>,
}

/// The subscriptions that stand.
#[derive(Default)]
struct Subscriptions {
    closed: bool,
    next: u64,
    ends: HashMap<u64, End>,
}

impl EmbeddedBroker {
    /// Opens the folder and begins to hear its bell.
    pub(crate) async fn open(ctx: Context, settings: Settings) -> Result<Self, OpenError> {
        let settings = Arc::new(settings);
        let sleepers = Arc::new(Sleepers::default());
        let opened = Store::open(settings.clone(), ctx.clock, sleepers.clone()).await?;
        let Opened {
            handle: store,
            thread,
            me,
            folder,
            sockets,
        } = opened;
        let tasks = ctx.tasks.child(format!("pubsub.outrigger {}", ctx.name));
        let lines = LifeLines::new(me, folder, store.clone(), tasks.clone());
        listen(sockets, &tasks, &sleepers, &lines)
            .map_err(|error| OpenError::unavailable("listen in the broker's folder", error))?;
        Ok(Self {
            settings,
            store,
            thread,
            sleepers,
            lines,
            tasks,
            subscriptions: Mutex::default(),
        })
    }

    fn message(
        &self,
        topic: &str,
        data: Bytes,
        content_type: Option<String>,
        metadata: Metadata,
    ) -> Result<NewMessage, Error> {
        if topic.is_empty() {
            return Err(Error::Invalid("a message needs a topic".to_owned()));
        }
        if data.len() > MAX_PAYLOAD {
            return Err(Error::Invalid(format!(
                "the message has {} bytes; the embedded broker takes at most {MAX_PAYLOAD}",
                data.len()
            )));
        }
        Ok(NewMessage {
            topic: topic.to_owned(),
            data,
            content_type,
            ttl: envelope::ttl(&metadata).or(self.settings.ttl),
            metadata,
        })
    }

    /// A number for a new subscription, and its end.
    fn enroll(&self) -> Result<(u64, End), Error> {
        let mut subscriptions = self.lock();
        if subscriptions.closed {
            return Err(Error::Closed);
        }
        // Those that were dropped and have ended are of no interest to the close any more.
        subscriptions.ends.retain(|_, end| !end.has_ended());
        subscriptions.next += 1;
        let (id, end) = (subscriptions.next, End::new(self.tasks.signal()));
        subscriptions.ends.insert(id, end.clone());
        Ok((id, end))
    }

    fn newcomer(&self, topic: Arc<str>, handler: Arc<dyn Handler>) -> Result<Newcomer, Error> {
        let (id, end) = self.enroll()?;
        Ok(Newcomer {
            id,
            topic,
            handler,
            lease: self.settings.lease,
            concurrency: self.settings.concurrency,
            store: self.store.clone(),
            sleepers: self.sleepers.clone(),
            lines: self.lines.clone(),
            deliveries: self.tasks.child("deliveries of pubsub.outrigger"),
            end,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(
    sockets: Sockets,
    tasks: &TaskSet,
    sleepers: &Arc<Sleepers>,
    lines: &Arc<LifeLines>,
) -> std::io::Result<()> {
    let bell = tokio::net::UnixDatagram::from_std(sockets.bell)?;
    let life = tokio::net::UnixListener::from_std(sockets.life)?;
    tasks.spawn(
        "broker-bell",
        bell::hear(bell, sleepers.clone(), tasks.signal().clone()),
    );
    tasks.spawn("broker-life", lines.clone().accept(life));
    Ok(())
}

#[async_trait]
impl Broker for EmbeddedBroker {
    fn features(&self) -> &[Feature] {
        &[Feature::MessageTtl, Feature::BulkPublish]
    }

    async fn ping(&self) -> Result<(), Error> {
        self.store.ask(Ping).await
    }

    async fn publish(&self, message: Publish) -> Result<(), Error> {
        let message = self.message(
            &message.topic,
            message.data,
            message.content_type,
            message.metadata,
        )?;
        self.store.ask(store::Publish(vec![message])).await
    }

    /// One transaction and one sync: all entries are published, or the call fails and none is.
    async fn bulk_publish(&self, request: BulkPublish) -> Result<Vec<BulkFailure>, Error> {
        let BulkPublish {
            topic,
            entries,
            metadata,
        } = request;
        let mut messages = Vec::with_capacity(entries.len());
        let mut failures = Vec::new();
        for entry in entries {
            let mut all = metadata.clone();
            all.extend(entry.metadata);
            let content_type = Some(entry.content_type).filter(|text| !text.is_empty());
            match self.message(&topic, entry.data, content_type, all) {
                Ok(message) => messages.push(message),
                Err(error) => failures.push(BulkFailure { id: entry.id, error }),
            }
        }
        self.store.ask(store::Publish(messages)).await?;
        Ok(failures)
    }

    async fn subscribe(
        &self,
        request: Subscribe,
        handler: Arc<dyn Handler>,
    ) -> Result<Box<dyn Subscription>, Error> {
        if request.topic.is_empty() {
            return Err(Error::Invalid("a subscription needs a topic".to_owned()));
        }
        let newcomer = self.newcomer(request.topic.into(), handler)?;
        let (report, standing) = oneshot::channel();
        self.tasks.spawn("broker-subscription", newcomer.run(report));
        let standing = standing.await.unwrap_or(Err(Error::Closed))?;
        Ok(Box::new(standing))
    }

    async fn close(&self) {
        let ends: Vec<End> = {
            let mut subscriptions = self.lock();
            subscriptions.closed = true;
            // They stay for one who closes at the same time, or again after a first close was given up.
            subscriptions.ends.values().cloned().collect()
        };
        ends.iter().for_each(End::request);
        for end in &ends {
            end.wait().await;
        }
        for leftover in self.tasks.close(TASK_DEADLINE).await {
            tracing::warn!(
                task = &*leftover.task,
                "a task of the embedded broker did not end"
            );
        }
        self.store.stop().await;
        self.thread.ended().await;
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        // Tasks end, let go of the store, and its thread retires.
        self.tasks.stop();
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
