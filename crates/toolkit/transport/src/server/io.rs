//! The bytes of an accepted connection.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{
    listen::Stream,
    watch::{Watch, is_line_end},
};

/// What a client begins with over HTTP/2 (RFC 9113, section 3.4). No head of HTTP/1.1 begins like it.
pub(super) const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose bytes can be read ahead and put back, and whose reads and writes are told to a [`Watch`].
#[derive(Debug)]
pub(super) struct Io {
    stream: Stream,
    /// What comes before the stream's next bytes.
    ahead: Bytes,
    watch: Watch,
    /// Whether the one who writes may close the connection.
    may_close: bool,
}

impl Io {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: Bytes::new(),
            watch: Watch::default(),
            may_close: true,
        }
    }

    /// What the connection is at.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Leaves it to the owner to close the connection: who writes to it ends with a flush.
    pub(super) fn keep_open(&mut self) {
        self.may_close = false;
    }

    /// Waits until there is something to read, the end included.
    pub(super) async fn readable(&self) -> io::Result<()> {
        if self.ahead.is_empty() {
            self.stream.readable().await
        } else {
            Ok(())
        }
    }

    /// Whether the connection begins like HTTP/2 with prior knowledge. What is read for it comes again.
    pub(super) async fn begins_with_http2(&mut self) -> io::Result<bool> {
        let mut head = [0; PREFACE.len()];
        let mut count = 0;
        while count < head.len() && PREFACE.starts_with(&head[..count]) {
            match self.read(&mut head[count..]).await? {
                0 => break,
                more => count += more,
            }
        }
        self.put_back(Bytes::copy_from_slice(&head[..count]));
        Ok(head[..count] == PREFACE)
    }

    /// Puts bytes in front of those that come next.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        if self.ahead.is_empty() {
            self.ahead = bytes;
        } else if !bytes.is_empty() {
            let mut all = BytesMut::with_capacity(bytes.len() + self.ahead.len());
            all.extend_from_slice(&bytes);
            all.extend_from_slice(&self.ahead);
            self.ahead = all.freeze();
        }
    }

    /// Drops empty lines that were put back: between requests they are nothing.
    pub(super) fn skip_empty_lines(&mut self) {
        let count = self.ahead.iter().take_while(|byte| is_line_end(byte)).count();
        let _ = self.ahead.split_to(count);
    }

    /// Tells the other side that nothing more comes.
    pub(super) async fn shut_down(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if !this.ahead.is_empty() {
            let part = this.ahead.split_to(this.ahead.len().min(buf.remaining()));
            buf.put_slice(&part);
            // What follows comes with it where it is there, so that a head is not read in two parts. Should the stream
            // have failed, the next read tells.
            if this.ahead.is_empty() && buf.remaining() > 0 {
                let _ = Pin::new(&mut this.stream).poll_read(cx, buf);
            }
            this.watch
                .note_read(buf.filled().get(before..).unwrap_or_default());
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let come = buf.filled().get(before..).unwrap_or_default();
        if !come.is_empty() {
            this.watch.note_read(come);
        } else if buf.remaining() > 0 {
            this.watch.note_end();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch.note_write(polled.is_pending());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.may_close {
            Pin::new(&mut self.stream).poll_shutdown(cx)
        } else {
            Pin::new(&mut self.stream).poll_flush(cx)
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch.note_write(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
