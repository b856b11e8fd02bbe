//! Sidecars as processes.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use dapr::Client;
use dapr::client::{ClientOptions, TonicClient, TonicClientWithAuth};
use tempfile::TempDir;

/// Ports below the range from which the kernel takes those of outgoing connections, so that none is lost to one.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
/// A sidecar in a debug build on a busy machine is up in less than a second.
const READY: Duration = Duration::from_secs(20);
/// The orderly end may take the graceful seconds that the sidecar is given, and a little.
const STOP: Duration = Duration::from_secs(10);
/// Between two looks at a process.
const PAUSE: Duration = Duration::from_millis(20);

/// The resources and secrets that all SDKs' tests share; `FOLDER` is a folder of the sidecar's own.
const RESOURCES: &str = include_str!("../../resources.yaml");
const SECRETS: &str = include_str!("../../secrets.json");

/// The sidecars of one test: they find each other, and no sidecar of anyone else.
pub struct Mesh {
    folder: TempDir,
}

impl Default for Mesh {
    fn default() -> Self {
        let folder = TempDir::with_prefix("outrigger-sdk-rust-").expect("a temporary folder");
        Self { folder }
    }
}

impl Mesh {
    /// Starts a sidecar without an app and waits until it is ready.
    pub fn start(&self, app_id: &str) -> Sidecar {
        self.spawn(app_id, &[]).ready()
    }

    /// Starts a sidecar beside an app that listens on `port` or is about to. It is ready once the app is.
    pub fn spawn_beside(&self, app_id: &str, port: u16, protocol: &str) -> Sidecar {
        self.spawn(
            app_id,
            &["--app-port", &port.to_string(), "--app-protocol", protocol],
        )
    }

    fn spawn(&self, app_id: &str, more: &[&str]) -> Sidecar {
        let folder = self.folder.path().join(app_id);
        let resources = folder.join("resources");
        fs::create_dir_all(&resources).expect("a folder for resources");
        let text = RESOURCES.replace("FOLDER", &folder.display().to_string());
        fs::write(resources.join("all.yaml"), text).expect("resources are written");
        fs::write(folder.join("secrets.json"), SECRETS).expect("secrets are written");
        let log = File::create(folder.join("sidecar.log")).expect("a log");
        let (http_port, grpc_port) = (free_port(), free_port());
        let child = Command::new(program())
            .args(["sidecar", "--app-id", app_id])
            .args(["--dapr-http-port", &http_port.to_string()])
            .args(["--dapr-grpc-port", &grpc_port.to_string()])
            .args(["--dapr-internal-grpc-port", &free_port().to_string()])
            .args(["--dapr-graceful-shutdown-seconds", "2", "--enable-metrics=false"])
            .arg("--resources-path")
            .arg(&resources)
            .args(more)
            .env("OUTRIGGER_RUN_DIR", self.folder.path().join("run"))
            .env("OUTRIGGER_MULTICAST", "off")
            .env("OUTRIGGER_HOME", &folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log)
            .spawn()
            .expect("the program that OUTRIGGER_BIN names starts");
        Sidecar {
            app_id: app_id.to_owned(),
            http_port,
            grpc_port,
            child,
            log: folder.join("sidecar.log"),
        }
    }
}

/// A sidecar process. It ends when dropped, and shows its log when the test failed.
pub struct Sidecar {
    app_id: String,
    http_port: u16,
    /// The port of the gRPC API.
    pub grpc_port: u16,
    child: Child,
    log: std::path::PathBuf,
}

impl Sidecar {
    /// Waits until it is ready.
    pub fn ready(mut self) -> Self {
        let deadline = Instant::now() + READY;
        while self.get("/v1.0/healthz").is_none_or(|(status, _)| status != 204) {
            let exit = self.exit();
            assert!(exit.is_none(), "sidecar {} ended with {exit:?}", self.app_id);
            assert!(Instant::now() < deadline, "sidecar {} is not ready", self.app_id);
            std::thread::park_timeout(PAUSE);
        }
        self
    }

    /// Status and body of a GET, or nothing when nobody answers.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// The SDK's client of this sidecar.
    pub async fn client(&self) -> Client<TonicClientWithAuth> {
        Client::from_options(ClientOptions::new().with_address(self.address()))
            .await
            .expect("the sidecar accepts a client")
    }

    /// The client that the SDK generates from the protocol: all that its own client has no words for.
    pub async fn raw_client(&self) -> TonicClient {
        TonicClient::connect(self.address())
            .await
            .expect("the sidecar accepts a client")
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc_port)
    }

    /// The exit status, once it has ended.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process can be waited for")
    }

    fn stop(&mut self) {
        let deadline = Instant::now() + STOP;
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        while self.exit().is_none() {
            if Instant::now() > deadline {
                eprintln!("sidecar {} did not end after SIGTERM", self.app_id);
                let _ = self.child.kill();
            }
            std::thread::park_timeout(PAUSE);
        }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if self.exit().is_none() {
            self.stop();
        }
        if std::thread::panicking() {
            eprintln!("log of sidecar {}:\n{}", self.app_id, read(&self.log));
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| error.to_string())
}

/// The program under test.
fn program() -> std::ffi::OsString {
    std::env::var_os("OUTRIGGER_BIN")
        .filter(|path| !path.is_empty())
        .expect("OUTRIGGER_BIN is not set: it names the outrigger program that these tests start")
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    let width = PORTS.end - PORTS.start;
    let mut seed = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(1, |time| u64::from(time.subsec_nanos()));
    seed ^= u64::from(std::process::id()) << 32;
    (0..200)
        .find_map(|_| {
            // Knuth's generator: good enough to spread the tries of parallel tests.
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let port = PORTS.start + u16::try_from((seed >> 33) % u64::from(width)).unwrap_or(0);
            TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
        })
        .expect("a free port")
}
