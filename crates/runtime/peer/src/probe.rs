//! The question that tells whether a peer is ours.

use std::{io, time::Duration};

use outrigger_transport::client::Io;
use outrigger_wire_names::headers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Version of the pass-through between two of ours. Another version is another protocol, and gRPC is used instead.
pub(crate) const PROTOCOL: &str = "1";

/// Time for the answer. A peer of Dapr's sends its HTTP/2 settings at once, so only a stuck peer takes longer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes that the answer of one of ours may have.
const ANSWER_LIMIT: usize = 1024;

/// Asks on a new connection. `Ok(true)`: the peer is ours and the connection is ready for a request.
/// `Ok(false)`: it is not, and the connection is spent.
pub(crate) async fn is_ours(io: &mut Io) -> io::Result<bool> {
    let question = format!(
        "OPTIONS * HTTP/1.1\r\nhost: peer\r\n{}: {PROTOCOL}\r\n\r\n",
        headers::PEER
    );
    tokio::time::timeout(TIMEOUT, ask(io, question.as_bytes())).await?
}

async fn ask(io: &mut Io, question: &[u8]) -> io::Result<bool> {
    io.write_all(question).await?;
    let mut answer = Vec::with_capacity(256);
    let expected = format!("\r\n{}: {PROTOCOL}\r\n", headers::PEER);
    loop {
        if io.read_buf(&mut answer).await? == 0 {
            return Ok(false);
        }
        let is_http1 = b"HTTP/1.1 ".starts_with(&answer[..answer.len().min(9)]);
        if !is_http1 || answer.len() > ANSWER_LIMIT {
            return Ok(false);
        }
        if answer.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&answer);
            return Ok(head.contains(&expected));
        }
    }
}
