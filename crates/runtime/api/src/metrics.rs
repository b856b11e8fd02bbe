//! What the operations count. Names and labels are Dapr's (dapr-runtime.md §6.3).

use std::{future::Future, sync::Arc};

use outrigger_base_telemetry::metrics::{Counter, Family, Histogram, RegisterError, Registry};
use outrigger_runtime_host::Snapshot;
use outrigger_wire_names::metrics as names;
use tokio::time::Instant;

/// The metrics of the operations of one runtime.
#[derive(Debug)]
pub(crate) struct Metrics {
    app_id: Arc<str>,
    namespace: Arc<str>,
    state: Calls,
    secret: Calls,
    egress: Family<Counter, 5>,
    egress_latency: Family<Histogram, 5>,
    bulk_egress: Family<Counter, 5>,
    bulk_egress_events: Family<Counter, 5>,
    bulk_egress_latency: Family<Histogram, 5>,
}

/// Count and latency of calls of one kind of component.
#[derive(Debug)]
struct Calls {
    count: Family<Counter, 5>,
    latency: Family<Histogram, 5>,
}

impl Metrics {
    /// Registers everything in `registry`.
    pub(crate) fn new(
        registry: &Registry,
        app_id: Arc<str>,
        namespace: Arc<str>,
    ) -> Result<Self, RegisterError> {
        let counter = |name, help| registry.counter_family(name, help, names::EGRESS_LABELS);
        let histogram = |name, help| registry.latency_family(name, help, names::EGRESS_LABELS);
        Ok(Self {
            state: Calls::new(registry, names::STATE_COUNT, names::STATE_LATENCIES)?,
            secret: Calls::new(registry, names::SECRET_COUNT, names::SECRET_LATENCIES)?,
            egress: counter(
                names::EGRESS_COUNT,
                "The number of outgoing messages published to the broker.",
            )?,
            egress_latency: histogram(
                names::EGRESS_LATENCIES,
                "The latency of the response from the broker in ms.",
            )?,
            bulk_egress: counter(
                names::EGRESS_BULK_COUNT,
                "The number of bulk publish calls to the broker.",
            )?,
            bulk_egress_events: counter(
                names::EGRESS_BULK_EVENT_COUNT,
                "The number of messages published in bulk.",
            )?,
            bulk_egress_latency: histogram(
                names::EGRESS_BULK_LATENCIES,
                "The latency of a bulk publish call in ms.",
            )?,
            app_id,
            namespace,
        })
    }

    /// Runs a state operation and counts it.
    pub(crate) async fn state<T, E>(
        &self,
        store: &str,
        operation: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.count(&self.state, store, operation, call).await
    }

    /// Runs a secret operation and counts it.
    pub(crate) async fn secret<T, E>(
        &self,
        store: &str,
        operation: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.count(&self.secret, store, operation, call).await
    }

    async fn count<T, E>(
        &self,
        calls: &Calls,
        component: &str,
        operation: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let done = call.await;
        let labels = [
            &*self.app_id,
            component,
            &*self.namespace,
            operation,
            success(done.is_ok()),
        ];
        calls.count.with(labels).inc();
        calls.latency.with(labels).observe_ms(start.elapsed());
        done
    }

    /// Counts a publish.
    pub(crate) fn published(&self, pubsub: &str, topic: &str, ok: bool, start: Instant) {
        let labels = [&*self.app_id, pubsub, &*self.namespace, success(ok), topic];
        self.egress.with(labels).inc();
        self.egress_latency.with(labels).observe_ms(start.elapsed());
    }

    /// Counts a bulk publish of which `events` went out.
    pub(crate) fn published_bulk(&self, pubsub: &str, topic: &str, ok: bool, events: usize, start: Instant) {
        let labels = [&*self.app_id, pubsub, &*self.namespace, success(ok), topic];
        self.bulk_egress.with(labels).inc();
        self.bulk_egress_events.with(labels).add(events as u64);
        self.bulk_egress_latency.with(labels).observe_ms(start.elapsed());
    }
}

impl Calls {
    fn new(registry: &Registry, count: &'static str, latency: &'static str) -> Result<Self, RegisterError> {
        let labels = names::COMPONENT_LABELS;
        Ok(Self {
            count: registry.counter_family(count, "The number of calls of the component.", labels)?,
            latency: registry.latency_family(
                latency,
                "The latency of the response from the component in ms.",
                labels,
            )?,
        })
    }
}

/// Counts the components of a runtime that has just opened them.
pub(crate) fn count_components(
    registry: &Registry,
    app_id: &str,
    snapshot: &Snapshot,
) -> Result<(), RegisterError> {
    let opened = registry.counter_family(
        names::COMPONENT_INIT_TOTAL,
        "The number of initialized components.",
        names::COMPONENT_INIT_LABELS,
    )?;
    let failed = registry.counter_family(
        names::COMPONENT_INIT_FAIL_TOTAL,
        "The number of component initialization failures.",
        names::COMPONENT_INIT_FAIL_LABELS,
    )?;
    for component in &snapshot.components {
        opened.with([app_id, &component.type_]).inc();
    }
    for component in &snapshot.failed {
        let reason = if component.is_known {
            names::REASON_INIT
        } else {
            names::REASON_CREATION
        };
        failed
            .with([app_id, &component.type_, &component.name, reason])
            .inc();
    }
    Ok(())
}

fn success(ok: bool) -> &'static str {
    if ok { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use outrigger_runtime_host::{ComponentInfo, FailedComponent};

    use super::*;

    #[test]
    fn components_are_counted_by_type_and_failures_by_reason() {
        let mut snapshot = Snapshot::default();
        for name in ["one", "two"] {
            snapshot.components.push(ComponentInfo {
                name: name.to_owned(),
                type_: "state.in-memory".to_owned(),
                version: "v1".to_owned(),
                capabilities: Vec::new(),
            });
        }
        for (name, is_known) in [("broken", true), ("strange", false)] {
            snapshot.failed.push(FailedComponent {
                name: name.to_owned(),
                type_: "state.x".to_owned(),
                is_known,
            });
        }
        let registry = Registry::new();
        count_components(&registry, "me", &snapshot).unwrap();
        let text = registry.render();
        for line in [
            r#"dapr_runtime_component_init_total{app_id="me",component="state.in-memory"} 2"#,
            r#"dapr_runtime_component_init_fail_total{app_id="me",component="state.x",componentName="broken",reason="init"} 1"#,
            r#"dapr_runtime_component_init_fail_total{app_id="me",component="state.x",componentName="strange",reason="creation"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
