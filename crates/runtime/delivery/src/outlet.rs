//! Where events go: to the app, or into a stream that the app opened.

use std::sync::Arc;

use outrigger_block_pubsub::envelope::EnvelopeError;
use outrigger_runtime_channel::{AppChannel, Error as AppError, EventDelivery, EventVerdict};

use crate::stream::Stream;

/// Why an event has no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The app could not be asked.
    #[error("error returned from app channel while sending pub/sub event to app")]
    App(#[from] AppError),
    /// The event cannot be put into the form that a stream carries.
    #[error("error returned from app while processing pub/sub event")]
    Event(#[from] EnvelopeError),
}

/// Where the events of a subscription go.
#[derive(Debug, Clone)]
pub(crate) enum Outlet {
    App(Arc<dyn AppChannel>),
    Stream(Arc<Stream>),
}

impl Outlet {
    /// Hands over an event and waits for the verdict. A stream whose receiver has left never answers: the subscription's
    /// end is what ends the wait.
    pub(crate) async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Failure> {
        match self {
            Self::App(channel) => Ok(channel.deliver(delivery).await?),
            Self::Stream(stream) => Ok(stream.deliver(delivery).await?),
        }
    }
}
