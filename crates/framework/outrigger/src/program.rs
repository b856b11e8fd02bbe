//! What an app does, ready to be called: the same in both modes.

use std::{collections::HashMap, fmt, sync::Arc};

use outrigger_runtime_channel::AppSubscription;
use outrigger_wire_names::headers;

use crate::{
    Request, Response, Topic, Verdict,
    context::{Context, Shared},
    handler::EventFn,
    routes::{Found, Routes},
};

/// The methods and subscriptions of an app.
pub(crate) struct Program {
    routes: Routes,
    subscriptions: Vec<AppSubscription>,
    /// By their paths, without slashes around them.
    events: HashMap<String, EventFn>,
    shared: Arc<Shared>,
}

impl Program {
    /// `declared` are handlers of events by the paths that subscriptions in resources route to.
    pub(crate) fn new(
        routes: Routes,
        topics: Vec<Topic>,
        declared: Vec<(String, EventFn)>,
        shared: Arc<Shared>,
    ) -> Self {
        let mut events = declared;
        let mut subscriptions = Vec::new();
        for (index, topic) in topics.into_iter().enumerate() {
            let (subscription, handlers) = topic.split(index);
            subscriptions.push(subscription);
            events.extend(handlers);
        }
        let bare = |(path, handler): (String, EventFn)| (path.trim_matches('/').to_owned(), handler);
        Self {
            routes,
            subscriptions,
            events: events.into_iter().map(bare).collect(),
            shared,
        }
    }

    /// Whether a runtime has any reason to call this app.
    pub(crate) fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.events.is_empty()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn subscriptions(&self) -> &[AppSubscription] {
        &self.subscriptions
    }

    /// Answers a call.
    pub(crate) async fn call(&self, request: Request) -> Response {
        self.try_call(request).await.unwrap_or_else(|nothing| *nothing)
    }

    /// Answers a call; `Err` is what is answered where there is no such method.
    pub(crate) async fn try_call(&self, mut request: Request) -> Result<Response, Box<Response>> {
        match self.routes.find(request.method(), request.uri().path()) {
            Found::Nothing(response) => Err(response),
            Found::Handler(handler, captures) => {
                let context = Context::new(self.shared.clone(), captures);
                request.extensions_mut().insert(context);
                Ok(handler(request).await)
            }
        }
    }

    /// The handler of events that come by a path.
    pub(crate) fn event_handler(&self, path: &str) -> Option<&EventFn> {
        self.events.get(path.trim_matches('/'))
    }

    /// Hands an event to a handler; the body of the request is the envelope.
    pub(crate) async fn event(&self, handler: &EventFn, mut request: Request) -> Verdict {
        // Whoever publishes can send such metadata, which came as headers: of an event nobody knows who called.
        for name in [headers::CALLER_APP_ID, headers::CALLER_NAMESPACE] {
            request.headers_mut().remove(name);
        }
        let context = Context::new(self.shared.clone(), Vec::new());
        request.extensions_mut().insert(context);
        handler(request).await
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("subscriptions", &self.subscriptions.len())
            .finish_non_exhaustive()
    }
}
