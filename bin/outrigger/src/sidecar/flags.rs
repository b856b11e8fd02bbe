//! The command line of `daprd`, as `daprd` reads it: one dash or two, `--name=value` or `--name value`.

use std::{collections::BTreeMap, fmt::Write};

use outrigger_wire_names::flags as names;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` where no value is given; a value only after `=`.
    Switch,
    /// Texts, by commas or by repetition.
    List,
    /// A Go duration.
    Duration,
}

/// A flag: its name, what it takes, its default as `--help` shows it, and what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
    /// The building block or role that it is for, where that is not built.
    pub(crate) missing: Option<&'static str>,
}

const fn flag(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        kind,
        default,
        help,
        missing: None,
    }
}

const fn unbuilt(name: &'static str, kind: Kind, default: &'static str, block: &'static str) -> Flag {
    Flag {
        name,
        kind,
        default,
        help: "Accepted; has no effect until its room is built",
        missing: Some(block),
    }
}

use Kind::{Duration, List, Number, Switch, Text};

/// Every flag (dapr-runtime.md §5.1, dapr-1.19.md §3.11).
#[rustfmt::skip]
pub(crate) const FLAGS: &[Flag] = &[
    flag(names::MODE, Text, "standalone", "Runtime mode: standalone"),
    flag(names::APP_ID, Text, "", "Id of the app"),
    flag(names::APP_PORT, Text, "", "Port that the app listens on"),
    flag(names::APP_PROTOCOL, Text, "http", "What the app speaks: http, https, h2c, grpc, grpcs"),
    flag(names::APP_CHANNEL_ADDRESS, Text, "127.0.0.1", "Host that the app listens on"),
    flag(names::APP_SSL, Switch, "false", "Deprecated: use --app-protocol https or grpcs"),
    flag(names::APP_MAX_CONCURRENCY, Number, "-1", "Most calls of the app at a time; -1 for no limit"),
    flag(names::DAPR_HTTP_PORT, Text, "3500", "Port of the HTTP API; 0 takes a free one"),
    flag(names::DAPR_GRPC_PORT, Text, "50001", "Port of the gRPC API; 0 takes a free one"),
    flag(names::DAPR_INTERNAL_GRPC_PORT, Text, "", "Port for other sidecars; a free one by default"),
    flag(names::DAPR_INTERNAL_GRPC_LISTEN_ADDRESS, Text, "", "Address for other sidecars"),
    flag(names::DAPR_LISTEN_ADDRESSES, Text, "", "Addresses of the APIs, with commas"),
    flag(names::DAPR_PUBLIC_PORT, Text, "", "Port for health and metadata without a token"),
    flag(names::DAPR_PUBLIC_LISTEN_ADDRESS, Text, "", "Address for health and metadata without a token"),
    flag(names::UNIX_DOMAIN_SOCKET, Text, "", "Folder for Unix sockets of the APIs, instead of ports"),
    flag(names::PROFILE_PORT, Text, "7777", "Port of the profiler"),
    unbuilt(names::ENABLE_PROFILING, Switch, "false", "profiling server"),
    flag(names::ALLOWED_ORIGINS, Text, "", "Origins that may call the HTTP API, with commas; * for all"),
    flag(names::RESOURCES_PATH, List, "", "Folder of resources; may be repeated"),
    flag(names::COMPONENTS_PATH, Text, "", "Deprecated: use --resources-path"),
    flag(names::CONFIG, List, "", "Configuration file; may be repeated"),
    unbuilt(names::PLACEMENT_HOST_ADDRESS, Text, "", "actors"),
    unbuilt(names::ACTORS_SERVICE, Text, "", "actors"),
    unbuilt(names::REMINDERS_SERVICE, Text, "", "actors"),
    unbuilt(names::ACTORS_DISSEMINATE_TIMEOUT, Duration, "30s", "actors"),
    unbuilt(names::SCHEDULER_HOST_ADDRESS, List, "", "jobs"),
    unbuilt(names::SCHEDULER_JOB_STREAMS, Number, "3", "jobs"),
    unbuilt(names::CONTROL_PLANE_ADDRESS, Text, "", "operator client"),
    unbuilt(names::SENTRY_ADDRESS, Text, "", "mTLS"),
    unbuilt(names::CONTROL_PLANE_TRUST_DOMAIN, Text, "localhost", "mTLS"),
    unbuilt(names::CONTROL_PLANE_NAMESPACE, Text, "default", "mTLS"),
    unbuilt(names::SENTRY_REQUEST_JWT_AUDIENCES, List, "", "mTLS"),
    unbuilt(names::ENABLE_MTLS, Switch, "false", "mTLS"),
    flag(names::MAX_BODY_SIZE, Text, "4Mi", "Most bytes of a request's body; 0 or less for no limit"),
    flag(names::DAPR_HTTP_MAX_REQUEST_SIZE, Number, "4", "Deprecated: use --max-body-size"),
    flag(names::READ_BUFFER_SIZE, Text, "4Ki", "Most bytes of a request's head"),
    flag(names::DAPR_HTTP_READ_BUFFER_SIZE, Number, "4", "Deprecated: use --read-buffer-size"),
    flag(names::DAPR_GRACEFUL_SHUTDOWN_SECONDS, Number, "5", "Time for an orderly end"),
    flag(names::DAPR_BLOCK_SHUTDOWN_DURATION, Duration, "", "Time to go on answering before the end begins"),
    flag(names::ENABLE_API_LOGGING, Switch, "false", "Log every API call"),
    unbuilt(names::DISABLE_BUILTIN_K8S_SECRET_STORE, Switch, "false", "Kubernetes mode"),
    flag(names::ENABLE_APP_HEALTH_CHECK, Switch, "false", "Watch the app's health"),
    flag(names::APP_HEALTH_CHECK_PATH, Text, "/healthz", "Where an HTTP app tells its health"),
    flag(names::APP_HEALTH_PROBE_INTERVAL, Number, "5", "Seconds between two probes"),
    flag(names::APP_HEALTH_PROBE_TIMEOUT, Number, "500", "Milliseconds for an answer to a probe"),
    flag(names::APP_HEALTH_THRESHOLD, Number, "3", "Failures in a row that make the app unwell"),
    unbuilt(names::APP_BINDING_OPTIONS_TIMEOUT, Duration, "3s", "bindings"),
    flag(names::DISABLE_INIT_ENDPOINTS, List, "", "Initial calls to leave out: config, subscribe"),
    unbuilt(names::HOT_RELOAD_RECONCILE_INTERVAL, Duration, "0s", "hot reload"),
    flag(names::WAIT, Switch, "false", "Wait until the sidecar at the given HTTP port is ready for outbound calls, then exit"),
    flag(names::VERSION, Switch, "false", "Print the version and exit"),
    flag(names::BUILD_INFO, Switch, "false", "Print the build and exit"),
    flag(names::LOG_LEVEL, Text, "info", "debug, info, warn, error or fatal"),
    flag(names::LOG_AS_JSON, Switch, "false", "Log JSON"),
    flag(names::LOG_FILE, Text, "", "Log into this file"),
    flag(names::LOG_OUTPUTS, Text, "", "Where to log: stdout, stderr, files, with commas"),
    flag(names::LOG_FILE_MAX_SIZE, Number, "0", "Megabytes after which a log file is set aside"),
    flag(names::LOG_FILE_MAX_BACKUPS, Number, "0", "Old log files that are kept"),
    flag(names::LOG_FILE_MAX_AGE, Number, "0", "Days that old log files are kept"),
    unbuilt(names::LOG_FILE_COMPRESS, Switch, "false", "log compression"),
    flag(names::LOG_TIMESTAMP_FORMAT, Text, "", "Go layout of the time in log lines"),
    flag(names::ENABLE_METRICS, Switch, "true", "Serve metrics"),
    flag(names::METRICS_PORT, Text, "9090", "Port of the metrics; 0 takes a free one"),
    flag(names::METRICS_LISTEN_ADDRESS, Text, "0.0.0.0", "Address of the metrics"),
];

/// Why a command line cannot be understood. The texts are those of Go's flag package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    /// Help was asked for.
    #[error("help requested")]
    Help,
    /// There is no such flag.
    #[error("unknown flag: --{0}")]
    Unknown(String),
    /// A value is missing.
    #[error("flag needs an argument: --{0}")]
    NoValue(&'static str),
    /// A value is not what the flag takes.
    #[error("invalid argument {value:?} for \"--{flag}\" flag: expected {expected}")]
    Invalid {
        flag: &'static str,
        value: String,
        expected: &'static str,
    },
}

/// The flags that were given, and their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags(BTreeMap<&'static str, Vec<String>>);

impl Flags {
    /// Reads a command line. What is no flag is left alone, as `daprd` does; `--` ends the flags.
    pub(crate) fn parse(args: &[String]) -> Result<Self, FlagError> {
        let mut flags = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                break;
            }
            let Some(name) = arg
                .strip_prefix("--")
                .or_else(|| arg.strip_prefix('-'))
                .filter(|name| !name.is_empty())
            else {
                continue;
            };
            let (name, value) = name
                .split_once('=')
                .map_or((name, None), |(name, value)| (name, Some(value.to_owned())));
            if matches!(name, "help" | "h") {
                return Err(FlagError::Help);
            }
            let flag = find(name).ok_or_else(|| FlagError::Unknown(name.to_owned()))?;
            let value = match value {
                Some(value) => value,
                None if flag.kind == Switch => "true".to_owned(),
                None => rest.next().cloned().ok_or(FlagError::NoValue(flag.name))?,
            };
            flags.add(flag, value)?;
        }
        Ok(flags)
    }

    fn add(&mut self, flag: &'static Flag, value: String) -> Result<(), FlagError> {
        let valid = match flag.kind {
            Text | List => Ok(()),
            Number => value.parse::<i64>().map(drop).map_err(|_| "a whole number"),
            Switch => outrigger_base_std::go::parse_bool(&value)
                .map(drop)
                .ok_or("true or false"),
            Duration => outrigger_base_std::go::parse_duration_nanos(&value)
                .map(drop)
                .map_err(|_| "a duration such as 30s"),
        };
        valid.map_err(|expected| FlagError::Invalid {
            flag: flag.name,
            value: value.clone(),
            expected,
        })?;
        let values = self.0.entry(flag.name).or_default();
        if flag.kind == List {
            values.extend(value.split(',').map(str::to_owned));
        } else {
            *values = vec![value];
        }
        Ok(())
    }

    /// Whether a flag was given.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of a flag, given or default.
    pub(crate) fn text(&self, name: &'static str) -> &str {
        let given = self.0.get(name).and_then(|values| values.last());
        given.map_or_else(|| find(name).map_or("", |flag| flag.default), String::as_str)
    }

    /// Whether a switch is on.
    pub(crate) fn is_set(&self, name: &'static str) -> bool {
        outrigger_base_std::go::parse_bool(self.text(name)).unwrap_or(false)
    }

    /// The number of a flag.
    pub(crate) fn number(&self, name: &'static str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    /// The texts of a list.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Flags that were given and whose rooms are not built, with what they are for. A value that asks for nothing (an
    /// empty text, `false`) needs no room.
    pub(crate) fn without_room(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        FLAGS.iter().filter_map(|flag| {
            let missing = flag.missing?;
            let value = self.0.get(flag.name)?.concat();
            let asks = !value.is_empty() && value != flag.default && value != "false";
            asks.then_some((flag.name, missing))
        })
    }
}

fn find(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

/// The text of `--help`.
pub(crate) fn usage() -> String {
    let mut text = "Usage of daprd:\n".to_owned();
    for flag in FLAGS {
        let default = if flag.default.is_empty() {
            String::new()
        } else {
            format!(" (default {})", flag.default)
        };
        let missing = flag.missing.map_or(String::new(), |block| format!(": {block}"));
        // Writing to a String does not fail.
        let _ = writeln!(text, "      --{:<36} {}{missing}{default}", flag.name, flag.help);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Flags, FlagError> {
        Flags::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn both_dashes_and_both_forms_are_read() {
        let flags = parse(&[
            "--app-id",
            "a",
            "-app-port=80",
            "--enable-mtls",
            "-log-as-json=false",
            "--config",
            "x,y",
        ])
        .unwrap();
        assert_eq!((flags.text("app-id"), flags.text("app-port")), ("a", "80"));
        assert!(flags.is_set("enable-mtls") && !flags.is_set("log-as-json"));
        assert_eq!(flags.list("config"), ["x", "y"]);
        assert_eq!(flags.text("dapr-http-port"), "3500");
    }

    #[test]
    fn lists_may_be_repeated_and_others_take_the_last() {
        let flags = parse(&[
            "--resources-path=a",
            "--resources-path",
            "b",
            "--app-id=a",
            "--app-id=b",
        ])
        .unwrap();
        assert_eq!(flags.list("resources-path"), ["a", "b"]);
        assert_eq!(flags.text("app-id"), "b");
    }

    #[test]
    fn errors_say_which_flag() {
        assert_eq!(
            parse(&["--what"]).unwrap_err().to_string(),
            "unknown flag: --what"
        );
        assert_eq!(
            parse(&["--app-id"]).unwrap_err().to_string(),
            "flag needs an argument: --app-id"
        );
        assert!(
            parse(&["--app-max-concurrency=many"])
                .unwrap_err()
                .to_string()
                .contains("expected a whole number")
        );
    }

    #[test]
    fn only_flags_that_ask_for_something_miss_their_room() {
        let flags = parse(&[
            "--enable-mtls=false",
            "--placement-host-address=",
            "--sentry-address=x:1",
            "--log-file-compress",
        ])
        .unwrap();
        assert_eq!(
            flags.without_room().collect::<Vec<_>>(),
            [
                ("sentry-address", "mTLS"),
                ("log-file-compress", "log compression")
            ]
        );
    }
}
