//! Metrics of the process itself, read from `/proc` when scraped.
//!
//! On a system without `/proc` nothing is written: an absent metric is honest, a zero is not.

use std::{fs, path::PathBuf};

use super::{Collector, Exposition, Kind};
use crate::names;

/// Ticks per second in `/proc/<pid>/stat`: `USER_HZ`, which is 100 on every Linux architecture we build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Bytes in the "kB" of `/proc/<pid>/status`.
const STATUS_UNIT: f64 = 1024.0;

/// Writes the `process_*` metrics of the process it runs in.
#[derive(Debug)]
pub struct ProcessCollector {
    proc: PathBuf,
}

impl Default for ProcessCollector {
    fn default() -> Self {
        Self { proc: "/proc".into() }
    }
}

impl ProcessCollector {
    /// Reads from `proc` instead of `/proc`, for tests.
    pub fn at(proc: impl Into<PathBuf>) -> Self {
        Self { proc: proc.into() }
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.proc.join(path)).ok()
    }

    fn open_descriptors(&self) -> Option<f64> {
        let entries = fs::read_dir(self.proc.join("self/fd")).ok()?;
        // The descriptor that reads the directory is not the process' own business.
        Some(entries.count().saturating_sub(1) as f64)
    }

    fn start_time(&self, start_ticks: f64) -> Option<f64> {
        let stat = self.read("stat")?;
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(boot.trim().parse::<f64>().ok()? + start_ticks / TICKS_PER_SECOND)
    }
}

impl Collector for ProcessCollector {
    fn collect(&self, out: &mut Exposition<'_>) {
        let mut gauge = |name: &str, help: &str, kind: Kind, value: Option<f64>| {
            if let Some(value) = value {
                out.family(name, help, kind);
                out.sample(name, &[], value);
            }
        };
        let stat = self.read("self/stat").as_deref().and_then(Stat::parse);
        let status = self.read("self/status").unwrap_or_default();
        let limits = self.read("self/limits").unwrap_or_default();
        gauge(
            names::PROCESS_CPU_SECONDS_TOTAL,
            "Total user and system CPU time spent in seconds.",
            Kind::Counter,
            stat.as_ref().map(|stat| stat.cpu_ticks / TICKS_PER_SECOND),
        );
        gauge(
            names::PROCESS_MAX_FDS,
            "Maximum number of open file descriptors.",
            Kind::Gauge,
            soft_limit(&limits, "Max open files"),
        );
        gauge(
            names::PROCESS_OPEN_FDS,
            "Number of open file descriptors.",
            Kind::Gauge,
            self.open_descriptors(),
        );
        gauge(
            names::PROCESS_RESIDENT_MEMORY_BYTES,
            "Resident memory size in bytes.",
            Kind::Gauge,
            status_bytes(&status, "VmRSS:"),
        );
        gauge(
            names::PROCESS_START_TIME_SECONDS,
            "Start time of the process since unix epoch in seconds.",
            Kind::Gauge,
            stat.and_then(|stat| self.start_time(stat.start_ticks)),
        );
        gauge(
            names::PROCESS_VIRTUAL_MEMORY_BYTES,
            "Virtual memory size in bytes.",
            Kind::Gauge,
            status_bytes(&status, "VmSize:"),
        );
    }
}

/// What we use of `/proc/self/stat` (proc(5)).
struct Stat {
    cpu_ticks: f64,
    start_ticks: f64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // `rest` begins with field 3; utime, stime and starttime are the fields 14, 15 and 22.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            start_ticks: field(22)?,
        })
    }
}

fn status_bytes(status: &str, key: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * STATUS_UNIT)
}

fn soft_limit(limits: &str, key: &str) -> Option<f64> {
    let values = limits.lines().find_map(|line| line.strip_prefix(key))?;
    match values.split_ascii_whitespace().next()? {
        "unlimited" => Some(f64::INFINITY),
        number => number.parse().ok(),
    }
}
