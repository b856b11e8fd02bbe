//! Ending a connection so that what was written to it arrives.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    time::Duration,
};

use tokio::{io::AsyncReadExt, time::timeout};

use super::{
    io::Io,
    signals::{Event, Signals},
};

/// Time that a client gets to say the rest of what nobody reads. A kernel that throws bytes away answers them with a
/// reset, and a client that only writes would see that in place of its answer.
const LINGER: Duration = Duration::from_secs(5);
/// Time for that at the end of the server: what Go's server waits, whose clients have lived with it.
const LINGER_AT_THE_END: Duration = Duration::from_millis(500);
/// Bytes of the rest that are read: whoever sends more does not mean to hear.
const LINGER_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes that are read at a time.
const BUFFER: usize = 16 * 1024;

/// Says the end, and reads what comes until the other side says it as well, within bounds of time and bytes.
pub(super) async fn close(mut io: Io, mut signals: Pin<&mut Signals<'_>>) {
    if io.shut_down().await.is_err() {
        return;
    }
    let limit = if signals.is_closing() {
        LINGER_AT_THE_END
    } else {
        LINGER
    };
    let mut rest = pin!(discard(&mut io));
    if is_stopped_short(limit, rest.as_mut(), signals.as_mut()).await {
        // Intake ends once: whether the rest is done or late, that is the end.
        is_stopped_short(LINGER_AT_THE_END, rest, signals).await;
    }
}

/// Goes on with `rest` until it is done or late, or the server cuts what it has. Whether the server took no more before.
async fn is_stopped_short<F: Future>(
    limit: Duration,
    rest: Pin<&mut F>,
    mut signals: Pin<&mut Signals<'_>>,
) -> bool {
    let mut rest = pin!(timeout(limit, rest));
    loop {
        match signals.as_mut().next(&mut rest).await {
            Event::Ended(_) | Event::Stop => return false,
            Event::Intake => return true,
            Event::Tick => {}
        }
    }
}

async fn discard(io: &mut Io) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut left = LINGER_BYTES;
    while left > 0 {
        let count = io.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        left = left.saturating_sub(count as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use outrigger_base_task::StopSignal;
    use tokio::{
        net::{TcpListener, TcpStream},
        time::{Instant, sleep},
    };

    use super::{super::listen::Stream, *};

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_server_is_heard_after_the_end_of_intake() {
        const PAUSE: Duration = Duration::from_millis(10);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let io = Io::new(Stream::Tcp(listener.accept().await.unwrap().0));
        let (stop, intake) = (StopSignal::default(), StopSignal::default());
        let signals = pin!(Signals::new(&stop, &intake, Duration::from_secs(1)));
        let begun = Instant::now();
        let ends = async {
            sleep(PAUSE).await;
            intake.stop();
            sleep(PAUSE).await;
            stop.stop();
        };
        tokio::join!(close(io, signals), ends);
        assert!(begun.elapsed() < LINGER_AT_THE_END, "{:?}", begun.elapsed());
        drop(client);
    }
}
