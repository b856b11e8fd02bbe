//! The programs against each other: what a load sends through hops comes back whole, and failures are counted.

use std::{net::SocketAddr, time::Duration};

use http::Method;
use outrigger_bench_limit::{
    echo::{self, Subscription},
    grpc_echo,
    hop::{self, Hop, Protocol},
    load::{self, Plan, Report, Target, TargetSpec, Template},
    serve::Server,
};

const ANY: &str = "127.0.0.1:0";
/// Connections of a closed loop.
const CONNECTIONS: usize = 8;

fn any() -> SocketAddr {
    ANY.parse().unwrap()
}

fn app() -> Server {
    echo::start(any(), 2, None).unwrap()
}

fn hop(upstream: SocketAddr, downstream: Protocol, upstream_protocol: Protocol) -> Server {
    hop::start(
        any(),
        2,
        Hop {
            downstream,
            upstream,
            upstream_protocol,
        },
    )
    .unwrap()
}

fn target(addr: SocketAddr, path: &str, protocol: load::Protocol) -> TargetSpec {
    TargetSpec {
        url: format!("http://{addr}{path}"),
        protocol,
        method: Method::POST,
        headers: Vec::new(),
        body: Template::parse("{n}-{fill:1024}"),
        check_echo: true,
    }
}

fn closed_loop(target: TargetSpec) -> Report {
    let duration = Duration::from_millis(300);
    let plan = Plan {
        connections: CONNECTIONS,
        rate: None,
        requests: None,
        threads: 2,
        warmup: Duration::from_millis(50),
        duration,
    };
    load::run(&Target::new(target).unwrap(), &plan).unwrap()
}

#[track_caller]
fn assert_all_echoed(report: &Report) {
    assert_eq!(report.outcome.errors, 0, "{:?}", report.outcome.first_error);
    // How many more there are is the machine's affair.
    let answers = report.outcome.latency.len();
    assert!(answers >= CONNECTIONS as u64, "{answers} answers");
}

#[test]
fn http_direct_and_over_one_hop() {
    let app = app();
    assert_all_echoed(&closed_loop(target(app.addr(), "/echo", load::Protocol::Http)));
    let one = hop(app.addr(), Protocol::H1, Protocol::H1);
    assert_all_echoed(&closed_loop(target(one.addr(), "/echo", load::Protocol::Http)));
}

#[test]
fn http_over_two_hops_with_either_protocol_between() {
    let app = app();
    for between in [Protocol::H1, Protocol::H2] {
        let second = hop(app.addr(), between, Protocol::H1);
        let first = hop(second.addr(), Protocol::H1, between);
        assert_all_echoed(&closed_loop(target(first.addr(), "/echo", load::Protocol::Http)));
    }
}

#[test]
fn grpc_direct_and_over_two_hops() {
    let app = grpc_echo::start(any(), 2).unwrap();
    assert_all_echoed(&closed_loop(target(
        app.addr(),
        "/bench.Echo/Unary",
        load::Protocol::Grpc,
    )));
    let second = hop(app.addr(), Protocol::H2, Protocol::H2);
    let first = hop(second.addr(), Protocol::H2, Protocol::H2);
    assert_all_echoed(&closed_loop(target(
        first.addr(),
        "/bench.Echo/Unary",
        load::Protocol::Grpc,
    )));
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let app = app();
    for protocol in [load::Protocol::Http, load::Protocol::Grpc] {
        let grpc = grpc_echo::start(any(), 1).unwrap();
        let addr = if protocol == load::Protocol::Http {
            app.addr()
        } else {
            grpc.addr()
        };
        let plan = Plan {
            connections: 4,
            rate: Some(200),
            requests: None,
            threads: 1,
            warmup: Duration::from_millis(100),
            duration: Duration::from_secs(1),
        };
        let report = load::run(&Target::new(target(addr, "/echo", protocol)).unwrap(), &plan).unwrap();
        assert_eq!(report.outcome.errors, 0, "{:?}", report.outcome.first_error);
        assert_eq!(report.outcome.latency.len(), 200);
    }
}

#[test]
fn a_closed_loop_ends_with_its_requests() {
    let app = app();
    let plan = Plan {
        connections: CONNECTIONS,
        rate: None,
        requests: Some(100),
        threads: 2,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(60),
    };
    let target = Target::new(target(app.addr(), "/echo", load::Protocol::Http)).unwrap();
    let report = load::run(&target, &plan).unwrap();
    assert_all_echoed(&report);
    assert_eq!(report.outcome.sent, 100);
    assert!(report.duration < plan.duration, "{:?}", report.duration);
}

#[test]
fn a_dead_upstream_is_502_and_counted() {
    let gone = {
        let listener = std::net::TcpListener::bind(any()).unwrap();
        listener.local_addr().unwrap()
    };
    let one = hop(gone, Protocol::H1, Protocol::H1);
    let report = closed_loop(target(one.addr(), "/echo", load::Protocol::Http));
    assert!(report.outcome.errors > 0 && report.outcome.latency.is_empty());
    assert!(report.outcome.first_error.unwrap().contains("502"));
}

#[test]
fn nobody_listening_is_counted() {
    let report = closed_loop(target("127.0.0.1:1".parse().unwrap(), "/", load::Protocol::Http));
    assert_eq!(report.outcome.errors, report.outcome.sent);
}

#[test]
fn a_subscriber_counts_deliveries() {
    let wanted = Subscription {
        pubsub: "p".to_owned(),
        topic: "t".to_owned(),
    };
    let app = echo::start(any(), 2, Some(&wanted)).unwrap();
    let event = TargetSpec {
        body: Template::parse(r#"{"data":{"sent":{now},"number":{n}}}"#),
        check_echo: false,
        ..target(app.addr(), "/deliver", load::Protocol::Http)
    };
    let sent = closed_loop(event).outcome.sent;
    let stats: serde_json::Value = serde_json::from_str(&get(app.addr(), "/stats")).unwrap();
    assert_eq!(stats["delivered"], sent);
    assert!(stats["p50"].as_f64().unwrap() > 0.0);
    assert_eq!(
        get(app.addr(), "/dapr/subscribe"),
        r#"[{"pubsubname":"p","topic":"t","route":"/deliver"}]"#
    );
}

#[test]
fn an_upload_arrives_whole_over_two_hops() {
    let app = app();
    let second = hop(app.addr(), Protocol::H2, Protocol::H1);
    let first = hop(second.addr(), Protocol::H1, Protocol::H2);
    let target = Target::new(target(first.addr(), "/sink", load::Protocol::Http)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(load::upload(&target, 5_000_001)).unwrap();
    assert_eq!(report["answer"], "5000001");
}

/// The body of a plain `GET`.
fn get(addr: SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
