//! Names fixed by standards outside our domain: the OpenTelemetry environment and the `process_*` metrics.
//!
//! They stand here and not in the wire crate because this crate lies below it.

/// Where traces go, for all signals.
pub const OTEL_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Where traces go; wins over [`OTEL_ENDPOINT`].
pub const OTEL_TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// `true` switches TLS off.
pub const OTEL_INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
/// The same for traces; wins over [`OTEL_INSECURE`].
pub const OTEL_TRACES_INSECURE: &str = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
/// `grpc`, `http/protobuf` or `http/json`, for all signals.
pub const OTEL_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// The same for traces; wins over [`OTEL_PROTOCOL`].
pub const OTEL_TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
/// `name=value,name=value` with percent-encoded values, for all signals.
pub const OTEL_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// The same for traces; wins over [`OTEL_HEADERS`].
pub const OTEL_TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
/// Milliseconds, for all signals.
pub const OTEL_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
/// The same for traces; wins over [`OTEL_TIMEOUT`].
pub const OTEL_TRACES_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT";
/// The `service.name` of the resource; wins over the one in [`OTEL_RESOURCE_ATTRIBUTES`].
pub const OTEL_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
/// `key=value,key=value` with percent-encoded values.
pub const OTEL_RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
/// The resource attribute that names the service (OpenTelemetry semantic conventions).
pub const ATTRIBUTE_SERVICE_NAME: &str = "service.name";

/// Processor time spent, user and system, in seconds.
pub const PROCESS_CPU_SECONDS_TOTAL: &str = "process_cpu_seconds_total";
/// Open file descriptors.
pub const PROCESS_OPEN_FDS: &str = "process_open_fds";
/// The soft limit of open file descriptors.
pub const PROCESS_MAX_FDS: &str = "process_max_fds";
/// Resident memory, in bytes.
pub const PROCESS_RESIDENT_MEMORY_BYTES: &str = "process_resident_memory_bytes";
/// Virtual memory, in bytes.
pub const PROCESS_VIRTUAL_MEMORY_BYTES: &str = "process_virtual_memory_bytes";
/// When the process started, in seconds since the epoch.
pub const PROCESS_START_TIME_SECONDS: &str = "process_start_time_seconds";
