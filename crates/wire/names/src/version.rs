//! Whose contract we keep.

/// The Dapr version whose behaviour is matched, and which `--version` and the metadata API name.
pub const DAPR: &str = "1.19.1";

/// The version of Outrigger itself.
pub const OUTRIGGER: &str = env!("CARGO_PKG_VERSION");
