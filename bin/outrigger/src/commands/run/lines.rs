//! From what an app writes to whole lines.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::output::{Sink, Tag};
use crate::commands::talk::Stream;

/// The longest line that is kept together, in bytes. A longer one is cut, so that an app which never ends its line
/// does not fill the memory.
const LINE_MAX: usize = 64 << 10;
/// Bytes that are read at once.
const READ: usize = 16 << 10;

/// Copies what comes out of a pipe to `sink`, line by line, each behind the tag if there is one, until the pipe is
/// closed.
pub(super) async fn copy(mut pipe: impl AsyncRead + Unpin, stream: Stream, tag: Option<Tag>, sink: Sink) {
    let (mut lines, mut buffer) = (Lines::default(), vec![0; READ]);
    loop {
        let read = match pipe.read(&mut buffer).await {
            // A pipe that fails is at its end.
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        for line in lines.take(&buffer[..read]) {
            sink.line(stream, tag.as_ref(), &line).await;
        }
    }
    if let Some(line) = lines.rest() {
        sink.line(stream, tag.as_ref(), &line).await;
    }
}

/// Bytes on their way to lines.
#[derive(Debug, Default)]
struct Lines {
    pending: Vec<u8>,
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
                    whole.push(self.end());
                    bytes = &bytes[end + 1..];
                }
                None => {
                    self.pending.extend_from_slice(window);
                    bytes = &bytes[window.len()..];
                    if self.pending.len() == LINE_MAX {
                        whole.push(std::mem::take(&mut self.pending));
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
