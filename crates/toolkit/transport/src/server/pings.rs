//! Clients that ping more often than they may, as gRPC servers deal with them.
//!
//! hyper answers pings and does not tell of them, so they are found in the bytes: frames are followed by their heads.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::io::{Io, PREFACE};

/// Bytes in front of a frame's payload.
pub(super) const FRAME_HEAD: usize = 9;

/// Types of frames (RFC 9113, section 6).
const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
/// The flag of a ping that answers another.
const ACK: u8 = 1;

/// Pings that may come too early; with one more the connection is closed (grpc-go has the same).
const MAX_STRIKES: u32 = 2;
/// Why it is closed: `ENHANCE_YOUR_CALM`, and the word by which gRPC clients know to ping less.
const ENHANCE_YOUR_CALM: u32 = 0xb;
const TOO_MANY_PINGS: &[u8] = b"too_many_pings";

/// A connection over HTTP/2 whose client may ping only so often, where that is asked for.
pub(super) struct Policed {
    io: Io,
    police: Option<Box<Police>>,
}

struct Police {
    /// Time that is to lie between two pings.
    min: Duration,
    incoming: Frames,
    outgoing: Frames,
    last: Option<Instant>,
    strikes: u32,
    /// Whether something was sent since the last ping. A client may ask about an answer whenever there is one.
    has_sent: bool,
    /// The newest stream of the client.
    stream: u32,
}

impl Policed {
    /// `io`, on which `min` is to lie between two pings; no matter how much without it.
    pub(super) fn new(io: Io, min: Option<Duration>) -> Self {
        let police = |min| {
            Box::new(Police {
                min,
                incoming: Frames::behind(PREFACE.len()),
                outgoing: Frames::behind(0),
                last: None,
                strikes: 0,
                has_sent: false,
                stream: 0,
            })
        };
        Self {
            io,
            police: min.map(police),
        }
    }

    /// Says why, and gives the connection up. The word is left out where it does not fit between what is being sent.
    fn dismiss(&mut self, cx: &mut Context<'_>) -> io::Error {
        if let Some(police) = &self.police
            && police.outgoing.is_between()
        {
            let _ = Pin::new(&mut self.io).poll_write(cx, &goaway(police.stream));
        }
        io::Error::new(io::ErrorKind::ConnectionAborted, "too many pings")
    }
}

fn goaway(stream: u32) -> Vec<u8> {
    let length = 8 + TOO_MANY_PINGS.len() as u8;
    let mut frame = vec![0, 0, length, GOAWAY, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(&ENHANCE_YOUR_CALM.to_be_bytes());
    frame.extend_from_slice(TOO_MANY_PINGS);
    frame
}

impl Police {
    /// Looks at what the client says. Whether it may go on.
    fn received(&mut self, bytes: &[u8]) -> bool {
        let Self {
            min,
            incoming,
            last,
            strikes,
            has_sent,
            stream,
            ..
        } = self;
        incoming.follow(bytes, |head| match head.kind {
            PING if head.flags & ACK == 0 => {
                let now = Instant::now();
                if std::mem::take(has_sent) {
                    *strikes = 0;
                } else if last.is_some_and(|last| now < last + *min) {
                    *strikes += 1;
                }
                *last = Some(now);
            }
            HEADERS => *stream = head.stream.max(*stream),
            _ => {}
        });
        self.strikes <= MAX_STRIKES
    }

    /// Looks at what is said to the client.
    fn sent(&mut self, bytes: &[u8]) {
        let has_sent = &mut self.has_sent;
        self.outgoing
            .follow(bytes, |head| *has_sent |= matches!(head.kind, DATA | HEADERS));
    }
}

/// What stands in front of a frame's payload.
struct Head {
    kind: u8,
    flags: u8,
    stream: u32,
}

/// Finds the heads of frames in a stream of bytes.
struct Frames {
    /// Bytes until the next head.
    skip: usize,
    head: [u8; FRAME_HEAD],
    /// Bytes of the head that have come.
    count: usize,
}

impl Frames {
    /// Frames that begin behind so many bytes.
    fn behind(skip: usize) -> Self {
        Self {
            skip,
            head: [0; FRAME_HEAD],
            count: 0,
        }
    }

    /// Whether the next byte begins a frame.
    fn is_between(&self) -> bool {
        self.skip == 0 && self.count == 0
    }

    fn follow(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Head)) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let more = (FRAME_HEAD - self.count).min(bytes.len());
            self.head[self.count..self.count + more].copy_from_slice(&bytes[..more]);
            self.count += more;
            bytes = &bytes[more..];
            if self.count < FRAME_HEAD {
                return;
            }
            self.count = 0;
            let [a, b, c, kind, flags, stream @ ..] = self.head;
            self.skip = u32::from_be_bytes([0, a, b, c]) as usize;
            seen(Head {
                kind,
                flags,
                stream: u32::from_be_bytes(stream) & (u32::MAX >> 1),
            });
        }
    }
}

impl AsyncRead for Policed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let may_go_on = match &mut self.police {
            Some(police) => police.received(&buf.filled()[before..]),
            None => true,
        };
        Poll::Ready(if may_go_on { Ok(()) } else { Err(self.dismiss(cx)) })
    }
}

impl AsyncWrite for Policed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        if let Some(police) = &mut self.police {
            police.sent(&buf[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        if let Some(police) = &mut self.police {
            let mut left = written;
            for buf in bufs {
                let part = left.min(buf.len());
                police.sent(&buf[..part]);
                left -= part;
            }
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
