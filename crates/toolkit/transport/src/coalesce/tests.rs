//! What arrives, in how many writes.

use std::future::poll_fn;

use proptest::prelude::*;

use super::*;

/// Takes at most `most` bytes in one write, and in every second one nothing yet.
struct Wire {
    most: usize,
    is_slow: bool,
    is_busy: bool,
    writes: Vec<Vec<u8>>,
    flushes: usize,
}

impl Wire {
    fn new(most: usize, is_slow: bool) -> Coalesced<Self> {
        Coalesced::new(Self {
            most,
            is_slow,
            is_busy: false,
            writes: Vec::new(),
            flushes: 0,
        })
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_busy = self.is_slow && !self.is_busy;
        if self.is_busy {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let all = slices.iter().flat_map(|slice| slice.iter().copied());
        let taken: Vec<u8> = all.take(self.most).collect();
        let count = taken.len();
        self.writes.push(taken);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn write(to: &mut Coalesced<Wire>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| Pin::new(&mut *to).poll_write(cx, bytes)).await;
        bytes = &bytes[written.expect("a wire without errors")..];
    }
}

async fn flush(to: &mut Coalesced<Wire>) {
    let flushed = poll_fn(|cx| Pin::new(&mut *to).poll_flush(cx)).await;
    flushed.expect("a wire without errors");
}

#[tokio::test]
async fn what_is_small_goes_out_at_the_flush_as_one() {
    let mut io = Wire::new(usize::MAX, false);
    for part in ["head ", "body ", "trailers"] {
        write(&mut io, part.as_bytes()).await;
    }
    assert!(io.io.writes.is_empty(), "written before the flush");
    flush(&mut io).await;
    assert_eq!(io.io.writes, [b"head body trailers".to_vec()]);
    assert_eq!(io.io.flushes, 1);
    assert_eq!(io.buffer.capacity(), 0, "an idle connection keeps a buffer");
}

#[tokio::test]
async fn those_who_are_ready_write_before_the_flush() {
    let mut io = Wire::new(usize::MAX, false);
    write(&mut io, b"head ").await;
    let mut polled = 0;
    poll_fn(|cx| {
        polled += 1;
        if polled == 2 {
            let more = Pin::new(&mut io).poll_write(cx, b"body");
            assert!(matches!(more, Poll::Ready(Ok(4))));
        }
        Pin::new(&mut io).poll_flush(cx)
    })
    .await
    .expect("a wire without errors");
    assert_eq!(polled, 2, "the others had one turn");
    assert_eq!(io.io.writes, [b"head body".to_vec()]);
}

#[tokio::test]
async fn what_is_large_goes_on_as_it_came_behind_what_waited() {
    let mut io = Wire::new(usize::MAX, false);
    let large = vec![7; BUFFER + 1];
    write(&mut io, b"small").await;
    write(&mut io, &large).await;
    assert_eq!(io.io.writes, [b"small".to_vec(), large]);
    assert_eq!(io.buffer.capacity(), 0, "it was copied");
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_moved(
        most in 1usize..40_000,
        is_slow: bool,
        parts in prop::collection::vec((0usize..40_000, any::<bool>()), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut io = Wire::new(most, is_slow);
        let mut expected = Vec::new();
        runtime.block_on(async {
            for (number, (length, is_flushed)) in parts.iter().enumerate() {
                let part = vec![number as u8; *length];
                write(&mut io, &part).await;
                expected.extend(part);
                if *is_flushed {
                    flush(&mut io).await;
                    assert_eq!(io.io.writes.concat(), expected);
                }
            }
            let shut = poll_fn(|cx| Pin::new(&mut io).poll_shutdown(cx)).await;
            shut.expect("a wire without errors");
        });
        prop_assert_eq!(io.io.writes.concat(), expected);
    }
}
