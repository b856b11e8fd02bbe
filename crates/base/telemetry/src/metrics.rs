//! Metrics of one runtime instance.
//!
//! ```
//! use outrigger_base_telemetry::metrics::{LATENCY_BUCKETS_MS, Registry};
//!
//! # fn main() -> Result<(), outrigger_base_telemetry::metrics::RegisterError> {
//! let registry = Registry::new();
//! let requests = registry.counter_family("requests_total", "Requests seen.", ["method", "status"])?;
//! let latency = registry.histogram("latency_ms", "Time to answer.", LATENCY_BUCKETS_MS)?;
//!
//! let get_ok = requests.with(["GET", "200"]); // Resolve once, keep the handle.
//! get_ok.inc();
//! latency.observe(3.2);
//! assert!(registry.render().contains("requests_total{method=\"GET\",status=\"200\"} 1\n"));
//! # Ok(())
//! # }
//! ```
//!
//! The rules:
//!
//! - **Names are written as given.** Nothing appends `_total`: dashboards know the names of the system we replace.
//! - **Labels are fixed per family** and counted by the compiler. They are written in alphabetical order.
//! - **Series are bounded**: a family keeps at most [`MAX_SERIES_PER_FAMILY`] of them; what comes after shares one
//!   series whose every label is [`OVERFLOW`], so that a hostile path cannot eat the memory.
//! - **The hot path is one atomic addition** on a cache line that few threads share; a scrape adds the lines up.
//! - **Label rewriting** has a seam, [`RewriteLabels`]; the rules themselves belong to who reads the configuration.

mod buckets;
mod cells;
mod exposition;
mod family;
mod instrument;
mod process;
mod registry;

pub use buckets::{LATENCY_BUCKETS_MS, PAYLOAD_RATIO_BUCKETS, SIZE_BUCKETS_BYTES};
pub use exposition::{CONTENT_TYPE, Exposition, Kind};
pub use family::{Family, MAX_SERIES_PER_FAMILY, OVERFLOW, RewriteLabels};
pub use instrument::{Counter, Gauge, Histogram, Instrument};
pub use process::ProcessCollector;
pub use registry::{Collector, RegisterError, Registry};
