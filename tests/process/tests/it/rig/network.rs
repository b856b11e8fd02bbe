//! Where sockets are: on this machine, or in one of two namespaces that stand for machines.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::fd::AsFd,
    path::PathBuf,
    process::Command,
    thread,
};

use outrigger_testing_harness::Namespace;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::TcpStream;

/// A network: this machine's own, or that of a namespace.
///
/// A socket stays in the network that it was made in, so the tests themselves have clients and apps in both namespaces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    path: Option<PathBuf>,
    name: String,
}

impl Place {
    /// The network of a namespace.
    pub(crate) fn of(namespace: &Namespace) -> Self {
        Self {
            path: Some(namespace.path()),
            name: namespace.name().to_owned(),
        }
    }

    /// Whether it is a namespace, where nobody else takes ports.
    pub(crate) fn is_apart(&self) -> bool {
        self.path.is_some()
    }

    /// A command that runs `program` here.
    pub(crate) fn command(&self, program: &std::ffi::OsStr) -> Command {
        if self.path.is_none() {
            return Command::new(program);
        }
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// A listener on a free port of loopback.
    pub(crate) fn listen(&self) -> TcpListener {
        let listener = self
            .enter(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        listener
    }

    /// A connection to a port of loopback.
    pub(crate) async fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if self.path.is_none() {
            return TcpStream::connect(address).await;
        }
        // To loopback a connection is made, or refused, at once: nothing is held up by waiting for it.
        let stream = self.enter(|| std::net::TcpStream::connect(address))?;
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    }

    /// Runs `work` on a thread of this network.
    fn enter<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        let Some(path) = &self.path else { return work() };
        let inside = || {
            let namespace = File::open(path)?;
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), network)?;
            work()
        };
        thread::scope(|scope| {
            scope
                .spawn(inside)
                .join()
                .expect("the thread of a namespace panicked")
        })
    }
}
