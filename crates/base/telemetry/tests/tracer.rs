//! Which spans are made, and what they tell.

use std::sync::Arc;

use outrigger_base_clock::{ManualClock, SeededEntropy, SignedDuration, Timestamp};
use outrigger_base_telemetry::trace::{
    Sampler, SpanData, SpanId, SpanKind, SpanSink, Status, TraceContext, Tracer, Value,
};
use tokio::sync::mpsc::Receiver;

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

struct Bench {
    clock: Arc<ManualClock>,
    tracer: Tracer,
    sink: SpanSink,
    spans: Receiver<SpanData>,
}

fn bench(rate: &str, capacity: usize) -> Bench {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let (sink, spans) = SpanSink::bounded(capacity);
    let entropy = Arc::new(SeededEntropy::new(1));
    let tracer = Tracer::new(
        clock.clone(),
        entropy,
        Sampler::parse(rate).unwrap(),
        Some(sink.clone()),
    );
    Bench {
        clock,
        tracer,
        sink,
        spans,
    }
}

fn never() -> std::borrow::Cow<'static, str> {
    panic!("an unrecorded span asked for its name")
}

#[test]
fn a_recorded_span_tells_what_it_was_told() {
    let mut bench = bench("1", 8);
    let parent = TraceContext::from_headers(SAMPLED, Some("a=1")).unwrap();
    let mut span = bench
        .tracer
        .start(|| "/v1.0/state".into(), Some(&parent), SpanKind::Client);
    assert_eq!(span.context().trace_id, parent.trace_id);
    assert_ne!(span.context().span_id, parent.span_id);
    assert_eq!(span.context().tracestate(), Some("a=1"));
    bench.clock.advance(SignedDuration::from_millis(5));
    span.rename(|| "renamed".into());
    span.attribute("code", || 200);
    span.attribute("code", || 500);
    span.attribute("dapr.api", || format!("GET {}", "/x"));
    span.event(|| "sent".into());
    span.status(|| Status::Error("boom".into()));
    bench.clock.advance(SignedDuration::from_millis(5));
    let context = span.context().clone();
    span.end();

    let data = bench.spans.try_recv().unwrap();
    assert_eq!(data.context, context);
    assert_eq!(data.parent, Some(parent.span_id));
    assert_eq!(data.name, "renamed");
    assert_eq!(data.kind, SpanKind::Client);
    assert_eq!((data.start.as_millisecond(), data.end.as_millisecond()), (0, 10));
    assert_eq!(
        data.attributes,
        [
            ("code".into(), Value::Int(500)),
            ("dapr.api".into(), Value::Text("GET /x".into()))
        ]
    );
    assert_eq!(data.events[0].time.as_millisecond(), 5);
    assert_eq!(data.status, Status::Error("boom".into()));
    assert!(bench.spans.try_recv().is_err());
}

#[test]
fn parents_decide_and_ids_go_on() {
    let mut bench = bench("1", 8);
    let parent = TraceContext::parse(UNSAMPLED).unwrap();
    let span = bench.tracer.start(never, Some(&parent), SpanKind::Server);
    assert!(!span.context().is_sampled() && span.context().is_valid());
    assert_eq!(span.context().trace_id, parent.trace_id);
    drop(span);
    assert!(bench.spans.try_recv().is_err());

    let mut bench = self::bench("0", 8);
    let parent = TraceContext::parse(SAMPLED).unwrap();
    drop(
        bench
            .tracer
            .start(|| "follows".into(), Some(&parent), SpanKind::Server),
    );
    assert_eq!(bench.spans.try_recv().unwrap().name, "follows");
    let root = bench.tracer.start(never, None, SpanKind::Server);
    assert!(root.context().is_valid() && !root.context().is_sampled());
}

#[test]
fn an_off_tracer_passes_on() {
    let parent = TraceContext::parse(SAMPLED).unwrap();
    let mut span = Tracer::off().start(never, Some(&parent), SpanKind::Server);
    span.attribute("k", || -> i64 { panic!("an unrecorded span asked for a value") });
    assert_eq!(span.context(), &parent);
    let span = Tracer::off().start(never, None, SpanKind::Server);
    assert_eq!(span.context(), &TraceContext::NONE);
}

#[test]
fn a_tracer_without_a_sink_makes_ids_only() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let sampler = Sampler::parse("1").unwrap();
    let tracer = Tracer::new(clock, Arc::new(SeededEntropy::new(1)), sampler, None);
    let span = tracer.start(never, None, SpanKind::Server);
    assert!(span.context().is_valid() && span.context().is_sampled() && !span.is_recording());
}

#[test]
fn spans_that_do_not_fit_are_counted() {
    let mut bench = bench("1", 2);
    for i in 0..5 {
        drop(
            bench
                .tracer
                .start(|| i.to_string().into(), None, SpanKind::Internal),
        );
    }
    assert_eq!(bench.sink.dropped(), 3);
    assert_eq!(bench.spans.try_recv().unwrap().name, "0");
    assert_eq!(bench.spans.try_recv().unwrap().name, "1");
    drop(bench.spans);
    drop(bench.tracer.start(|| "late".into(), None, SpanKind::Internal));
    assert_eq!(bench.sink.dropped(), 4);
}

#[test]
fn a_resumed_span_keeps_its_identity() {
    let mut bench = bench("0", 8);
    let context = TraceContext::parse(SAMPLED).unwrap();
    let start = Timestamp::from_second(-10).unwrap();
    let parent = Some(SpanId([9; 8]));
    drop(bench.tracer.resume(
        || "orchestration".into(),
        context.clone(),
        parent,
        SpanKind::Server,
        start,
    ));
    let data = bench.spans.try_recv().unwrap();
    assert_eq!((data.context, data.parent, data.start), (context, parent, start));
}

#[test]
fn rates_are_read_and_described() {
    let described = |rate: &str| Sampler::parse(rate).unwrap().to_string();
    assert!(
        described("0")
            .starts_with("ParentBased{root:TraceIDRatioBased{0},remoteParentSampled:AlwaysOnSampler,")
    );
    assert!(described("1").starts_with("ParentBased{root:AlwaysOnSampler,"));
    assert!(described("").contains("TraceIDRatioBased{0.0001}"));
    assert!(described("0.25").contains("TraceIDRatioBased{0.25}"));
    assert_eq!(described("7"), described("1.0"));
    for bad in ["x", "NaN", "1,5"] {
        assert!(Sampler::parse(bad).unwrap_err().to_string().contains(bad));
    }
}

#[test]
fn ratios_hold_roughly_and_follow_the_id() {
    let sampler = Sampler::parse("0.25").unwrap();
    let entropy = SeededEntropy::new(3);
    let ids = (0..10_000).map(|_| outrigger_base_telemetry::trace::TraceId::random(&entropy));
    let sampled = ids.filter(|id| sampler.decide(*id, None)).count();
    assert!((2_200..2_800).contains(&sampled), "{sampled}");
    let with_low = |byte: u8| {
        let mut id = [1; 16];
        id[8..].fill(byte);
        sampler.decide(outrigger_base_telemetry::trace::TraceId(id), None)
    };
    assert!(with_low(0x3f));
    assert!(!with_low(0x40));
}
