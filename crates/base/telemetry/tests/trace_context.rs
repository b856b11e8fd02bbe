//! The forms a trace context travels in.

use outrigger_base_clock::SeededEntropy;
use outrigger_base_telemetry::trace::{Baggage, BaggageError, SpanId, TraceContext, TraceId, TraceState};
use proptest::prelude::*;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_example_of_the_specification_is_read_and_written() {
    let context =
        TraceContext::from_headers(PARENT, Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")).unwrap();
    assert_eq!(context.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(context.span_id.to_string(), "00f067aa0ba902b7");
    assert!(context.is_sampled());
    assert_eq!(context.traceparent().as_str(), PARENT);
    assert_eq!(
        context.tracestate(),
        Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
    );
}

#[test]
fn no_context_is_written_as_zeros() {
    let zeros = "00-00000000000000000000000000000000-0000000000000000-00";
    assert_eq!(TraceContext::NONE.traceparent().to_string(), zeros);
    assert_eq!(TraceContext::parse(zeros), None);
}

#[test]
fn malformed_parents_are_no_parents() {
    for bad in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
    ] {
        assert_eq!(TraceContext::parse(bad), None, "{bad}");
    }
}

#[test]
fn later_versions_may_say_more() {
    let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be";
    assert_eq!(TraceContext::parse(later).unwrap().traceparent().as_str(), PARENT);
}

#[test]
fn states_are_kept_tidied_or_dropped() {
    let kept = |text: &str| TraceState::parse(text).map(|state| state.as_str().to_owned());
    assert_eq!(kept("a=1").as_deref(), Some("a=1"));
    assert_eq!(kept("").as_deref(), Some(""));
    assert_eq!(kept(" a=1 ,,\tb=x y").as_deref(), Some("a=1,b=x y"));
    assert_eq!(kept("0tenant@sys=1").as_deref(), Some("0tenant@sys=1"));
    for bad in [
        "a", "A=1", "0a=1", "a=", "a=1,a=2", "a=1=2", "a=\u{7f}", "@s=1", "t@0s=1",
    ] {
        assert_eq!(kept(bad), None, "{bad}");
    }
    let many = |n: usize| (0..n).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
    assert!(TraceState::parse(&many(32)).is_some());
    assert!(TraceState::parse(&many(33)).is_none());
    // A bad state does not spoil the parent.
    assert_eq!(
        TraceContext::from_headers(PARENT, Some("A=1")),
        TraceContext::parse(PARENT)
    );
}

#[test]
fn long_states_are_kept_but_not_sent() {
    let long = format!("a={},b={},c={}", "x".repeat(250), "x".repeat(250), "x".repeat(20));
    let context = TraceContext::from_headers(PARENT, Some(&long)).unwrap();
    assert_eq!(context.state.as_str(), long);
    assert_eq!(context.tracestate(), None);
}

#[test]
fn baggage_is_checked_and_left_alone() {
    for good in ["", "key1=value1,key2=value2", "a = b%20c ; p ; q=1 , d=", "a=x=y"] {
        assert_eq!(Baggage::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "invalid-baggage",
        "a=1,",
        "=1",
        "a b=1",
        "a=1 2",
        "a=%2",
        "a=%zz",
        "a=\"x\"",
        "a=1;p q",
        "a=ü",
    ] {
        assert!(
            matches!(Baggage::parse(bad), Err(BaggageError::Member { .. })),
            "{bad}"
        );
    }
    assert_eq!(
        Baggage::parse("invalid-baggage").unwrap_err().to_string(),
        "member 1: expected key=value with a token as key and a percent-encoded value: \"invalid-baggage\""
    );
    let long = format!("a={}", "x".repeat(8_191));
    assert_eq!(Baggage::parse(&long).unwrap_err(), BaggageError::TooLong(8_193));
    let many = vec!["a=1"; 181].join(",");
    assert_eq!(Baggage::parse(&many).unwrap_err(), BaggageError::TooMany(181));
}

#[test]
fn binary_form_of_a_known_context() {
    let context = TraceContext::parse(PARENT).unwrap();
    let bytes = context.to_binary().unwrap();
    assert_eq!(
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "00004bf92f3577b34da6a3ce929d0e0e47360100f067aa0ba902b70201"
    );
    assert_eq!(TraceContext::from_binary(&bytes), Some(context));
    assert_eq!(TraceContext::NONE.to_binary(), None);
    assert_eq!(TraceContext::from_binary(&[1; 29]), None);
    assert_eq!(TraceContext::from_binary(&bytes[..18]), None);
    assert_eq!(TraceContext::from_binary(&bytes[..27]).unwrap().flags, 0);
}

#[test]
fn random_ids_differ() {
    let entropy = SeededEntropy::new(7);
    assert_ne!(TraceId::random(&entropy), TraceId::random(&entropy));
    assert_ne!(SpanId::random(&entropy), SpanId::random(&entropy));
}

fn contexts() -> impl Strategy<Value = TraceContext> {
    (any::<[u8; 16]>(), any::<[u8; 8]>(), any::<u8>())
        .prop_map(|(trace_id, span_id, flags)| TraceContext {
            trace_id: TraceId(trace_id),
            span_id: SpanId(span_id),
            flags,
            state: TraceState::EMPTY,
        })
        .prop_filter("valid", TraceContext::is_valid)
}

proptest! {
    #[test]
    fn headers_read_back(context in contexts()) {
        prop_assert_eq!(TraceContext::parse(context.traceparent().as_str()), Some(context.clone()));
    }

    #[test]
    fn binaries_read_back(context in contexts()) {
        prop_assert_eq!(TraceContext::from_binary(&context.to_binary().unwrap()), Some(context.clone()));
    }

    #[test]
    fn any_text_is_survived(parent in "\\PC*", state in "\\PC*", baggage in "\\PC*") {
        if let Some(context) = TraceContext::from_headers(&parent, Some(&state)) {
            prop_assert!(context.is_valid());
        }
        if let Some(state) = TraceState::parse(&state) {
            prop_assert_eq!(TraceState::parse(state.as_str()), Some(state.clone()));
        }
        let _ = Baggage::parse(&baggage);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Some(context) = TraceContext::from_binary(&bytes) {
            prop_assert!(context.is_valid());
        }
    }

    #[test]
    fn nearly_parents_are_survived(text in "[0-9a-fA-Fé-]{50,60}") {
        if let Some(context) = TraceContext::parse(&text) {
            prop_assert!(context.is_valid());
        }
    }
}
