//! What a connection hears of seldom: that its server ends, and that a while has passed.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use outrigger_base_task::StopSignal;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFuture;

/// What happens to a connection next.
#[derive(Debug)]
pub(super) enum Event<T> {
    /// What is waited for has come.
    Ended(T),
    /// The server cuts what it has.
    Stop,
    /// The server takes no more: what is in hand is finished. It is told once.
    Intake,
    /// A while has passed.
    Tick,
}

pin_project! {
    /// The signals of a server and a clock, as one connection hears them.
    ///
    /// A connection is polled several times for each request, and each look at a signal takes locks that all connections
    /// of all threads share. So they are looked at only when one of them has rung.
    #[derive(Debug)]
    pub(super) struct Signals<'s> {
        #[pin]
        stop: WaitForCancellationFuture<'s>,
        #[pin]
        intake: WaitForCancellationFuture<'s>,
        #[pin]
        tick: Sleep,
        // `None` while the clock stands.
        every: Option<Duration>,
        is_closing: bool,
        bell: Arc<Bell>,
    }
}

impl<'s> Signals<'s> {
    /// The signals of a server, and a tick for each `every`.
    pub(super) fn new(stop: &'s StopSignal, intake: &'s StopSignal, every: Duration) -> Self {
        Self {
            stop: stop.stopped(),
            intake: intake.stopped(),
            tick: sleep(every),
            every: Some(every),
            is_closing: false,
            bell: Arc::new(Bell {
                // The first look tells each signal whom to call.
                has_rung: AtomicBool::new(true),
                task: AtomicWaker::new(),
            }),
        }
    }

    /// Whether it was told that the server takes no more.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Ticks for each `every` from now on, or not at all.
    pub(super) fn tick_every(self: Pin<&mut Self>, every: Option<Duration>) {
        let this = self.project();
        *this.every = every;
        if let Some(every) = every {
            this.tick.reset(Instant::now() + every);
            this.bell.ring();
        }
    }

    /// Goes on with `work` until it ends or there is something to hear.
    pub(super) async fn next<F: Future + Unpin>(mut self: Pin<&mut Self>, work: &mut F) -> Event<F::Output> {
        poll_fn(|cx| match Pin::new(&mut *work).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Event::Ended(output)),
            Poll::Pending => self.as_mut().listen(cx),
        })
        .await
    }

    /// Goes on with `work` for so many ticks. `None` when it is late by then, or the server ends before.
    pub(super) async fn within<F: Future>(
        mut self: Pin<&mut Self>,
        ticks: u32,
        work: F,
    ) -> Option<F::Output> {
        let mut work = pin!(work);
        let mut seen = 0;
        loop {
            match self.as_mut().next(&mut work).await {
                Event::Ended(output) => return Some(output),
                Event::Tick if seen < ticks => seen += 1,
                Event::Tick | Event::Intake | Event::Stop => return None,
            }
        }
    }

    fn listen<T>(self: Pin<&mut Self>, cx: &Context<'_>) -> Poll<Event<T>> {
        let mut this = self.project();
        if !this.bell.is_heard(cx) {
            return Poll::Pending;
        }
        let waker = Waker::from(this.bell.clone());
        let cx = &mut Context::from_waker(&waker);
        let event = if this.stop.poll(cx).is_ready() {
            Event::Stop
        } else if !*this.is_closing && this.intake.poll(cx).is_ready() {
            *this.is_closing = true;
            Event::Intake
        } else if let Some(every) = *this.every
            && this.tick.as_mut().poll(cx).is_ready()
        {
            this.tick.reset(Instant::now() + every);
            Event::Tick
        } else {
            return Poll::Pending;
        };
        // The others have not been asked, and the one that spoke is to be asked again.
        this.bell.ring();
        Poll::Ready(event)
    }
}

/// Wakes the connection's task and leaves word that it was one of the signals.
#[derive(Debug)]
struct Bell {
    has_rung: AtomicBool,
    task: AtomicWaker,
}

impl Bell {
    fn ring(&self) {
        self.has_rung.store(true, Ordering::Release);
    }

    /// Whether it has rung since the last time; otherwise the task of `cx` is woken when it does.
    fn is_heard(&self, cx: &Context<'_>) -> bool {
        self.task.register(cx.waker());
        self.has_rung.load(Ordering::Acquire) && self.has_rung.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_signal_is_heard_and_the_end_of_intake_once() {
        let (stop, intake) = (StopSignal::default(), StopSignal::default());
        let mut signals = pin!(Signals::new(&stop, &intake, Duration::from_secs(1)));
        let mut never = std::future::pending::<()>();
        let begun = Instant::now();
        for seconds in 1..=2 {
            assert!(matches!(signals.as_mut().next(&mut never).await, Event::Tick));
            assert_eq!(begun.elapsed().as_secs(), seconds);
        }
        intake.stop();
        assert!(matches!(signals.as_mut().next(&mut never).await, Event::Intake));
        assert!(signals.is_closing());
        assert!(matches!(signals.as_mut().next(&mut never).await, Event::Tick));
        stop.stop();
        assert!(matches!(signals.as_mut().next(&mut never).await, Event::Stop));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_stands_does_not_tick() {
        let (stop, intake) = (StopSignal::default(), StopSignal::default());
        let mut signals = pin!(Signals::new(&stop, &intake, Duration::from_secs(1)));
        signals.as_mut().tick_every(None);
        let mut work = Box::pin(sleep(Duration::from_secs(60)));
        assert!(matches!(signals.as_mut().next(&mut work).await, Event::Ended(())));
        signals.as_mut().tick_every(Some(Duration::from_secs(1)));
        let mut never = std::future::pending::<()>();
        assert!(matches!(signals.as_mut().next(&mut never).await, Event::Tick));
    }
}
