//! A client's way to an app: direct, over bare hops, or over two sidecars.

use std::time::{Duration, Instant};

use super::{Subject, Values};
use crate::bench::{
    failure::{Failure, Result},
    lab::{Bare, Lab},
    load::Load,
    proc::{self, Memory},
    process::Process,
    sidecar::{Setup, Sidecar},
};

/// How long two sidecars may take to find each other.
const FOUND: Duration = Duration::from_secs(20);
/// Counted seconds of one try to reach the app.
const TRY_SECONDS: f64 = 0.05;
/// The method that the gRPC app is called by; it answers to any.
const METHOD: &str = "bench.Echo/Unary";

/// A running way. The app and what lies between end with it.
#[derive(Debug)]
pub(super) struct Chain {
    /// Hops or sidecars, the client's first.
    between: Vec<Process>,
    /// Ends with the chain.
    _app: Process,
    url: String,
    headers: Vec<String>,
    grpc: bool,
}

impl Chain {
    /// Starts a way to `/path` of an app; `max_body` is the body limit for sidecars. A sidecar's way is known to work
    /// when this returns.
    pub(super) fn start(
        lab: &Lab,
        subject: Subject,
        grpc: bool,
        path: &str,
        max_body: Option<&str>,
    ) -> Result<Self> {
        let app = lab.bare(if grpc { "grpc-echo" } else { "echo" }, &[])?;
        let path = if grpc { METHOD } else { path };
        if let Subject::Sidecar(_) = subject {
            return Self::sidecars(lab, subject, app, path, grpc, max_body);
        }
        let (address, between) = hops(lab, subject, &app.address, grpc)?;
        let url = format!("http://{address}/{path}");
        Ok(Self {
            between,
            _app: app.process,
            url,
            headers: Vec::new(),
            grpc,
        })
    }

    fn sidecars(
        lab: &Lab,
        subject: Subject,
        app: Bare,
        path: &str,
        grpc: bool,
        max_body: Option<&str>,
    ) -> Result<Self> {
        let Subject::Sidecar(maker) = subject else {
            return Err(unfit(subject));
        };
        // Names of their own in every run: what an earlier sidecar has announced may still be in somebody's memory.
        let id = lab
            .fresh("bench")
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let (callee, caller) = (format!("callee-{id}"), format!("caller-{id}"));
        let of_app = Setup {
            app_id: &callee,
            app: Some(&app.address),
            grpc_app: grpc,
            max_body,
            ..Setup::default()
        };
        let of_client = Setup {
            app_id: &caller,
            max_body,
            ..Setup::default()
        };
        let callee_sidecar = Sidecar::start(lab, maker, &of_app)?;
        let caller_sidecar = Sidecar::start(lab, maker, &of_client)?;
        let (url, headers) = if grpc {
            (
                format!("http://{}/{path}", caller_sidecar.grpc),
                vec![format!("dapr-app-id: {callee}")],
            )
        } else {
            (
                format!(
                    "http://{}/v1.0/invoke/{callee}/method/{path}",
                    caller_sidecar.http
                ),
                Vec::new(),
            )
        };
        let between = vec![caller_sidecar.process, callee_sidecar.process];
        let mut chain = Self {
            between,
            _app: app.process,
            url,
            headers,
            grpc,
        };
        chain.wait_reachable(lab)?;
        Ok(chain)
    }

    /// A load that is sent this way.
    pub(super) fn load(&self, connections: u32, rate: Option<u32>) -> Load {
        Load {
            url: self.url.clone(),
            grpc: self.grpc,
            headers: self.headers.clone(),
            connections,
            rate,
            ..Load::default()
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// CPU seconds of each process between client and app.
    pub(super) fn cpu(&self) -> Result<Vec<f64>> {
        self.between
            .iter()
            .map(|process| proc::cpu_seconds(process.pid()))
            .collect()
    }

    /// Memory of each process between client and app.
    pub(super) fn memory(&self) -> Result<Vec<Memory>> {
        self.between
            .iter()
            .map(|process| proc::memory(process.pid()))
            .collect()
    }

    /// Waits until the first sidecar has found the second.
    fn wait_reachable(&mut self, lab: &Lab) -> Result<()> {
        let short = lab.with_seconds(TRY_SECONDS);
        let begun = Instant::now();
        loop {
            let Err(error) = self.load(1, None).run(&short) else {
                return Ok(());
            };
            for process in &mut self.between {
                process.check()?;
            }
            if begun.elapsed() > FOUND {
                let first = &self.between[0];
                return Err(first.failure(&format!(
                    "did not reach the app in {} s ({error})",
                    FOUND.as_secs()
                )));
            }
        }
    }
}

/// Starts the bare hops of a subject in front of `app`.
pub(super) fn hops(lab: &Lab, subject: Subject, app: &str, grpc: bool) -> Result<(String, Vec<Process>)> {
    let h2 = ["--protocol", "h2"];
    let to_h2 = ["--upstream-protocol", "h2"];
    let (first, second): (Option<&[&str]>, Option<&[&str]>) = match subject {
        Subject::Direct | Subject::Serial => (None, None),
        Subject::OneHop => (Some(&[]), None),
        Subject::TwoHopsH2 if grpc => (Some(&[]), Some(&[])),
        Subject::TwoHopsH1 => (Some(&[]), Some(&[])),
        Subject::TwoHopsH2 => (Some(&to_h2), Some(&h2)),
        Subject::Writer | Subject::Sidecar(_) => return Err(unfit(subject)),
    };
    let role = if grpc { "grpc-hop" } else { "http-hop" };
    let mut address = app.to_owned();
    let mut between = Vec::new();
    for extra in [second, first].into_iter().flatten() {
        let args = [&["--upstream", &address][..], extra].concat();
        let hop = lab.bare(role, &args)?;
        address = hop.address;
        between.insert(0, hop.process);
    }
    Ok((address, between))
}

/// A subject that a measure's table should not have named.
pub(super) fn unfit(subject: Subject) -> Failure {
    Failure::new(format!("{} cannot be measured this way", subject.label()))
}

/// What a load's report and the processes between say together.
pub(super) fn values(
    loaded: &crate::bench::load::Loaded,
    cpu: &[f64],
    seconds: f64,
    memory: &[Memory],
) -> Values {
    let mut values = super::invoke::latencies(loaded);
    if !cpu.is_empty() {
        values.insert("cpu_us".to_owned(), cpu.iter().sum::<f64>() / loaded.sent * 1e6);
    }
    for (at, cpu) in cpu.iter().enumerate() {
        values.insert(format!("cores_{}", at + 1), cpu / seconds);
    }
    let greatest = |of: fn(&Memory) -> f64| memory.iter().map(of).fold(0.0, f64::max);
    if !memory.is_empty() {
        values.insert("rss_mb".to_owned(), greatest(|memory| memory.resident));
        values.insert("anon_mb".to_owned(), greatest(|memory| memory.anonymous));
    }
    values
}
