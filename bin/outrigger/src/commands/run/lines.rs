//! From what an app writes to whole lines.

use std::{io, time::Duration};

use outrigger_base_task::StopSignal;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout},
};

use super::output::{Sink, Tag};
use crate::commands::talk::Stream;

/// The longest line that is kept together, in bytes. A longer one is cut, so that an app which never ends its line
/// does not fill the memory.
const LINE_MAX: usize = 64 << 10;
/// Bytes that are read at once.
const READ: usize = 16 << 10;
/// How long to wait, in all, for what a writer said last. It is in the pipe already when the writer has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The most bytes that a pipe holds: what Linux lets an unprivileged process set, by default.
const PIPE_MAX: usize = 1 << 20;

/// Copies what comes out of a pipe to `sink`, line by line, each behind the tag if there is one, until the pipe is
/// closed. Once `ended` goes off, the writer has ended, and only what it has left in the pipe is copied.
pub(super) async fn copy(
    mut pipe: impl AsyncRead + Unpin,
    stream: Stream,
    tag: Option<Tag>,
    sink: Sink,
    ended: StopSignal,
) {
    let (mut lines, mut buffer, mut left) = (Lines::default(), vec![0; READ], Left::default());
    while let Some(read) = left.read(&mut pipe, &mut buffer, &ended).await {
        for line in lines.take(&buffer[..read]) {
            sink.line(stream, tag.as_ref(), &line).await;
        }
    }
    if let Some(line) = lines.rest() {
        sink.line(stream, tag.as_ref(), &line).await;
    }
}

/// What is still read of a pipe whose writer has ended. A process that left the writer's group may hold the pipe open,
/// silent or talking for ever; it is not listened to for longer.
#[derive(Debug)]
struct Left {
    bytes: usize,
    patience: Duration,
}

impl Default for Left {
    fn default() -> Self {
        Self {
            bytes: PIPE_MAX,
            patience: LAST_WORDS,
        }
    }
}

impl Left {
    /// Reads what there is; nothing at the end. A pipe that fails is at its end.
    async fn read(
        &mut self,
        pipe: &mut (impl AsyncRead + Unpin),
        buffer: &mut [u8],
        ended: &StopSignal,
    ) -> Option<usize> {
        let some = |read: io::Result<usize>| read.ok().filter(|read| *read > 0);
        tokio::select! {
            biased;
            () = ended.stopped() => {}
            read = pipe.read(&mut *buffer) => return some(read),
        }
        if self.bytes == 0 {
            return None;
        }
        let asked = Instant::now();
        let read = some(timeout(self.patience, pipe.read(buffer)).await.ok()?)?;
        self.patience = self.patience.saturating_sub(asked.elapsed());
        self.bytes = self.bytes.saturating_sub(read);
        Some(read)
    }
}

/// Bytes on their way to lines.
#[derive(Debug, Default)]
struct Lines {
    pending: Vec<u8>,
    /// Whether what came before `pending` is of the same line, which was too long.
    cut: bool,
}

impl Lines {
    /// The lines that are whole now, without their line feeds.
    fn take(&mut self, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        while !bytes.is_empty() {
            let room = LINE_MAX - self.pending.len();
            let window = &bytes[..bytes.len().min(room)];
            match window.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.pending.extend_from_slice(&window[..end]);
                    let line = self.end();
                    // A line that ends where it was cut has been told.
                    if !(std::mem::take(&mut self.cut) && line.is_empty()) {
                        whole.push(line);
                    }
                    bytes = &bytes[end + 1..];
                }
                None => {
                    self.pending.extend_from_slice(window);
                    bytes = &bytes[window.len()..];
                    if self.pending.len() == LINE_MAX {
                        whole.push(std::mem::take(&mut self.pending));
                        self.cut = true;
                    }
                }
            }
        }
        whole
    }

    /// What is left without a line feed.
    fn rest(&mut self) -> Option<Vec<u8>> {
        (!self.pending.is_empty()).then(|| self.end())
    }

    fn end(&mut self) -> Vec<u8> {
        let mut line = std::mem::take(&mut self.pending);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn lines(parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut all: Vec<_> = parts.iter().flat_map(|part| lines.take(part)).collect();
        all.extend(lines.rest());
        all
    }

    #[test]
    fn lines_are_whole_wherever_reads_end() {
        assert_eq!(lines(&[b"a", b"b\nc\r\n", b"\nd"]), [&b"ab"[..], b"c", b"", b"d"]);
        assert!(lines(&[b""]).is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; LINE_MAX + 10];
        let cut = lines(&[&long, b"\n"]);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [LINE_MAX, 10]);
    }

    #[test]
    fn a_line_that_ends_where_it_is_cut_is_one() {
        let long = vec![b'x'; LINE_MAX];
        for end in [&b"\n\n"[..], b"\r\n\n"] {
            let cut = lines(&[&long, end]);
            assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [LINE_MAX, 0]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn last_words_are_read_and_no_more_is_waited_for() {
        let (mut writer, mut pipe) = tokio::io::duplex(64);
        let (mut left, mut buffer, ended) = (Left::default(), [0; 16], StopSignal::default());
        writer.write_all(b"last words").await.unwrap();
        ended.stop();
        assert_eq!(left.read(&mut pipe, &mut buffer, &ended).await, Some(10));
        let asked = Instant::now();
        assert_eq!(left.read(&mut pipe, &mut buffer, &ended).await, None);
        assert_eq!(asked.elapsed(), LAST_WORDS);
    }

    #[tokio::test]
    async fn who_talks_for_ever_is_not_listened_to_for_longer() {
        let mut pipe = tokio::io::repeat(b'x');
        let (mut left, mut buffer, ended) = (Left::default(), vec![0; READ], StopSignal::default());
        ended.stop();
        let mut heard = 0;
        while let Some(read) = left.read(&mut pipe, &mut buffer, &ended).await {
            heard += read;
        }
        assert_eq!(heard, PIPE_MAX);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(parts in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\n".to_vec()), 0..20), 0..10)) {
            let whole: Vec<u8> = parts.concat();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let joined = lines(&parts).join(&b'\n');
            prop_assert_eq!(joined, whole.strip_suffix(b"\n").unwrap_or(&whole).to_vec());
        }
    }
}
