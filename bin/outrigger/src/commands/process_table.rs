//! The sidecars of this machine, as the process table shows them: ours and Dapr's.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use outrigger_base_std::{go, quantity};
use outrigger_wire_names::flags;

use super::api::Endpoint;
use crate::program::SIDECAR;

/// Where the kernel shows processes.
const PROC: &str = "/proc";
/// Names of programs that are a sidecar, or are one with the subcommand before their flags.
const DAPRD: &str = "daprd";
const WITH_SUBCOMMAND: [&str; 2] = ["outrigger", "dapr"];
/// Which field of `/proc/<pid>/stat` tells the start, counted from the one after the program's name.
const START_FIELD: usize = 19;
/// Which fields tell the process's own group, and the one in the foreground of its terminal.
const GROUP_FIELD: usize = 2;
const FOREGROUND_FIELD: usize = 5;
/// The group in the foreground where there is no terminal.
const NO_TERMINAL: &str = "-1";
/// Ports and limits that `daprd` has where no flag says otherwise.
const HTTP_PORT: u16 = 3500;
const GRPC_PORT: u16 = 50001;
const MAX_BODY_BYTES: i64 = 4 << 20;
const READ_BUFFER_BYTES: i64 = 4 << 10;

/// A running sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sidecar {
    /// Its process.
    pub(crate) pid: u32,
    /// Its app.
    pub(crate) app_id: String,
    /// Port of the HTTP API.
    pub(crate) http_port: u16,
    /// Port of the gRPC API.
    pub(crate) grpc_port: u16,
    /// Port of the app; 0 for none.
    pub(crate) app_port: u16,
    /// Whether it serves metrics.
    pub(crate) metrics: bool,
    /// Bytes that a request's body may have.
    pub(crate) max_body: i64,
    /// Bytes that a request's head may have.
    pub(crate) read_buffer: i64,
    /// Where its HTTP API can be reached.
    pub(crate) endpoint: Endpoint,
    /// How long it has been running, where the kernel says so.
    pub(crate) age: Option<Duration>,
}

/// The process table cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the process table {PROC}")]
pub(crate) struct TableError(#[source] io::Error);

/// Every sidecar of this machine that names its app, by process id.
pub(crate) fn sidecars() -> Result<Vec<Sidecar>, TableError> {
    let own = fs::read_link(Path::new(PROC).join("self/exe")).ok();
    let uptime = uptime();
    let mut found = Vec::new();
    for entry in fs::read_dir(PROC).map_err(TableError)?.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // A process that has ended since the folder was listed is no longer of interest.
        if let Some(pid) = pid
            && let Some(sidecar) = sidecar(pid, own.as_deref(), uptime)
        {
            found.push(sidecar);
        }
    }
    found.sort_by_key(|sidecar| sidecar.pid);
    Ok(found)
}

/// Whether a process runs, and is not one that has ended and waits to be collected.
pub(crate) fn is_running(pid: u32) -> bool {
    fs::read_to_string(folder(pid).join("stat"))
        .is_ok_and(|stat| !matches!(fields(&stat).next(), None | Some("Z" | "X")))
}

/// Whether this process may read its terminal: it is in the foreground there, or has none.
pub(crate) fn is_in_foreground() -> bool {
    let stat = fs::read_to_string(Path::new(PROC).join("self/stat")).unwrap_or_default();
    let fields: Vec<_> = fields(&stat).collect();
    match fields.get(FOREGROUND_FIELD) {
        Some(&foreground) => foreground == NO_TERMINAL || foreground == fields[GROUP_FIELD],
        None => true,
    }
}

fn folder(pid: u32) -> PathBuf {
    Path::new(PROC).join(pid.to_string())
}

fn sidecar(pid: u32, own: Option<&Path>, uptime: Option<Duration>) -> Option<Sidecar> {
    let folder = folder(pid);
    let command = fs::read(folder.join("cmdline")).ok()?;
    let args = words(&command);
    let is_own = || own.is_some() && fs::read_link(folder.join("exe")).ok().as_deref() == own;
    let flags = Flags::read(sidecar_args(&args, is_own)?);
    let age = uptime.and_then(|uptime| uptime.checked_sub(started(&folder)?));
    flags.sidecar(pid, age)
}

/// The words of a command line as the kernel shows it. Text that is not UTF-8 is shown as well as it can be.
fn words(command: &[u8]) -> Vec<String> {
    let text = command.strip_suffix(&[0]).unwrap_or(command);
    text.split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The flags of a command line, if it is that of a sidecar.
fn sidecar_args(args: &[String], is_own: impl Fn() -> bool) -> Option<&[String]> {
    let (program, rest) = args.split_first()?;
    let name = Path::new(OsStr::from_bytes(program.as_bytes()))
        .file_name()?
        .to_str()?;
    if name == DAPRD {
        return Some(rest);
    }
    let (first, rest) = rest.split_first()?;
    (first == SIDECAR && (WITH_SUBCOMMAND.contains(&name) || is_own())).then_some(rest)
}

/// Time since the machine was started.
fn uptime() -> Option<Duration> {
    let text = fs::read_to_string(Path::new(PROC).join("uptime")).ok()?;
    Duration::try_from_secs_f64(text.split_whitespace().next()?.parse().ok()?).ok()
}

/// When a process was started, since the machine was.
fn started(folder: &Path) -> Option<Duration> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let ticks: u64 = fields(&stat).nth(START_FIELD)?.parse().ok()?;
    let hertz = rustix::param::clock_ticks_per_second();
    Duration::try_from_secs_f64(ticks as f64 / hertz as f64).ok()
}

/// The fields of `/proc/<pid>/stat` behind the program's name, which may have anything in it.
fn fields(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
}

/// Flags of another process, read without judging them.
struct Flags<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Flags<'a> {
    fn read(args: &'a [String]) -> Self {
        let mut flags = BTreeMap::new();
        let mut rest = args.iter().map(String::as_str).peekable();
        while let Some(arg) = rest.next() {
            let Some(flag) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some(pair) => pair,
                None => (
                    flag,
                    rest.next_if(|next| !next.starts_with('-')).unwrap_or_default(),
                ),
            };
            flags.insert(name, value);
        }
        Self(flags)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied().filter(|text| !text.is_empty())
    }

    fn port(&self, name: &str, default: u16) -> u16 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }

    fn bytes(&self, name: &str, default: i64) -> i64 {
        self.text(name)
            .and_then(|text| quantity::parse_bytes(text).ok())
            .unwrap_or(default)
    }

    fn sidecar(&self, pid: u32, age: Option<Duration>) -> Option<Sidecar> {
        let app_id = self.text(flags::APP_ID)?;
        let http_port = self.port(flags::DAPR_HTTP_PORT, HTTP_PORT);
        Some(Sidecar {
            pid,
            http_port,
            grpc_port: self.port(flags::DAPR_GRPC_PORT, GRPC_PORT),
            app_port: self.port(flags::APP_PORT, 0),
            metrics: self
                .text(flags::ENABLE_METRICS)
                .and_then(go::parse_bool)
                .unwrap_or(true),
            max_body: self.bytes(flags::MAX_BODY_SIZE, MAX_BODY_BYTES),
            read_buffer: self.bytes(flags::READ_BUFFER_SIZE, READ_BUFFER_BYTES),
            endpoint: self.endpoint(app_id, http_port),
            age,
            app_id: app_id.to_owned(),
        })
    }

    fn endpoint(&self, app_id: &str, http_port: u16) -> Endpoint {
        match self.text(flags::UNIX_DOMAIN_SOCKET) {
            Some(folder) => Endpoint::socket(Path::new(folder), app_id),
            None => Endpoint::port(self.text(flags::DAPR_LISTEN_ADDRESSES), http_port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str, is_own: bool) -> Option<Sidecar> {
        let args: Vec<_> = line.split(' ').map(str::to_owned).collect();
        Flags::read(sidecar_args(&args, || is_own)?).sidecar(7, None)
    }

    #[test]
    fn daprs_sidecars_and_ours_are_known() {
        let daprs = parsed(
            "/opt/.dapr/bin/daprd --app-id a --dapr-http-port=3555 --enable-profiling --app-port 80",
            false,
        )
        .unwrap();
        assert_eq!(
            (&*daprs.app_id, daprs.http_port, daprs.grpc_port, daprs.app_port),
            ("a", 3555, 50001, 80)
        );
        assert_eq!(daprs.endpoint, Endpoint::Port("127.0.0.1".into(), 3555));
        let ours = parsed(
            "target/outrigger sidecar -app-id=b -enable-metrics=false -max-body-size 16Mi",
            false,
        )
        .unwrap();
        assert_eq!(
            (&*ours.app_id, ours.metrics, ours.max_body, ours.read_buffer),
            ("b", false, 16 << 20, 4096)
        );
        assert_eq!(parsed("other sidecar --app-id c", true).unwrap().app_id, "c");
    }

    #[test]
    fn other_programs_are_not() {
        for line in [
            "outrigger run --app-id a",
            "other sidecar --app-id c",
            "daprd --version",
            "vim daprd",
            "daprd --app-id=",
        ] {
            assert_eq!(parsed(line, false), None, "{line}");
        }
    }

    #[test]
    fn the_api_is_where_the_flags_say() {
        let endpoint = |flags: &str| {
            parsed(&format!("daprd --app-id a {flags}"), false)
                .unwrap()
                .endpoint
        };
        assert_eq!(
            endpoint("--dapr-listen-addresses 10.0.0.1,10.0.0.2"),
            Endpoint::Port("10.0.0.1".into(), 3500)
        );
        assert_eq!(
            endpoint("--dapr-listen-addresses=10.0.0.1,127.0.0.1"),
            Endpoint::Port("127.0.0.1".into(), 3500)
        );
        assert_eq!(
            endpoint("--unix-domain-socket /tmp"),
            Endpoint::Socket("/tmp/dapr-a-http.socket".into())
        );
    }

    #[test]
    fn a_program_name_may_have_anything_in_it() {
        let stat = "7 (a) b (c)) S 1 7 7 0";
        assert_eq!(fields(stat).collect::<Vec<_>>(), ["S", "1", "7", "7", "0"]);
        assert!(is_running(std::process::id()));
        assert!(started(&folder(std::process::id())).unwrap() <= uptime().unwrap());
    }
}
