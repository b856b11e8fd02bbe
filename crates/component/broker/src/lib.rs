//! `pubsub.outrigger`: the embedded durable broker of one machine.
//!
//! Several processes open the same folder, publish and subscribe; no server runs. The folder holds one SQLite file (WAL
//! mode), a lock file that the kernel hands from writer to writer, and for each process a *bell* (a datagram socket that
//! says "look") and a *life line* (a stream socket whose end says "I died"). Why this shape: `docs/adr/0005`.
//!
//! What it promises:
//! - **At least once.** A publish is acknowledged after it is synced to disk (`synchronous: full`, the default) or after
//!   it is with the kernel (`normal`: survives the death of every process, not loss of power). A message stays until
//!   every known consumer group has acknowledged it. A message may be delivered a moment before its publish is synced.
//! - **Groups.** Processes with the same `consumerID` (the app id, unless set) share a topic's messages. A new group
//!   begins with the oldest message that is still kept.
//! - **Leases.** A delivery is one consumer's for `processingTimeout`; a handler that takes longer is dropped and the
//!   message is delivered again. The leases of a process that died are released at once.
//! - **Failures.** After a failed delivery the message comes again with a growing pause (0.1 s, doubled, at most 30 s):
//!   for ever, or `maxDeliveryAttempts` times when a `deadLetterTopic` is set, and then it moves there.
//! - **Order.** Deliveries of a topic begin in publish order where nothing fails and the group has one consumer; with
//!   `concurrency: 1` each also ends before the next begins.
//! - **Limits.** 1024 operations may wait for the one thread that works on the file; who brings another waits for a place.
//!   A publisher hears within 20 s, if only that there was no answer. A full disk stops what makes the file grow, with an
//!   error that may pass: nothing that was acknowledged is lost, and with room again it goes on; copying the log into the
//!   file takes some 4 MiB of it.
//!
//! | property | default | meaning |
//! |---|---|---|
//! | `path` | `<data>/broker/<component>` | the folder, on a local file system |
//! | `consumerID` | the app id | the consumer group |
//! | `processingTimeout` | `60s` | the lease of a delivery |
//! | `concurrency` | `10` | deliveries in flight per subscription, at most 1000 |
//! | `synchronous` | `full` | `full` or `normal` |
//! | `deadLetterTopic` | none | where messages go that keep failing |
//! | `maxDeliveryAttempts` | `5` | deliveries before that; means nothing without a dead-letter topic |
//! | `ttlInSeconds` | none | time to live of a message that brings none (`ttlInSeconds` or `ttl` of the request) |
//! | `retentionAge` | `168h` | how long a topic without any group keeps messages |
//! | `retentionBytes` | `256Mi` | how many bytes of payload such a topic keeps; the oldest go first |
//! | `groupRetention` | `720h` | how long a group without subscribers is remembered |

mod bell;
mod broker;
mod folder;
mod life;
mod settings;
mod store;
mod subscription;

use std::sync::Arc;

use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::Broker;

/// Opens the broker of `properties`; see the crate's documentation for them.
///
/// # Errors
/// [`OpenError::Invalid`] for a property that cannot be used, and for a folder whose file is not a broker's or is
/// damaged; [`OpenError::Unavailable`] when the folder cannot be made, read or written.
pub async fn open(ctx: Context, properties: Properties) -> Result<Arc<dyn Broker>, OpenError> {
    let settings = settings::Settings::read(&ctx, &properties)?;
    broker::EmbeddedBroker::open(ctx, settings)
        .await
        .map(|broker| Arc::new(broker) as Arc<dyn Broker>)
}
