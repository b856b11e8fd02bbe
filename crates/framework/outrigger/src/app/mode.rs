//! How an app runs.

/// How an app runs; see [the crate's documentation](crate#two-ways-to-run).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The runtime is in the app's process.
    Embedded,
    /// The runtime is a sidecar.
    Sidecar,
}
