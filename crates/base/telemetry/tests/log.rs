//! Log lines, to the letter.

use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::tz::TimeZone;
use outrigger_base_clock::{ManualClock, SignedDuration, Timestamp};
use outrigger_base_telemetry::log::{Config, Layout, Level, LogLayer, LogStats, Output, Rotation, Scopes};
use tracing::{debug, error, info, info_span, trace, warn};
use tracing_subscriber::layer::SubscriberExt;

/// Takes each call of `write` for itself.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Write for Calls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap()
            .push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Calls {
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn clock() -> Arc<ManualClock> {
    // 2026-02-03T04:05:06.7Z
    Arc::new(ManualClock::new(
        Timestamp::new(1_770_091_506, 700_000_000).unwrap(),
    ))
}

fn scopes() -> Scopes {
    Scopes {
        prefix: "dapr.".into(),
        modules: vec![
            ("log".into(), "dapr.runtime".into()),
            ("log::inner".into(), "dapr.runtime.inner".into()),
        ],
        foreign: None,
    }
}

fn context() -> Vec<(std::borrow::Cow<'static, str>, String)> {
    vec![
        ("instance".into(), "host".into()),
        ("ver".into(), "1.19.0".into()),
        ("app_id".into(), "web".into()),
    ]
}

/// What `work` writes under `config`, whose outputs are replaced.
fn logged(mut config: Config, work: impl FnOnce()) -> Vec<String> {
    let calls = Calls::default();
    config.outputs = vec![Output::Writer(Box::new(calls.clone()))];
    config.scopes = scopes();
    let (layer, stats) = LogLayer::open(config, clock()).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    assert_eq!(stats.lost(), 0);
    calls.lines()
}

fn debug_with_context() -> Config {
    Config {
        level: Level::Debug,
        context: context(),
        ..Config::default()
    }
}

mod inner {
    pub(super) fn say() {
        tracing::info!("from below");
    }
}

mod innermost {
    pub(super) fn say() {
        tracing::info!("a name that only begins alike");
    }
}

#[test]
fn lines_are_those_of_logrus() {
    let lines = logged(debug_with_context(), || {
        info!(target: "dapr.runtime", "application discovered on port 3000");
        info!("simple");
        warn!(
            path = "/v1.0/a b",
            zulu = 1,
            Code = -2,
            ok = true,
            ratio = 1.5e6,
            empty = "",
            "two\nlines and \"quotes\" é \u{7}"
        );
        debug!(target: "dapr.api", component = %"x=y");
        error!(fatal = true, "going down");
        error!(fatal = false, "staying up");
        trace!("never");
        inner::say();
        innermost::say();
    });
    let tail = "app_id=web instance=host scope=dapr.runtime type=log ver=1.19.0\n";
    let want = [
        r#"time="2026-02-03T04:05:06.7Z" level=info msg="application discovered on port 3000" "#.to_owned() + tail,
        r#"time="2026-02-03T04:05:06.7Z" level=info msg=simple "#.to_owned() + tail,
        r#"time="2026-02-03T04:05:06.7Z" level=warning msg="two\nlines and \"quotes\" é \a" Code=-2 app_id=web empty= instance=host ok=true path="/v1.0/a b" ratio=1.5e+06 scope=dapr.runtime type=log ver=1.19.0 zulu=1"#.to_owned() + "\n",
        r#"time="2026-02-03T04:05:06.7Z" level=debug app_id=web component="x=y" instance=host scope=dapr.api type=log ver=1.19.0"#.to_owned() + "\n",
        r#"time="2026-02-03T04:05:06.7Z" level=fatal msg="going down" "#.to_owned() + tail,
        r#"time="2026-02-03T04:05:06.7Z" level=error msg="staying up" "#.to_owned() + tail,
        r#"time="2026-02-03T04:05:06.7Z" level=info msg="from below" app_id=web instance=host scope=dapr.runtime.inner type=log ver=1.19.0"#.to_owned() + "\n",
        r#"time="2026-02-03T04:05:06.7Z" level=info msg="a name that only begins alike" "#.to_owned() + tail,
    ];
    assert_eq!(lines, want);
}

#[test]
fn json_lines_are_those_of_logrus() {
    let config = Config {
        json: true,
        ..debug_with_context()
    };
    let lines = logged(config, || {
        info!(
            zulu = 1,
            ok = true,
            ratio = 1.5,
            bad = f64::NAN,
            "a <b> & \"c\"\n"
        );
        warn!(r#type = "request", app_id = "other", "");
    });
    let want = [
        r#"{"app_id":"web","bad":"NaN","instance":"host","level":"info","msg":"a \u003cb\u003e \u0026 \"c\"\n","ok":true,"ratio":1.5,"scope":"dapr.runtime","time":"2026-02-03T04:05:06.7Z","type":"log","ver":"1.19.0","zulu":1}"#.to_owned() + "\n",
        r#"{"app_id":"other","instance":"host","level":"warning","msg":"","scope":"dapr.runtime","time":"2026-02-03T04:05:06.7Z","type":"request","ver":"1.19.0"}"#.to_owned() + "\n",
    ];
    assert_eq!(lines, want);
    for line in lines {
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
    }
}

#[test]
fn fields_may_not_take_the_place_of_the_fixed_ones() {
    let lines = logged(Config::default(), || {
        info!(time = "noon", level = 3, msg = "m", "text");
    });
    assert_eq!(
        lines,
        [
            "time=\"2026-02-03T04:05:06.7Z\" level=info msg=text fields.level=3 fields.msg=m fields.time=noon scope=dapr.runtime type=log\n"
        ]
    );
}

#[test]
fn spans_lend_their_fields_to_the_lines_within() {
    let lines = logged(Config::default(), || {
        let outer = info_span!("runtime", app_id = "one", shard = 1, late = tracing::field::Empty);
        let _in = outer.enter();
        info!("a");
        outer.record("late", "now");
        info_span!("turn", app_id = "two").in_scope(|| info!(shard = 9, "b"));
    });
    let tails: Vec<_> = lines
        .iter()
        .map(|line| line.split_once("msg=").unwrap().1)
        .collect();
    assert_eq!(
        tails,
        [
            "a app_id=one scope=dapr.runtime shard=1 type=log\n",
            "b app_id=two late=now scope=dapr.runtime shard=9 type=log\n"
        ]
    );
}

#[test]
fn levels_cut_off() {
    let all = || {
        debug!("d");
        info!("i");
        warn!("w");
        error!("e");
        error!(fatal = true, "f");
    };
    for (level, want) in [("debug", 5), ("info", 4), ("WARN", 3), ("error", 2), ("fatal", 1)] {
        let level = level.parse().unwrap();
        let lines = logged(
            Config {
                level,
                ..Config::default()
            },
            all,
        );
        assert_eq!(lines.len(), want, "{level:?}");
    }
    assert_eq!(
        "loud".parse::<Level>().unwrap_err().to_string(),
        "\"loud\" is not a log level: debug, info, warn, error or fatal"
    );
}

#[test]
fn foreign_modules_are_told_apart() {
    let calls = Calls::default();
    let config = Config {
        level: Level::Debug,
        outputs: vec![Output::Writer(Box::new(calls.clone()))],
        scopes: Scopes {
            prefix: "dapr.".into(),
            ..Scopes::default()
        },
        ..Config::default()
    };
    let (layer, _) = LogLayer::open(config, clock()).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!("quiet");
        warn!("heard");
        info!(target: "dapr.x", "ours");
    });
    let lines = calls.lines();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("level=warning msg=heard scope=log type"),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains("scope=dapr.x"));
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("open the store")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn errors_are_written_with_their_causes() {
    let error = Outer(io::Error::other("disk gone"));
    let lines = logged(Config::default(), || {
        error!(error = &error as &(dyn std::error::Error + 'static), "x");
    });
    assert!(
        lines[0].contains("msg=x error=\"open the store: disk gone\" scope"),
        "{}",
        lines[0]
    );
}

#[test]
fn times_follow_the_layout_and_the_zone() {
    let config = Config {
        timestamp: Layout::parse("2006-01-02 15:04:05.000 -0700").unwrap(),
        zone: TimeZone::fixed(jiff::tz::offset(-3)),
        ..Config::default()
    };
    let lines = logged(config, || info!("x"));
    assert!(
        lines[0].starts_with("time=\"2026-02-03 01:05:06.700 -0300\" level=info"),
        "{}",
        lines[0]
    );
}

#[test]
fn threads_do_not_mix_their_lines() {
    let calls = Calls::default();
    let config = Config {
        outputs: vec![Output::Writer(Box::new(calls.clone()))],
        scopes: scopes(),
        ..Config::default()
    };
    let (layer, _) = LogLayer::open(config, clock()).unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    (0..200).for_each(|i| info!(thread, i, "line"));
                });
            });
        }
    });
    let lines = calls.lines();
    assert_eq!(lines.len(), 1_600);
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("time=") && line.ends_with("type=log\n"))
    );
}

struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lost_lines_are_counted_and_other_outputs_still_written() {
    let calls = Calls::default();
    let outputs = vec![
        Output::Writer(Box::new(Broken)),
        Output::Writer(Box::new(calls.clone())),
    ];
    let (lost, lines) = file_log(outputs, Rotation::default(), clock(), 3);
    assert_eq!((lost.lost(), lines), (3, ()));
    assert_eq!(calls.lines().len(), 3);
}

/// Writes `count` lines of 100 bytes and moves the clock by a second after each.
fn file_log(
    outputs: Vec<Output>,
    rotation: Rotation,
    clock: Arc<ManualClock>,
    count: usize,
) -> (LogStats, ()) {
    let config = Config {
        outputs,
        rotation,
        scopes: scopes(),
        ..Config::default()
    };
    let (layer, stats) = LogLayer::open(config, clock.clone()).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for i in 0..count {
            info!("{i:023}");
            clock.advance(SignedDuration::from_secs(1));
        }
    });
    (stats, ())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn full_files_are_set_aside_and_the_oldest_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(folder.path().join("app-other.log"), "not ours to delete").unwrap();
    let rotation = Rotation {
        max_size_bytes: Some(250),
        max_backups: Some(2),
        ..Rotation::default()
    };
    file_log(vec![Output::File(path.clone())], rotation, clock(), 9);
    assert_eq!(
        names(folder.path()),
        [
            "app-2026-02-03T04-05-12.700.log",
            "app-2026-02-03T04-05-14.700.log",
            "app-other.log",
            "app.log"
        ]
    );
    let numbers = |name: &str| -> Vec<u32> {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines()
            .map(|line| line.split("msg=").nth(1).unwrap()[..23].parse().unwrap())
            .collect()
    };
    assert_eq!(numbers("app-2026-02-03T04-05-12.700.log"), [4, 5]);
    assert_eq!(numbers("app-2026-02-03T04-05-14.700.log"), [6, 7]);
    assert_eq!(numbers("app.log"), [8]);
}

#[test]
fn old_files_are_deleted_by_age_and_an_existing_file_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "x".repeat(240)).unwrap();
    fs::write(folder.path().join("app-2026-02-03T04-05-00.000.log"), "").unwrap();
    let rotation = Rotation {
        max_size_bytes: Some(250),
        max_age: Some(Duration::from_secs(5)),
        ..Rotation::default()
    };
    file_log(vec![Output::File(path)], rotation, clock(), 1);
    assert_eq!(
        names(folder.path()),
        ["app-2026-02-03T04-05-06.700.log", "app.log"]
    );
}

#[test]
fn rotations_within_one_millisecond_keep_all_lines() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        outputs: vec![Output::File(folder.path().join("app.log"))],
        rotation: Rotation {
            max_size_bytes: Some(1),
            ..Rotation::default()
        },
        scopes: scopes(),
        ..Config::default()
    };
    let (layer, _) = LogLayer::open(config, clock()).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..4).for_each(|_| info!("x"));
    });
    assert_eq!(names(folder.path()).len(), 4);
}

#[test]
fn outputs_are_listed_once() {
    let listed =
        |list: &str, file: Option<&str>| format!("{:?}", Output::parse_list(list, file.map(Path::new)));
    assert_eq!(listed("", None), "[stdout]");
    assert_eq!(listed("", Some("/a")), "[\"/a\"]");
    assert_eq!(
        listed(" stderr,stdout,/a,,stderr", Some("/a")),
        "[stderr, stdout, \"/a\"]"
    );
    assert_eq!(listed("stdout", Some("/a")), "[stdout, \"/a\"]");
}

#[test]
fn what_cannot_be_opened_says_so() {
    let config = Config {
        outputs: vec![Output::File("/nowhere/at/all.log".into())],
        ..Config::default()
    };
    let error = LogLayer::open(config, clock()).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "open the log file \"/nowhere/at/all.log\"");
}
