//! As much HTTP as a harness needs: one request, one short answer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::failure::{Failure, Result, Tried};

/// How long an answer may take; what is asked here is never slow.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends one request on a connection of its own; `address` is `ip:port`.
pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> Result<Answer> {
    let what = || format!("{method} http://{address}{path}");
    let socket: SocketAddr = address
        .parse()
        .map_err(|_| Failure::new(format!("{address} is no address")))?;
    let mut stream = TcpStream::connect_timeout(&socket, TIMEOUT).tried(what)?;
    stream.set_read_timeout(Some(TIMEOUT)).tried(what)?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).tried(what)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).tried(what)?;
    parse(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| Failure::new(format!("{}: no HTTP answer", what())))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_answer() {
        let answer = parse("HTTP/1.1 204 No Content\r\na: b\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert_eq!(parse("HTTP/1.1"), None);
    }
}
