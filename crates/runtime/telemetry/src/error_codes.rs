//! Errors that were answered, by their codes.

use std::sync::Arc;

use outrigger_base_telemetry::metrics::{Counter, Family, RegisterError, Registry};
use outrigger_wire_names::{errors::ErrorCode, metrics as names};

/// Counts error codes.
#[derive(Debug)]
pub struct ErrorCodes {
    app_id: Arc<str>,
    total: Family<Counter, 3>,
}

impl ErrorCodes {
    pub(crate) fn new(registry: &Registry, app_id: Arc<str>) -> Result<Self, RegisterError> {
        let help = "Total number of times an error with a specific error code was encountered.";
        let total = registry.counter_family(names::ERROR_CODE_TOTAL, help, names::ERROR_LABELS)?;
        Ok(Self { app_id, total })
    }

    /// Counts one.
    pub fn count(&self, code: ErrorCode) {
        self.total.with([&self.app_id, code.category, code.name]).inc();
    }
}
