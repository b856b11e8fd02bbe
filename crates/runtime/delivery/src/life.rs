//! The signals of one subscription's life.

use outrigger_base_task::StopSignal;

/// The life of a subscription, seen by its task, its courier and whoever waits for its end.
///
/// The order is what keeps messages: brokers treat a message that fails while its subscription closes as one that was
/// never tried, but one that fails before as refused, which for some brokers means that it is gone. So nobody gives up
/// on a message before the broker was told.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// The subscription is to end.
    pub(crate) closing: StopSignal,
    /// Whoever receives has left: nobody will answer what is in hand.
    pub(crate) gone: StopSignal,
    /// The broker was told to take no further message. What fails from now on stays with it.
    pub(crate) told: StopSignal,
    /// Nobody waits for answers any longer.
    pub(crate) cut: StopSignal,
    /// It is over.
    pub(crate) ended: StopSignal,
}

impl Life {
    /// A life that closes when `owner` stops, at the latest.
    pub(crate) fn new(owner: &StopSignal) -> Self {
        Self {
            closing: owner.child(),
            gone: StopSignal::default(),
            told: StopSignal::default(),
            cut: StopSignal::default(),
            ended: StopSignal::default(),
        }
    }

    /// Waits until there is a reason to end.
    pub(crate) async fn over(&self) {
        tokio::select! {
            () = self.closing.stopped() => (),
            () = self.gone.stopped() => (),
        }
    }

    /// Ends the subscription and waits for it.
    pub(crate) async fn end(&self) {
        self.closing.stop();
        self.ended.stopped().await;
    }
}
