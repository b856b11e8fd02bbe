//! Ending a connection so that what was written to it arrives.

use std::{
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
    let mut rest = pin!(timeout(limit, discard(&mut io)));
    loop {
        match signals.as_mut().next(&mut rest).await {
            Event::Ended(_) | Event::Stop => return,
            Event::Intake => {
                // Whether it is done or late, that is the end.
                let _ = timeout(LINGER_AT_THE_END, rest).await;
                return;
            }
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
