//! A sidecar under test.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
};

use outrigger_testing_harness::{Folder, Process};

use super::{PATIENCE, Place};

/// The Debian package that `ip` and the shell come with.
const PACKAGE: &str = "iproute2";

/// Whose sidecar it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program under test.
    Ours,
    /// A `daprd` of Dapr's.
    Theirs(PathBuf),
}

/// How a sidecar is started. Without further words: ports of its own, no app, no multicast.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    id: String,
    kind: Kind,
    place: Place,
    ports: [u16; 4],
    arguments: Vec<String>,
    variables: Vec<(String, OsString)>,
    prelude: String,
}

/// A running sidecar, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) process: Process,
    pub(crate) place: Place,
    /// Port of the HTTP API.
    pub(crate) http: u16,
    /// Port of the gRPC API.
    pub(crate) grpc: u16,
    /// Port for other sidecars.
    pub(crate) internal: u16,
}

/// The program under test.
pub(crate) fn program() -> PathBuf {
    let path = std::env::var_os("OUTRIGGER_BIN").map(PathBuf::from);
    path.filter(|path| path.is_file()).unwrap_or_else(|| {
        panic!(
            "OUTRIGGER_BIN does not name the program under test: run `cargo xtask test`, or build it with \
             `cargo build -p outrigger-cli` and set OUTRIGGER_BIN to target/debug/outrigger"
        )
    })
}

/// A port that can be used again after a restart: outside the range that the kernel gives to outgoing connections.
pub(crate) fn lasting_port() -> u16 {
    /// Below the kernel's own range, above what services commonly use.
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .find(|port| std::net::TcpListener::bind(("0.0.0.0", *port)).is_ok())
        .expect("no port is free")
}

impl Plan {
    /// A sidecar for the app `id`, with its files in `folder`. Sidecars that share a folder find each other.
    pub(crate) fn new(id: &str, folder: &Path) -> Self {
        let plan = Self {
            id: id.to_owned(),
            kind: Kind::Ours,
            place: Place::default(),
            ports: [0; 4],
            arguments: Vec::new(),
            variables: Vec::new(),
            prelude: String::new(),
        };
        plan.variable("OUTRIGGER_RUN_DIR", folder.join("run"))
            .variable("OUTRIGGER_HOME", folder.join("home"))
            .variable("HOME", folder)
            .variable("OUTRIGGER_MULTICAST", "off")
    }

    /// The app's port and what it speaks.
    pub(crate) fn app(self, port: u16, protocol: &str) -> Self {
        self.argument(format!("--app-port={port}"))
            .argument(format!("--app-protocol={protocol}"))
    }

    /// Manifests, each a file of a folder of their own.
    pub(crate) fn resources(self, folder: &Folder, manifests: &[String]) -> Self {
        let resources = folder.file(&format!("resources-{}", self.id));
        fs::create_dir_all(&resources).unwrap();
        for (number, manifest) in manifests.iter().enumerate() {
            fs::write(resources.join(format!("{number}.yaml")), manifest).unwrap();
        }
        self.argument(format!("--resources-path={}", resources.display()))
    }

    /// One more argument.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// One more variable of its environment; a later one takes the place of an earlier.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// In a namespace, where ports are fixed and neighbours are found by multicast.
    pub(crate) fn at(mut self, place: &Place) -> Self {
        assert!(place.is_apart());
        self.place = place.clone();
        self.ports = [3500, 50001, 50002, 9090];
        self.variable("OUTRIGGER_MULTICAST", "on")
    }

    /// Whose sidecar it is.
    pub(crate) fn kind(mut self, kind: &Kind) -> Self {
        self.kind = kind.clone();
        self
    }

    /// The ports of HTTP API, gRPC API, other sidecars and metrics; 0 for free ones.
    pub(crate) fn ports(mut self, ports: [u16; 4]) -> Self {
        self.ports = ports;
        self
    }

    /// A line of shell that is run first, in the process that becomes the sidecar.
    pub(crate) fn prelude(mut self, line: &str) -> Self {
        line.clone_into(&mut self.prelude);
        self
    }

    /// Starts it and waits for nothing.
    pub(crate) fn spawn(&self) -> Process {
        let (program, role) = match &self.kind {
            Kind::Ours => (program(), Some("sidecar")),
            Kind::Theirs(daprd) => (daprd.clone(), None),
        };
        let mut command = if self.prelude.is_empty() {
            self.place.command(program.as_os_str())
        } else {
            let mut shell = self.place.command("sh".as_ref());
            shell
                .arg("-c")
                .arg(format!("{} && exec \"$0\" \"$@\"", self.prelude));
            shell.arg(program);
            shell
        };
        let [http, grpc, internal, metrics] = self.ports;
        command
            .args(role)
            .arg(format!("--app-id={}", self.id))
            .arg(format!("--dapr-http-port={http}"))
            .arg(format!("--dapr-grpc-port={grpc}"))
            .arg(format!("--dapr-internal-grpc-port={internal}"))
            .arg(format!("--metrics-port={metrics}"))
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        Process::spawn(&mut command, PACKAGE).unwrap()
    }

    /// Starts it and waits until it is ready, its app included.
    pub(crate) async fn start(&self) -> Sidecar {
        self.begin("dapr initialized. Status: Running").await
    }

    /// Starts it and waits until its log says `line`.
    pub(crate) async fn begin(&self, line: &str) -> Sidecar {
        let process = self.spawn();
        process.wait_for_line(line, PATIENCE).await.unwrap();
        let [http, grpc, internal, _] = self.ports;
        let place = self.place.clone();
        let mut sidecar = Sidecar {
            process,
            place,
            http,
            grpc,
            internal,
        };
        if self.kind == Kind::Ours {
            sidecar.http = sidecar.port("HTTP server is running on port ").await;
            sidecar.grpc = sidecar.port("gRPC server is running on port ").await;
            sidecar.internal = sidecar.port("Internal gRPC server is running on port ").await;
        }
        sidecar
    }
}

impl Sidecar {
    /// The port that a line of its log tells.
    async fn port(&self, line: &str) -> u16 {
        let line_with_port = self
            .process
            .wait_for_line(&format!("\"{line}"), PATIENCE)
            .await
            .unwrap();
        let (_, rest) = line_with_port.split_once(line).unwrap();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }
}

/// Whether a process printed a line with all of `parts`.
pub(crate) fn said(process: &Process, parts: &[&str]) -> bool {
    let lines = process.lines();
    lines
        .iter()
        .any(|line| parts.iter().all(|part| line.contains(part)))
}
