//! What a scrape shows, to the letter.

use std::{borrow::Cow, fs, sync::Arc, thread, time::Duration};

use outrigger_base_telemetry::metrics::{ProcessCollector, RegisterError, Registry, RewriteLabels};

#[test]
fn families_are_written_as_the_go_client_writes_them() {
    let registry = Registry::new();
    let requests = registry
        .counter_family(
            "dapr_http_server_request_count",
            "Requests \\ seen\nso far.",
            ["status", "app_id"],
        )
        .unwrap();
    let latency = registry
        .histogram_family("dapr_latency", "Latency.", ["app_id"], &[0.5, 1.0, 1_048_576.0])
        .unwrap();
    registry.gauge("dapr_timers", "Timers.").unwrap().set(-3);
    registry
        .counter_family("dapr_unused_total", "No series yet.", ["app_id"])
        .unwrap();
    requests.with(["200", "b"]).add(1_500_000);
    requests.with(["404", "a\"\\\n"]).inc();
    let one = latency.with(["b"]);
    one.observe(0.5);
    one.observe_ms(Duration::from_micros(700));
    one.observe(2e6);

    assert_eq!(
        registry.render(),
        r#"# HELP dapr_http_server_request_count Requests \\ seen\nso far.
# TYPE dapr_http_server_request_count counter
dapr_http_server_request_count{app_id="a\"\\\n",status="404"} 1
dapr_http_server_request_count{app_id="b",status="200"} 1.5e+06
# HELP dapr_latency Latency.
# TYPE dapr_latency histogram
dapr_latency_bucket{app_id="b",le="0.5"} 1
dapr_latency_bucket{app_id="b",le="1"} 2
dapr_latency_bucket{app_id="b",le="1.048576e+06"} 2
dapr_latency_bucket{app_id="b",le="+Inf"} 3
dapr_latency_sum{app_id="b"} 2.0000012e+06
dapr_latency_count{app_id="b"} 3
# HELP dapr_timers Timers.
# TYPE dapr_timers gauge
dapr_timers -3
"#
    );
}

#[test]
fn additions_of_many_threads_are_all_counted() {
    const THREADS: u64 = 16;
    const EACH: u64 = 20_000;
    let registry = Registry::new();
    let counters = registry.counter_family("c_total", "", ["k"]).unwrap();
    let histogram = registry.histogram("h", "", &[1.0, 2.0]).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (counters, histogram) = (counters.clone(), histogram.clone());
            scope.spawn(move || {
                let mine = counters.with([if thread % 2 == 0 { "even" } else { "odd" }]);
                for _ in 0..EACH {
                    mine.inc();
                    histogram.observe(1.5);
                }
            });
        }
    });
    assert_eq!(counters.with(["even"]).value(), THREADS / 2 * EACH);
    assert_eq!(counters.with(["odd"]).value(), THREADS / 2 * EACH);
    assert_eq!(histogram.count(), THREADS * EACH);
    assert_eq!(histogram.sum(), (THREADS * EACH) as f64 * 1.5);
}

#[test]
fn series_beyond_the_limit_share_one() {
    let registry = Registry::new().with_series_limit(2);
    let family = registry.counter_family("c", "Help.", ["path", "verb"]).unwrap();
    for path in ["/a", "/b", "/c", "/d", "/a"] {
        family.with([path, "GET"]).inc();
    }
    assert_eq!(family.overflowed(), 2);
    assert_eq!(
        registry.render(),
        "# HELP c Help.\n# TYPE c counter\nc{path=\"/a\",verb=\"GET\"} 2\nc{path=\"/b\",verb=\"GET\"} 1\n\
         c{path=\"overflow\",verb=\"overflow\"} 2\n"
    );
}

#[test]
fn equal_labels_give_the_same_handle_and_boundaries_between_values_count() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["a", "b"]).unwrap();
    assert!(Arc::ptr_eq(&family.with(["x", "y"]), &family.with(["x", "y"])));
    assert!(!Arc::ptr_eq(&family.with(["xy", ""]), &family.with(["x", "y"])));
    assert!(!Arc::ptr_eq(&family.with(["", "xy"]), &family.with(["xy", ""])));
}

#[test]
fn two_registries_do_not_know_of_each_other() {
    let (one, other) = (Registry::new(), Registry::new());
    one.counter("c_total", "").unwrap().inc();
    other.counter("c_total", "").unwrap();
    assert!(one.render().contains("c_total 1\n"));
    assert!(other.render().contains("c_total 0\n"));
}

#[test]
fn bad_registrations_are_refused() {
    let registry = Registry::new();
    registry.counter("ok_total", "").unwrap();
    assert_eq!(
        registry.gauge("ok_total", "").unwrap_err(),
        RegisterError::Duplicate("ok_total".into())
    );
    assert_eq!(
        registry.counter("1x", "").unwrap_err(),
        RegisterError::Name("1x".into())
    );
    assert_eq!(
        registry.counter("", "").unwrap_err(),
        RegisterError::Name(String::new())
    );
    for labels in [["a", "a"], ["a", "le"], ["a", "b-c"]] {
        assert!(matches!(
            registry.counter_family("c", "", labels).unwrap_err(),
            RegisterError::Label { .. }
        ));
    }
    for bounds in [[1.0, 1.0], [2.0, 1.0], [1.0, f64::INFINITY], [f64::NAN, 1.0]] {
        assert_eq!(
            registry.histogram("h", "", &bounds).unwrap_err(),
            RegisterError::Buckets("h".into())
        );
    }
}

#[derive(Debug)]
struct NoDigits;

impl RewriteLabels for NoDigits {
    fn rewrite<'v>(&self, metric: &str, label: &str, value: &'v str) -> Cow<'v, str> {
        match (metric, label) {
            ("c", "path") => value.replace(|c: char| c.is_ascii_digit(), "N").into(),
            _ => value.into(),
        }
    }
}

#[test]
fn rewritten_labels_choose_the_series() {
    let registry = Registry::new().with_rewrite(Arc::new(NoDigits));
    let family = registry.counter_family("c", "", ["path", "status"]).unwrap();
    family.with(["/orders/1", "200"]).inc();
    family.with(["/orders/2", "200"]).inc();
    assert!(
        registry
            .render()
            .contains("c{path=\"/orders/N\",status=\"200\"} 2\n")
    );
}

#[test]
fn process_metrics_come_from_proc() {
    let proc = tempfile::tempdir().unwrap();
    let own = proc.path().join("self");
    fs::create_dir_all(own.join("fd")).unwrap();
    for fd in 0..4 {
        fs::write(own.join("fd").join(fd.to_string()), "").unwrap();
    }
    let stat =
        "7 (a) b) S 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 1200 1000 10 18446744073709551615";
    fs::write(own.join("stat"), stat).unwrap();
    fs::write(
        own.join("status"),
        "Name:\ta) b\nVmSize:\t   2048 kB\nVmRSS:\t   1024 kB\n",
    )
    .unwrap();
    fs::write(
        own.join("limits"),
        "Limit  Soft\nMax open files            1024                 524288               files\n",
    )
    .unwrap();
    fs::write(proc.path().join("stat"), "cpu  1 2 3\nbtime 1700000000\n").unwrap();

    let registry = Registry::new();
    registry.add_collector(Arc::new(ProcessCollector::at(proc.path())));
    let text = registry.render();
    let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            "process_cpu_seconds_total 3",
            "process_max_fds 1024",
            "process_open_fds 3",
            "process_resident_memory_bytes 1.048576e+06",
            "process_start_time_seconds 1.700000012e+09",
            "process_virtual_memory_bytes 2.097152e+06",
        ]
    );
    assert!(text.contains("# TYPE process_cpu_seconds_total counter\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_real_proc_is_understood() {
    let registry = Registry::new();
    registry.add_collector(Arc::new(ProcessCollector::default()));
    let text = registry.render();
    let value = |name: &str| -> f64 {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 100_000.0);
    assert!(value("process_start_time_seconds") > 1.6e9);
    assert!(value("process_open_fds") >= 3.0);
}
