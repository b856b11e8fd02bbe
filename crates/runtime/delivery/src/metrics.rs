//! What is counted of deliveries. Names and labels are Dapr's (dapr-runtime.md §6.3).

use std::{fmt, sync::Arc, time::Duration};

use outrigger_base_telemetry::metrics::{Counter, Family, Histogram, RegisterError, Registry};
use outrigger_runtime_host::Identity;
use outrigger_wire_names::{metrics as names, pubsub as words};
use tokio::sync::OnceCell;

/// The metrics of all deliveries of one runtime.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    app_id: Arc<str>,
    namespace: Arc<str>,
    count: Family<Counter, 6>,
    latency: Family<Histogram, 6>,
    bulk_count: Family<Counter, 5>,
    bulk_events: Family<Counter, 5>,
    bulk_latency: Family<Histogram, 5>,
}

impl Metrics {
    /// Registers everything in `registry`.
    pub(crate) fn new(registry: &Registry, identity: &Identity) -> Result<Self, RegisterError> {
        let bulk = names::INGRESS_BULK_LABELS;
        Ok(Self {
            app_id: identity.app_id.clone(),
            namespace: identity.namespace.clone(),
            count: registry.counter_family(
                names::INGRESS_COUNT,
                "The number of incoming messages arriving from the pub/sub component.",
                names::INGRESS_LABELS,
            )?,
            latency: registry.latency_family(
                names::INGRESS_LATENCIES,
                "The consuming app event processing latency in ms.",
                names::INGRESS_LABELS,
            )?,
            bulk_count: registry.counter_family(
                names::INGRESS_BULK_COUNT,
                "The number of bulk deliveries to the app.",
                bulk,
            )?,
            bulk_events: registry.counter_family(
                names::INGRESS_BULK_EVENT_COUNT,
                "The number of messages delivered in bulk, by what became of them.",
                bulk,
            )?,
            bulk_latency: registry.latency_family(
                names::INGRESS_BULK_LATENCIES,
                "The consuming app bulk processing latency in ms.",
                bulk,
            )?,
        })
    }
}

/// What became of a single delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The app took it.
    Success,
    /// It failed.
    Retry,
    /// The app, or the lack of a route, dropped it.
    Drop,
    /// The runtime gave it up: expired, or moved to the dead-letter topic.
    GivenUp,
}

impl Outcome {
    /// The labels `process_status` and `status`.
    fn labels(self) -> [&'static str; 2] {
        match self {
            Self::Success => [words::PROCESSED; 2],
            Self::Retry => [words::RETRIED; 2],
            Self::Drop => [words::DROPPED, words::PROCESSED],
            Self::GivenUp => [words::DROPPED; 2],
        }
    }
}

/// The metrics of one subscription. Handles of its own topic are resolved once, when they are first needed.
pub(crate) struct TopicMetrics {
    all: Metrics,
    component: Arc<str>,
    topic: Arc<str>,
    handles: [OnceCell<Handles>; 4],
}

#[derive(Debug, Clone)]
struct Handles {
    count: Arc<Counter>,
    latency: Arc<Histogram>,
}

impl Handles {
    fn record(&self, elapsed: Option<Duration>) {
        self.count.inc();
        if let Some(elapsed) = elapsed {
            self.latency.observe_ms(elapsed);
        }
    }
}

impl TopicMetrics {
    pub(crate) fn new(all: Metrics, component: Arc<str>, topic: Arc<str>) -> Self {
        Self {
            all,
            component,
            topic,
            handles: Default::default(),
        }
    }

    /// Counts a delivery that came on `topic`; `elapsed` is the time that the app had it, if it had.
    pub(crate) fn record(&self, topic: &str, outcome: Outcome, elapsed: Option<Duration>) {
        let handles = &self.handles[outcome as usize];
        if topic != &*self.topic {
            // A subscription with a pattern sees topics that nobody knows beforehand.
            self.resolve(topic, outcome).record(elapsed);
        } else if let Some(handles) = handles.get() {
            handles.record(elapsed);
        } else {
            let resolved = self.resolve(topic, outcome);
            resolved.record(elapsed);
            // Another delivery may have been faster; both resolved the same series.
            let _ = handles.set(resolved);
        }
    }

    fn resolve(&self, topic: &str, outcome: Outcome) -> Handles {
        let [process_status, status] = outcome.labels();
        let all = &self.all;
        let labels = [
            &*all.app_id,
            &*self.component,
            &*all.namespace,
            process_status,
            status,
            topic,
        ];
        Handles {
            count: all.count.with(labels),
            latency: all.latency.with(labels),
        }
    }

    /// Counts a bulk delivery.
    pub(crate) fn record_bulk(&self, elapsed: Duration) {
        self.all.bulk_count.with(self.bulk_labels("")).inc();
        self.all
            .bulk_latency
            .with(self.bulk_labels(""))
            .observe_ms(elapsed);
    }

    /// Counts what became of entries of bulk deliveries.
    pub(crate) fn record_entries(&self, process_status: &'static str, entries: usize) {
        if entries > 0 {
            let events = self.all.bulk_events.with(self.bulk_labels(process_status));
            events.add(entries as u64);
        }
    }

    fn bulk_labels<'a>(&'a self, process_status: &'a str) -> [&'a str; 5] {
        [
            &self.all.app_id,
            &self.component,
            &self.all.namespace,
            process_status,
            &self.topic,
        ]
    }
}

impl fmt::Debug for TopicMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicMetrics")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_carry_the_labels_that_dashboards_know() {
        let registry = Registry::new();
        let identity = Identity {
            app_id: "me".into(),
            namespace: "ns".into(),
            host_name: "host".into(),
            host_address: std::net::Ipv4Addr::LOCALHOST.into(),
        };
        let metrics = Metrics::new(&registry, &identity).unwrap();
        let topic = TopicMetrics::new(metrics, "bus".into(), "a*".into());
        topic.record("a*", Outcome::Success, Some(Duration::from_millis(3)));
        topic.record("a*", Outcome::Success, Some(Duration::from_millis(3)));
        topic.record("abc", Outcome::Drop, None);
        topic.record_bulk(Duration::from_millis(1));
        topic.record_entries("RETRY", 3);
        topic.record_entries("DROP", 0);
        let text = registry.render();
        for line in [
            r#"dapr_component_pubsub_ingress_count{app_id="me",component="bus",namespace="ns",process_status="success",status="success",topic="a*"} 2"#,
            r#"dapr_component_pubsub_ingress_count{app_id="me",component="bus",namespace="ns",process_status="drop",status="success",topic="abc"} 1"#,
            r#"dapr_component_pubsub_ingress_latencies_count{app_id="me",component="bus",namespace="ns",process_status="success",status="success",topic="a*"} 2"#,
            r#"dapr_component_pubsub_ingress_bulk_count{app_id="me",component="bus",namespace="ns",process_status="",topic="a*"} 1"#,
            r#"dapr_component_pubsub_ingress_bulk_event_count{app_id="me",component="bus",namespace="ns",process_status="RETRY",topic="a*"} 3"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("DROP"));
    }
}
