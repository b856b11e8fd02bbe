//! A real `redis-server`.

mod cluster;
mod sentinel;

use std::{net::Ipv4Addr, process::Command, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{Error, Folder, FreePort, Process, Signal};

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;

/// The program, and the Debian package that brings it.
const PROGRAM: &str = "redis-server";
const PACKAGE: &str = "redis-server";
/// How long a start may take; a start takes some 20 ms, a loaded machine is given a lot more.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// How long an orderly end may take.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// How often a starting server is asked.
const PAUSE: Duration = Duration::from_millis(5);
/// How often another port is tried when somebody took the free one between our letting go and the server's bind.
const PORT_TRIES: usize = 5;

/// A `redis-server` of its own: free port, own folder; killed, reaped and removed on drop.
///
/// It writes every change to a file before it answers (append-only file), so what was acknowledged is still there
/// after [`RedisServer::kill`] and [`RedisServer::start_again`], on the same port.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    arguments: Vec<String>,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(&[]).await
    }

    /// Starts a server with more arguments (`--requirepass`, `secret`) and waits until it answers.
    pub async fn start_with(arguments: &[&str]) -> Result<Self, Error> {
        let mut last = None;
        for _ in 0..PORT_TRIES {
            let mut server = Self {
                process: None,
                folder: Folder::new("redis")?,
                port: FreePort::hold()?.release(),
                arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            };
            match server.start_again().await {
                Ok(()) => return Ok(server),
                Err(error) if error.to_string().contains("Address already in use") => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::Command {
            command: PROGRAM.to_owned(),
            output: "no free port".to_owned(),
        }))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `redis://127.0.0.1:<port>/`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Sends one line (`SET key value`) and gives the raw answer, for setting things up without a client library.
    pub async fn ask(&self, line: &str) -> Result<String, Error> {
        ask(self.port, line)
            .await
            .map_err(|error| Error::io(format!("ask the server on port {}: {line}", self.port), error))
    }

    /// Ends it in good order; its data stay.
    pub async fn stop(&mut self) -> Result<(), Error> {
        match self.process.take() {
            Some(mut process) => process.terminate(STOP_DEADLINE).await.map(drop),
            None => Ok(()),
        }
    }

    /// Kills it (`SIGKILL`): connections break, its data stay.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn freeze(&self) -> Result<(), Error> {
        self.process
            .as_ref()
            .map_or(Ok(()), |process| process.signal(Signal::Stop))
    }

    /// Lets it go on after [`RedisServer::freeze`].
    pub fn thaw(&self) -> Result<(), Error> {
        self.process
            .as_ref()
            .map_or(Ok(()), |process| process.signal(Signal::Continue))
    }

    /// Starts it again on the same port with the same data, and waits until it answers.
    pub async fn start_again(&mut self) -> Result<(), Error> {
        self.process = None;
        let mut process = Process::spawn(&mut self.command(), PACKAGE)?;
        let end = Instant::now() + START_DEADLINE;
        while !answers(self.port).await {
            if let Some(status) = process.ended() {
                // Its output is read by a thread; its last line says that it is through.
                let _ = process.wait_for_line("exiting", PAUSE).await;
                return Err(Error::Command {
                    command: format!("{:?}", self.command()),
                    output: format!("{status}: {}", process.lines().join("\n")),
                });
            }
            if Instant::now() >= end {
                return Err(Error::Late {
                    program: PROGRAM.to_owned(),
                    id: process.id(),
                    what: "did not answer PING".to_owned(),
                    deadline: START_DEADLINE,
                    output: process.lines().join("\n"),
                });
            }
            sleep(PAUSE).await;
        }
        self.process = Some(process);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "no"])
            .args(&self.arguments);
        command
    }
}

/// Whether a server answers PING on this port. One that wants a password first is ready as well; one that is still
/// loading its data is not.
async fn answers(port: u16) -> bool {
    match timeout(START_DEADLINE, ask(port, "PING")).await {
        Ok(Ok(answer)) => answer == "+PONG" || answer.starts_with("-NOAUTH"),
        _ => false,
    }
}

/// Sends one line and reads what answers it: a line, or the text that a line announces.
async fn ask(port: u16, line: &str) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await?;
    let answer = answer.trim_end().to_owned();
    let Some(length) = answer.strip_prefix('$').and_then(|length| length.parse().ok()) else {
        return Ok(answer);
    };
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
