//! Runs of the load generator, and what it reports.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{
    failure::{Failure, Result, Tried},
    lab::Lab,
};

/// Connections at full speed.
pub(crate) const FULL_SPEED: u32 = 32;
/// Dapr's own shape of a fixed load: 1,000 requests a second, 16 connections, 1 KB.
pub(crate) const RATE: u32 = 1_000;
pub(crate) const RATE_CONNECTIONS: u32 = 16;
pub(crate) const BODY_BYTES: usize = 1_024;
/// How long a load of a number of requests may take, in seconds.
const MOST_SECONDS: f64 = 120.0;

/// What is asked, and how much.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// `http://ip:port/path`.
    pub(crate) url: String,
    pub(crate) grpc: bool,
    pub(crate) headers: Vec<String>,
    /// `GET` when set, else `POST`.
    pub(crate) get: bool,
    /// The body as a template; none is [`BODY_BYTES`] letters, except with `GET`.
    pub(crate) body: Option<String>,
    /// The answer must be as long as the request.
    pub(crate) echo: bool,
    pub(crate) connections: u32,
    /// Requests a second; none is full speed.
    pub(crate) rate: Option<u32>,
    /// Requests in all, counted from the first; none is as many as the time allows.
    pub(crate) requests: Option<u64>,
}

/// What came of it; latencies in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) rps: f64,
    pub(crate) sent: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Load {
    /// Runs the load to its end.
    pub(crate) fn run(&self, lab: &Lab) -> Result<Loaded> {
        finish(self.start(lab)?)
    }

    /// Starts the load, for who looks at something else meanwhile; [`finish`] ends it.
    pub(crate) fn start(&self, lab: &Lab) -> Result<Child> {
        let mut command = Command::new(&lab.programs.limit);
        command.args([
            "load",
            "--url",
            &self.url,
            "--connections",
            &self.connections.to_string(),
        ]);
        let (warmup, duration) = match self.requests {
            Some(_) => (0.0, MOST_SECONDS),
            None => (lab.warmup(), lab.seconds),
        };
        command.args([
            "--warmup",
            &warmup.to_string(),
            "--duration",
            &duration.to_string(),
        ]);
        if let Some(requests) = self.requests {
            command.args(["--requests", &requests.to_string()]);
        }
        if self.grpc {
            command.args(["--protocol", "grpc"]);
        }
        for header in &self.headers {
            command.args(["--header", header]);
        }
        match (&self.body, self.get) {
            (_, true) => command.args(["--method", "GET"]),
            (Some(body), false) => command.args(["--body", body]),
            (None, false) => command.args(["--body-size", &BODY_BYTES.to_string()]),
        };
        if self.echo {
            command.arg("--check-echo");
        }
        if let Some(rate) = self.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        spawn(&mut command)
    }
}

/// Starts a command of the `limit` program that prints one JSON line.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().tried(|| "starting the load generator".to_owned())
}

/// Waits for the load's end; a run with any error is void.
pub(crate) fn finish(child: Child) -> Result<Loaded> {
    Loaded::read(&line(child)?)
}

/// Waits for the end and answers with the printed JSON.
pub(crate) fn line(child: Child) -> Result<Value> {
    let output = child
        .wait_with_output()
        .tried(|| "waiting for the load generator".to_owned())?;
    if !output.status.success() {
        return Err(Failure::new(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("reading the load's report: {error}")))
}

impl Loaded {
    pub(crate) fn read(report: &Value) -> Result<Self> {
        let errors = report["errors"].as_u64().unwrap_or(0);
        if errors > 0 {
            let first = report["first_error"].as_str().unwrap_or("");
            return Err(Failure::new(format!(
                "{errors} requests failed, the first: {first}"
            )));
        }
        let number = |name: &str| {
            report[name]
                .as_f64()
                .ok_or_else(|| Failure::new(format!("the load's report has no {name}: {report}")))
        };
        let sent = if report["sent"].is_null() {
            number("requests")?
        } else {
            number("sent")?
        };
        let loaded = Self {
            rps: number("rps")?,
            sent,
            p50: number("p50")?,
            p90: number("p90")?,
            p99: number("p99")?,
            p999: number("p999")?,
            max: number("max")?,
        };
        if loaded.rps > 0.0 {
            Ok(loaded)
        } else {
            Err(Failure::new("no request was answered in the counted time"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_with_errors_is_void() {
        let report = json!({"rps": 1.0, "errors": 2, "first_error": "gone"});
        assert!(Loaded::read(&report).unwrap_err().to_string().contains("gone"));
    }

    #[test]
    fn a_report_must_be_whole() {
        assert!(Loaded::read(&json!({"rps": 1.0, "errors": 0})).is_err());
        let whole = json!({"rps": 2.0, "requests": 4, "errors": 0, "p50": 1, "p90": 1, "p99": 1, "p999": 1, "max": 1});
        assert_eq!(Loaded::read(&whole).unwrap().sent, 4.0);
        assert!(Loaded::read(&json!({"rps": 0.0, "requests": 0, "errors": 0, "p50": 1, "p90": 1, "p99": 1, "p999": 1, "max": 1})).is_err());
    }
}
