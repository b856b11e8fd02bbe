//! How a connection to a target is made.

use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::Error;

/// A host on the same network answers a SYN in milliseconds; ten seconds of silence means that nobody will.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Silence after which the kernel asks whether the other machine still is there, and the time between its questions:
/// as Go's dialler, and so the sidecars beside ours. A machine that vanished closes no connection; without this a pool
/// would keep those to it, and an exchange that waits for an answer would wait for ever.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Questions without an answer after which a connection is given up.
const KEEP_ALIVE_QUESTIONS: u32 = 3;

/// Where connections go.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A socket address.
    Address(SocketAddr),
    /// A host name and a port, looked up for each connection.
    Host(Arc<str>, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Target {
    /// A target from a host (a name or an address) and a port.
    pub fn new(host: &str, port: u16) -> Self {
        match host.trim_matches(['[', ']']).parse() {
            Ok(ip) => Self::Address(SocketAddr::new(ip, port)),
            Err(_) => Self::Host(host.into(), port),
        }
    }

    /// What stands in a `Host` header or an `:authority`.
    pub fn authority(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Host(host, port) => format!("{host}:{port}"),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Address(_) | Self::Host(..) => f.write_str(&self.authority()),
        }
    }
}

/// Makes connections to one target, with TLS where settings for it are given.
#[derive(Clone)]
pub struct Connect {
    target: Target,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Connect {
    /// Plain connections.
    pub fn plain(target: Target) -> Self {
        Self { target, tls: None }
    }

    /// TLS connections to a server that calls itself `name`.
    pub fn tls(target: Target, config: Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        Self {
            target,
            tls: Some((config, name)),
        }
    }

    /// Where connections go.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Makes a connection.
    pub async fn connect(&self) -> Result<Io, Error> {
        let fail = |source: io::Error| Error::Connect {
            target: format!("{:?}", self.target),
            source: source.into(),
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, self.dial()).await {
            Ok(dialled) => dialled.map_err(fail),
            Err(_) => Err(fail(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    async fn dial(&self) -> io::Result<Io> {
        let stream = match &self.target {
            Target::Address(address) => TcpStream::connect(address).await?,
            Target::Host(host, port) => TcpStream::connect((&**host, *port)).await?,
            Target::Unix(path) => return Ok(Io::Unix(UnixStream::connect(path).await?)),
        };
        stream.set_nodelay(true)?;
        keep_alive(&stream)?;
        let Some((config, name)) = &self.tls else {
            return Ok(Io::Tcp(stream));
        };
        let stream = TlsConnector::from(config.clone())
            .connect(name.clone(), stream)
            .await?;
        Ok(Io::Tls(Box::new(stream)))
    }
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let questions = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE)
        .with_retries(KEEP_ALIVE_QUESTIONS);
    SockRef::from(stream).set_tcp_keepalive(&questions)
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("target", &self.target)
            .field("tls", &self.is_tls())
            .finish()
    }
}

/// A connection, whatever it runs over.
#[derive(Debug)]
pub enum Io {
    /// Plain TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_asks_whether_the_other_side_still_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connect = Connect::plain(Target::Address(listener.local_addr().unwrap()));
        let Io::Tcp(stream) = connect.connect().await.unwrap() else {
            panic!("not over TCP");
        };
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(15));
    }
}
