//! What the user wants: go on, stop, or stop at once. It comes from signals.

use std::{io, time::Duration};

use outrigger_base_task::TaskSet;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::sleep,
};

/// What is wanted. It only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Go on.
    Run,
    /// Come to an end, in good order.
    Stop,
    /// Kill what is left.
    Kill,
}

/// Gives orders.
#[derive(Debug, Clone)]
pub(crate) struct Commander(watch::Sender<Order>);

/// Hears orders.
#[derive(Debug, Clone)]
pub(crate) struct Orders(watch::Receiver<Order>);

impl Commander {
    /// With it, everything runs.
    pub(crate) fn new() -> (Self, Orders) {
        let (sender, receiver) = watch::channel(Order::Run);
        (Self(sender), Orders(receiver))
    }

    /// Hears the orders that are given here.
    pub(super) fn orders(&self) -> Orders {
        Orders(self.0.subscribe())
    }

    /// Gives an order, unless a stricter one was given.
    pub(super) fn give(&self, order: Order) {
        self.0.send_if_modified(|now| {
            let grows = order > *now;
            *now = order.max(*now);
            grows
        });
    }

    /// Listens to signals until `tasks` are closed: the first of any kind stops, and a Ctrl-C after it kills.
    pub(crate) fn listen(&self, tasks: &TaskSet) -> io::Result<()> {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let mut hangups = signal(SignalKind::hangup())?;
        let (commander, stop) = (self.clone(), tasks.signal().clone());
        tasks.spawn("signals", async move {
            loop {
                tokio::select! {
                    () = heard(&mut interrupts) => commander.interrupt(),
                    () = heard(&mut terminations) => commander.give(Order::Stop),
                    () = heard(&mut hangups) => commander.give(Order::Stop),
                    () = stop.stopped() => return,
                }
            }
        });
        Ok(())
    }

    fn interrupt(&self) {
        let stopping = *self.0.borrow() >= Order::Stop;
        self.give(if stopping { Order::Kill } else { Order::Stop });
    }
}

/// Waits for a signal. A closed stream of signals tells nothing, for ever.
async fn heard(signals: &mut Signal) {
    if signals.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

impl Orders {
    /// Waits until everything is to end.
    pub(crate) async fn stop(&mut self) {
        self.at_least(Order::Stop).await;
    }

    /// Waits until everything is to end, and then for so long.
    pub(super) async fn stopped_for(&mut self, time: Duration) {
        self.stop().await;
        sleep(time).await;
    }

    /// Waits until everything is to be killed.
    pub(super) async fn kill(&mut self) {
        self.at_least(Order::Kill).await;
    }

    /// What is wanted now.
    pub(crate) fn now(&self) -> Order {
        *self.0.borrow()
    }

    async fn at_least(&mut self, order: Order) {
        if self.0.wait_for(|now| *now >= order).await.is_err() {
            // Nobody is left to give orders.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn orders_grow_and_a_second_interrupt_kills() {
        let (commander, mut orders) = Commander::new();
        commander.interrupt();
        orders.stop().await;
        commander.give(Order::Run);
        assert_eq!(orders.now(), Order::Stop);
        commander.interrupt();
        orders.kill().await;
        assert_eq!(orders.now(), Order::Kill);
    }

    #[tokio::test]
    async fn a_termination_does_not_kill() {
        let (commander, orders) = Commander::new();
        commander.give(Order::Stop);
        commander.give(Order::Stop);
        assert_eq!(orders.now(), Order::Stop);
    }
}
