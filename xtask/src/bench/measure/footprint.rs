//! What a sidecar costs when nothing happens: memory, start, size on disk.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::{
    Subject, Values,
    chain::{hops, unfit},
};
use crate::bench::{
    failure::{Failure, Result, Tried},
    http,
    lab::Lab,
    proc::{self, Memory},
    sidecar::{Maker, Setup, Sidecar, component_folder},
    stats::Spread,
};

/// How long a process is left alone before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);
/// Starts in one run, of which the median counts.
const STARTS: usize = 5;
/// How long a bare app may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tracing to a collector that is not there, which both take without complaint.
const OTLP: &str = "apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: bench
spec:
  tracing:
    samplingRate: \"1\"
    otel:
      endpointAddress: \"127.0.0.1:4317\"
      isSecure: false
      protocol: grpc
";

/// Resident memory at rest: with nothing configured, or `loaded` with SQLite and a trace exporter.
pub(super) fn idle(lab: &Lab, subject: Subject, loaded: bool) -> Result<Values> {
    match subject {
        Subject::OneHop => {
            let app = lab.bare("echo", &[])?;
            let (_, between) = hops(lab, subject, &app.address, false)?;
            between
                .first()
                .map_or_else(|| Err(unfit(subject)), |hop| settled(hop.pid()))
        }
        Subject::Sidecar(maker) if loaded => {
            let file = lab.fresh("idle.db");
            let resources = component_folder(
                lab,
                &[(
                    "store",
                    "state.sqlite",
                    &[("connectionString", &file.to_string_lossy())],
                )],
            )?;
            let config = lab.fresh("config.yaml");
            fs::write(&config, OTLP).tried(|| format!("writing {}", config.display()))?;
            let setup = Setup {
                app_id: "bench",
                resources: Some(&resources),
                config: Some(&config),
                ..Setup::default()
            };
            settled(Sidecar::start(lab, maker, &setup)?.process.pid())
        }
        Subject::Sidecar(maker) => settled(start(lab, maker)?.process.pid()),
        _ => Err(unfit(subject)),
    }
}

/// From exec to the first sign of readiness, in milliseconds; for the bare app to its first answer.
pub(super) fn ready(lab: &Lab, subject: Subject) -> Result<Values> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(match subject {
            Subject::Direct => bare_ready(lab)?,
            Subject::Sidecar(maker) => start(lab, maker)?.ready_after,
            _ => return Err(unfit(subject)),
        });
    }
    let spread = Spread::of(times.iter().map(|time| time.as_secs_f64() * 1e3));
    spread.map_or_else(
        || Err(unfit(subject)),
        |spread| Ok(Values::from([("ready_ms".to_owned(), spread.median)])),
    )
}

/// The program's size without symbols, in MB (10⁶ bytes).
pub(super) fn binary(lab: &Lab, subject: Subject) -> Result<Values> {
    let Subject::Sidecar(maker) = subject else {
        return Err(unfit(subject));
    };
    let program: PathBuf = match maker {
        Maker::Ours => lab.programs.ours.clone()?,
        Maker::Peer => lab.programs.peer.clone()?,
    };
    let stripped = lab.fresh("stripped");
    fs::copy(&program, &stripped).tried(|| format!("copying {}", program.display()))?;
    let output = Command::new("strip")
        .arg(&stripped)
        .output()
        .tried(|| "starting strip (binutils)".to_owned())?;
    if !output.status.success() {
        return Err(Failure::new(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let size = fs::metadata(&stripped)
        .tried(|| format!("looking at {}", stripped.display()))?
        .len();
    fs::remove_file(&stripped).tried(|| format!("removing {}", stripped.display()))?;
    Ok(Values::from([("binary_mb".to_owned(), size as f64 / 1e6)]))
}

fn start(lab: &Lab, maker: Maker) -> Result<Sidecar> {
    Sidecar::start(
        lab,
        maker,
        &Setup {
            app_id: "bench",
            ..Setup::default()
        },
    )
}

fn settled(pid: u32) -> Result<Values> {
    thread::sleep(SETTLE);
    let Memory { resident, anonymous } = proc::memory(pid)?;
    Ok(Values::from([
        ("rss_mb".to_owned(), resident),
        ("anon_mb".to_owned(), anonymous),
    ]))
}

fn bare_ready(lab: &Lab) -> Result<Duration> {
    let begun = Instant::now();
    let app = lab.bare("echo", &[])?;
    while http::request(&app.address, "GET", "/", "").is_err() {
        if begun.elapsed() > PATIENCE {
            return Err(app.process.failure("did not answer"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(begun.elapsed())
}
