//! Logs, metrics and traces of one runtime instance.
//!
//! Three rooms that share nothing but this roof:
//!
//! - [`metrics`]: a [`Registry`](metrics::Registry) of pre-registered counters, gauges and histograms, written as
//!   Prometheus text. A request resolves its labels to a handle and then costs one atomic addition.
//! - [`trace`]: the W3C [`TraceContext`](trace::TraceContext) that travels with every request, and a
//!   [`Tracer`](trace::Tracer) whose spans cost nothing unless they are sampled.
//! - [`log`]: a `tracing` layer that writes lines as Go's logrus does, because people and test suites grep them.
//!
//! **Who owns what.** The registry and the tracer belong to a runtime instance: two instances live in one process,
//! each with its own, and there is no global of either. The subscriber belongs to the *program* (there can be only one
//! per process), so it is built here and installed there.
//!
//! This crate knows no word of the domain: metric names, header names, scopes and label values are arguments. The few
//! names that standards outside the domain fix stand in [`names`].

pub mod log;
pub mod metrics;
pub mod names;
pub mod trace;

mod go;
