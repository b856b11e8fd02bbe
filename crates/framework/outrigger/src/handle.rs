//! The building blocks, in the app's hands.

mod convert;
mod invoke;
mod publish;
mod secrets;
mod state;
mod trace;
mod transaction;

use std::sync::Arc;

use http::HeaderMap;
use outrigger_client::Client;
use outrigger_runtime_api::Api;

use crate::Mode;

pub use publish::PublishOptions;
pub use secrets::SecretStore;
pub use state::{StateStore, Versioned};
pub use transaction::Transaction;

use trace::Trace;

/// The building blocks, whichever way the app runs. Cheap to clone.
///
/// A handler takes one as an argument; outside of handlers it comes from [`Running::handle`](crate::Running::handle).
/// That of a handler goes on with the trace of its request. Every operation may be dropped at any time; what it does
/// then is unknown.
#[derive(Debug, Clone)]
pub struct Handle {
    backend: Backend,
    trace: Option<Arc<Trace>>,
}

/// Where operations go.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// Into the runtime in this process.
    Embedded(Arc<Api>),
    /// To the sidecar beside it.
    Sidecar(Client),
}

impl Handle {
    pub(crate) fn new(backend: Backend) -> Self {
        Self { backend, trace: None }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    pub(crate) fn in_trace_of(self, headers: &HeaderMap) -> Self {
        Self {
            trace: Trace::of(headers).map(Arc::new),
            ..self
        }
    }

    /// How the app runs.
    pub fn mode(&self) -> Mode {
        match self.backend {
            Backend::Embedded(_) => Mode::Embedded,
            Backend::Sidecar(_) => Mode::Sidecar,
        }
    }

    /// A state store component, by its name.
    pub fn state(&self, store: impl Into<Arc<str>>) -> StateStore {
        StateStore::new(self.backend.clone(), store.into())
    }

    /// A secret store component, by its name.
    pub fn secrets(&self, store: impl Into<Arc<str>>) -> SecretStore {
        SecretStore::new(self.backend.clone(), store.into())
    }
}
