//! What travels with a request to its handler.

use std::sync::{Arc, Weak};

use http::Extensions;
use outrigger_base_clock::Entropy;
use outrigger_client::Client;
use outrigger_runtime_api::Api;
use tokio::sync::SetOnce;

use crate::{
    Handle, Provided,
    extract::Pairs,
    handle::{Backend, Local},
};

/// What all handlers of an app share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) provided: Provided,
    pub(crate) max_body: u64,
    /// Set once the app's runtime is there. It does not keep the runtime alive: the runtime holds the app.
    back: SetOnce<WeakBackend>,
}

#[derive(Debug)]
enum WeakBackend {
    Embedded(Weak<Api>),
    Sidecar(Client, Arc<dyn Entropy>),
}

impl Shared {
    pub(crate) fn new(provided: Provided, max_body: u64) -> Self {
        Self {
            provided,
            max_body,
            back: SetOnce::new(),
        }
    }

    /// Gives the handlers their handle. The first time counts.
    pub(crate) fn connect(&self, handle: &Handle) {
        let weak = match handle.backend() {
            Backend::Embedded(local) => WeakBackend::Embedded(Arc::downgrade(local.api())),
            Backend::Sidecar(client, entropy) => WeakBackend::Sidecar(client.clone(), entropy.clone()),
        };
        // A second handle of one app would be the same one.
        let _ = self.back.set(weak);
    }

    /// Waits until the handlers have their handle.
    pub(crate) async fn connected(&self) {
        self.back.wait().await;
    }

    fn handle(&self) -> Option<Handle> {
        Some(Handle::new(match self.back.get()? {
            WeakBackend::Embedded(api) => Backend::Embedded(Local::new(api.upgrade()?)),
            WeakBackend::Sidecar(client, entropy) => Backend::Sidecar(client.clone(), entropy.clone()),
        }))
    }
}

/// The extension of a request that extractors look into.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    shared: Arc<Shared>,
    captures: Arc<Pairs>,
}

impl Context {
    pub(crate) fn new(shared: Arc<Shared>, captures: Vec<(String, String)>) -> Self {
        Self {
            shared,
            captures: captures.into(),
        }
    }

    pub(crate) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    pub(crate) fn provided(&self) -> &Provided {
        &self.shared.provided
    }

    pub(crate) fn captures(&self) -> &Pairs {
        &self.captures
    }

    pub(crate) fn max_body(&self) -> u64 {
        self.shared.max_body
    }

    /// The handle, unless the runtime has gone.
    pub(crate) fn handle(&self) -> Option<Handle> {
        self.shared.handle()
    }
}
