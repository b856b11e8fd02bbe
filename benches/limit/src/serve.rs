//! A server as small as it gets: one current-thread runtime per core.
//!
//! One thread accepts and hands the connections to the cores in turn. Letting the kernel choose among several
//! listeners is as cheap, but it hashes: two connections may land on one core, and a measurement has two outcomes.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::mpsc;

/// Connections that may wait for a core; a full queue makes the accepting thread wait.
const HANDOVER_QUEUE: usize = 256;
/// How long the accepting thread rests after a failed accept (out of file descriptors), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Listens on `addr` and serves with `threads` cores, each of which calls `core` once, on its own thread, for what
    /// it serves connections with (so that a core can own an upstream pool).
    ///
    /// # Errors
    /// When the address cannot be bound or a thread or runtime cannot be made.
    pub fn start<C, S, F>(addr: SocketAddr, threads: usize, core: C) -> io::Result<Self>
    where
        C: Fn() -> S + Clone + Send + 'static,
        S: Fn(tokio::net::TcpStream) -> F + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut handles = Vec::new();
        let mut queues = Vec::new();
        for number in 0..threads.max(1) {
            let (queue, connections) = mpsc::channel(HANDOVER_QUEUE);
            let core = core.clone();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let run = move || runtime.block_on(serve_core(connections, core()));
            handles.push(thread::Builder::new().name(format!("core-{number}")).spawn(run)?);
            queues.push(queue);
        }
        let stopped = Arc::clone(&stop);
        let accept = move || accept(&listener, &queues, &stopped);
        handles.push(thread::Builder::new().name("accept".to_owned()).spawn(accept)?);
        Ok(Self {
            addr,
            stop,
            threads: handles,
        })
    }

    /// The bound address: the port is the real one where 0 was asked for.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until the server ends by itself, which is never in practice: the harness kills the process.
    pub fn wait(mut self) {
        for handle in self.threads.drain(..) {
            // A core that panicked has printed why; the others go on.
            let _ = handle.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.threads.is_empty() {
            return;
        }
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the accepting thread, which then sees the flag and drops the queues; that ends the cores.
        let _ = TcpStream::connect(self.addr);
        for handle in self.threads.drain(..) {
            let _ = handle.join();
        }
    }
}

/// The number of cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Hands each accepted connection to the next core, until told to stop.
fn accept(listener: &TcpListener, queues: &[mpsc::Sender<TcpStream>], stop: &AtomicBool) {
    for queue in queues.iter().cycle() {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(_) => {
                thread::sleep(ACCEPT_PAUSE);
                continue;
            }
        };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        if stream
            .set_nodelay(true)
            .and_then(|()| stream.set_nonblocking(true))
            .is_ok()
        {
            // A closed queue is a core that panicked: its connections are dropped, which the load generator counts.
            let _ = queue.blocking_send(stream);
        }
    }
}

/// Serves what arrives on the queue; open connections end with the runtime when the queue closes.
async fn serve_core<S, F>(mut connections: mpsc::Receiver<TcpStream>, serve: S)
where
    S: Fn(tokio::net::TcpStream) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    while let Some(stream) = connections.recv().await {
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            tokio::spawn(serve(stream));
        }
    }
}
