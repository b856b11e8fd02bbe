//! The building blocks, in the app's hands.

mod convert;
mod invoke;
mod local;
mod name;
mod publish;
mod secrets;
mod state;
mod transaction;

use std::sync::Arc;

use http::HeaderMap;
use outrigger_base_clock::Entropy;
use outrigger_client::Client;
use outrigger_wire_names::headers;

use crate::Mode;

pub use publish::PublishOptions;
pub use secrets::SecretStore;
pub use state::{StateStore, Versioned};
pub use transaction::Transaction;

pub(crate) use local::Local;

/// The building blocks, whichever way the app runs. Cheap to clone.
///
/// A handler takes one as an argument; outside of handlers it comes from [`Running::handle`](crate::Running::handle).
/// That of a handler goes on with the trace of its request. Every operation may be dropped at any time; what it does
/// then is unknown.
#[derive(Debug, Clone)]
pub struct Handle {
    backend: Backend,
}

/// Where operations go.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// Into the runtime in this process.
    Embedded(Local),
    /// To the sidecar beside it, with what is drawn at random on this side.
    Sidecar(Client, Arc<dyn Entropy>),
}

impl Backend {
    /// Random bytes.
    fn entropy(&self) -> &dyn Entropy {
        match self {
            Self::Embedded(local) => &*local.api.host().entropy,
            Self::Sidecar(_, entropy) => &**entropy,
        }
    }
}

impl Handle {
    pub(crate) fn new(backend: Backend) -> Self {
        Self { backend }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The same handle, whose operations belong to the trace of a request.
    pub(crate) fn in_trace_of(self, map: &HeaderMap) -> Self {
        Self::new(match self.backend {
            Backend::Embedded(local) => Backend::Embedded(local.in_trace_of(map)),
            Backend::Sidecar(client, entropy) => {
                let trace = [headers::TRACEPARENT, headers::TRACESTATE].into_iter();
                let trace = trace.filter_map(|name| Some((name.clone(), map.get(&name)?.clone())));
                Backend::Sidecar(client.with_headers(trace.collect()), entropy)
            }
        })
    }

    /// How the app runs.
    pub fn mode(&self) -> Mode {
        match self.backend {
            Backend::Embedded(_) => Mode::Embedded,
            Backend::Sidecar(..) => Mode::Sidecar,
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
