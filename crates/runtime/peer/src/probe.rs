//! The question that tells whether a peer is ours.

use std::{io, time::Duration};

use http::HeaderValue;
use outrigger_transport::client::Io;
use outrigger_wire_names::headers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Version of the pass-through between two of ours. Another version is another protocol, and gRPC is used instead.
pub(crate) const PROTOCOL: &str = "1";

/// Time for the answer. A peer of Dapr's sends its HTTP/2 settings at once, so only a stuck peer takes longer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes that the answer of one of ours may have.
const ANSWER_LIMIT: usize = 1024;

/// Who answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The app's sidecar, and one of ours: the connection is ready for a request.
    Ours,
    /// One of ours that has taken over the port from the app's. The connection is spent.
    OfAnotherApp,
    /// None of ours. The connection is spent.
    Another,
}

/// Asks on a new connection for the sidecar of the app `id`.
pub(crate) async fn ask(io: &mut Io, id: &str) -> io::Result<Found> {
    if HeaderValue::from_str(id).is_err() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{id:?} cannot stand in a header"),
        ));
    }
    let question = format!(
        "OPTIONS * HTTP/1.1\r\nhost: peer\r\n{}: {PROTOCOL}\r\n{}: {id}\r\n\r\n",
        headers::PEER,
        headers::CALLEE_APP_ID
    );
    tokio::time::timeout(TIMEOUT, exchange(io, question.as_bytes())).await?
}

async fn exchange(io: &mut Io, question: &[u8]) -> io::Result<Found> {
    io.write_all(question).await?;
    let mut answer = Vec::with_capacity(256);
    loop {
        // One that does not understand may end the connection before it has read the whole question.
        match io.read_buf(&mut answer).await {
            Ok(0) => return Ok(Found::Another),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(Found::Another),
            read => read?,
        };
        let is_http1 = b"HTTP/1.1 ".starts_with(&answer[..answer.len().min(9)]);
        if !is_http1 || answer.len() > ANSWER_LIMIT {
            return Ok(Found::Another);
        }
        // The answers of ours to this have no body.
        if answer.ends_with(b"\r\n\r\n") {
            return Ok(read(&String::from_utf8_lossy(&answer)));
        }
    }
}

fn read(head: &str) -> Found {
    let says = |name, value| head.contains(&format!("\r\n{name}: {value}\r\n"));
    if !says(headers::PEER, PROTOCOL) {
        return Found::Another;
    }
    match says(headers::PEER_ERROR, MISDIRECTED) {
        true => Found::OfAnotherApp,
        false => Found::Ours,
    }
}

/// What [`headers::PEER_ERROR`] says where a request was meant for another app.
pub(crate) const MISDIRECTED: &str = "misdirected";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_who_answers() {
        let head = |lines: &str| read(&format!("HTTP/1.1 204 No Content\r\n{lines}\r\n"));
        assert_eq!(head("outrigger-peer: 1\r\n"), Found::Ours);
        assert_eq!(head("outrigger-peer: 2\r\n"), Found::Another);
        assert_eq!(head("server: x\r\n"), Found::Another);
        let both = "outrigger-peer: 1\r\noutrigger-peer-error: misdirected\r\n";
        assert_eq!(head(both), Found::OfAnotherApp);
    }
}
