//! Bare sockets, for clients and apps that do not behave.

use std::{io, net::Ipv4Addr, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use super::PATIENCE;

/// A connection whose every byte is the test's.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(port: u16) -> Self {
        Self(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap())
    }

    /// Writes; what the other side has closed by now is no error of the test's.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.write_all(bytes.as_ref()).await
    }

    /// Reads to the end of a head.
    pub(crate) async fn head(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        let reading = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await?);
            }
            io::Result::Ok(())
        };
        timeout(PATIENCE, reading).await.map_err(io::Error::from)??;
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    /// Reads until the other side ends the connection: all bytes, and whether it ended in good order.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        self.rest_within(PATIENCE).await
    }

    /// As [`Raw::rest`], up to a limit of time.
    pub(crate) async fn rest_within(&mut self, limit: Duration) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = Vec::new();
        let ended = match timeout(limit, self.0.read_to_end(&mut bytes)).await {
            Ok(ended) => ended.map(drop),
            Err(elapsed) => Err(elapsed.into()),
        };
        (bytes, ended)
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        // Without lingering, what is unsent is dropped and the other side is told at once.
        SockRef::from(&self.0).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// How an app ends a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// With a reset.
    Reset,
    /// In good order, though too early.
    Close,
    /// Never: it hangs until the sidecar ends it.
    Hang,
}

/// An app that reads a head, writes `answer` and ends the connection.
#[derive(Debug)]
pub(crate) struct RawApp {
    pub(crate) port: u16,
    /// Calls that it was asked, and how many of those that hang the sidecar has given up.
    pub(crate) calls: watch::Receiver<Calls>,
    _task: JoinSet<()>,
}

/// What became of the calls of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Calls {
    pub(crate) asked: usize,
    pub(crate) given_up: usize,
}

impl RawApp {
    pub(crate) async fn start(answer: &'static [u8], end: End) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, calls) = watch::channel(Calls::default());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(Raw(stream), answer, end, sender.clone()));
            }
        });
        Self {
            port,
            calls,
            _task: task,
        }
    }
}

async fn serve(mut raw: Raw, answer: &'static [u8], end: End, calls: watch::Sender<Calls>) {
    // The sidecar looks whether anybody listens by connecting, and says nothing then.
    let Ok(head) = raw.head().await else { return };
    if head.contains(" /dapr/") {
        let _ = raw
            .say("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
        return;
    }
    let _ = raw.say(answer).await;
    calls.send_modify(|calls| calls.asked += 1);
    match end {
        End::Reset => {
            // What was written is on its way only when it has left the buffer; on loopback that is when it was read.
            until_read(&raw.0).await;
            raw.reset();
        }
        End::Close => (),
        End::Hang => {
            let (_, ended) = raw.rest().await;
            let timed_out = ended.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
            calls.send_modify(|calls| calls.given_up += usize::from(!timed_out));
        }
    }
}

/// Waits until the kernel has handed over everything that was written.
pub(super) async fn until_read(stream: &TcpStream) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while unsent(stream) > 0 && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Bytes that the other side has not acknowledged.
fn unsent(stream: &TcpStream) -> u64 {
    let (Ok(own), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else {
        return 0;
    };
    let (own, peer) = (hex(own), hex(peer));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let queues = table.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        (words.next() == Some(&own) && words.next() == Some(&peer)).then(|| words.nth(1))?
    });
    queues
        .and_then(|queues| u64::from_str_radix(queues.split(':').next()?, 16).ok())
        .unwrap_or(0)
}

/// An address as `/proc/net/tcp` writes it.
fn hex(address: std::net::SocketAddr) -> String {
    let std::net::IpAddr::V4(ip) = address.ip() else {
        return String::new();
    };
    format!("{:08X}:{:04X}", u32::from_le_bytes(ip.octets()), address.port())
}
