//! Small writes of one turn go out as one.
//!
//! HTTP/2 hands its frames on as they come: the head of a message, its body and its trailers would each be a segment of
//! their own, with a system call here and a wake-up there, which cost far more than the message. Two things join them:
//! what is small is copied into a buffer until the flush, and the flush lets the tasks run first that are ready now, as
//! what they write most often belongs to the same message. Nobody waits longer than those tasks take.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBufCursor, Write};

/// Bytes that are gathered before they are written without waiting for a flush. A full DATA frame (16 KiB by default,
/// RFC 9113 section 4.2) does not fit: large bodies are never copied here.
const BUFFER: usize = 16 * 1024;

/// A connection whose small writes are gathered until a flush.
#[derive(Debug)]
pub(crate) struct Coalesced<T> {
    io: T,
    /// What was not written yet; without memory of its own while there is nothing.
    buffer: Vec<u8>,
    /// Bytes at the front of `buffer` that are written.
    written: usize,
    /// Whether the others had their turn before this flush.
    yielded: bool,
}

impl<T> Coalesced<T> {
    pub(crate) fn new(io: T) -> Self {
        Self {
            io,
            buffer: Vec::new(),
            written: 0,
            yielded: false,
        }
    }
}

impl<T: Write + Unpin> Coalesced<T> {
    /// Writes what was gathered, all of it.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.buffer.get(self.written..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        self.written = 0;
        // An idle connection keeps no buffer.
        self.buffer = Vec::new();
        Poll::Ready(Ok(()))
    }
}

impl<T: Write + Unpin> Write for Coalesced<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if self.buffer.len() + length > BUFFER {
            ready!(self.poll_drain(cx))?;
        }
        if length > BUFFER {
            return Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        }
        for slice in slices {
            self.buffer.extend_from_slice(slice);
        }
        Poll::Ready(Ok(length))
    }

    /// What comes in several pieces is taken as one, and a large one goes on as it came.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.buffer.is_empty() {
            if !self.yielded {
                self.yielded = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(self.poll_drain(cx))?;
        }
        self.yielded = false;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: Read + Unpin> Read for Coalesced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

#[cfg(test)]
mod tests;
