//! The service behind the HTTP port.

use std::{convert::Infallible, pin::Pin, sync::Arc, task::Poll};

use http::{Request, Response, StatusCode};
use outrigger_base_std::Secret;
use outrigger_runtime_api::{Api, Error};
use outrigger_transport::Body;
use outrigger_wire_names::{headers, messages};
use tower_service::Service;

use crate::{
    Cors, answer, invoke, meta, publish,
    query::unescape,
    route::{self, Route},
    secrets, state,
    telemetry::{self, CallLog},
};

/// Which routes a port serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The whole API.
    #[default]
    Full,
    /// Health and metadata, without a token: the public port, for probes.
    Public,
}

/// What only the HTTP face knows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which routes are served.
    pub scope: Scope,
    /// Token that callers must show.
    pub token: Option<Secret>,
    /// Bytes that a request's body may have; `None` for no limit.
    pub max_body: Option<u64>,
    /// Which pages may call.
    pub cors: Cors,
    /// How every call is logged, where it is.
    pub log_calls: Option<CallLog>,
}

/// The HTTP face. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpFace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Arc<Api>,
    options: Options,
}

/// A request with its route's operation to call: what the handlers of a block get.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) request: Request<Body>,
    pub(crate) max_body: u64,
}

impl Call<'_> {
    /// The query string.
    pub(crate) fn query(&self) -> Option<&str> {
        self.request.uri().query()
    }
}

impl HttpFace {
    /// A face of `api`.
    pub fn new(api: Arc<Api>, options: Options) -> Self {
        Self(Arc::new(Inner { api, options }))
    }

    async fn serve(self, mut request: Request<Body>) -> Response<Body> {
        let call = match telemetry::Call::begin(&self.0.api, &mut request, self.0.options.log_calls) {
            Ok(call) => call,
            Err(error) => return telemetry::refused(&error),
        };
        let api = self.0.clone();
        let response = self.answer(request).await;
        call.end(&api.api, response)
    }

    async fn answer(self, mut request: Request<Body>) -> Response<Body> {
        let options = &self.0.options;
        if let Some(preflight) = options.cors.preflight(&request) {
            return preflight;
        }
        let stamp = options.cors.stamp(request.headers());
        let mut response = if self.is_authorized(&mut request) {
            self.dispatch(request).await
        } else {
            answer::text(StatusCode::UNAUTHORIZED, messages::INVALID_API_TOKEN)
        };
        if let Some(stamp) = stamp {
            stamp.put(response.headers_mut());
        }
        response
    }

    /// The token is checked before anything else is looked at, and goes no further.
    fn is_authorized(&self, request: &mut Request<Body>) -> bool {
        let Some(token) = &self.0.options.token else {
            return true;
        };
        if matches!(
            route::find(request.method(), request.uri().path()),
            Route::Health | Route::OutboundHealth
        ) {
            return true;
        }
        let shown = request.headers_mut().remove(headers::API_TOKEN);
        shown.is_some_and(|shown| token.matches(shown.as_bytes()))
    }

    async fn dispatch(&self, request: Request<Body>) -> Response<Body> {
        let api = &*self.0.api;
        let uri = request.uri().clone();
        let route = route::find(request.method(), uri.path());
        let is_public = matches!(
            route,
            Route::Health | Route::OutboundHealth | Route::Metadata | Route::SetMetadata { .. }
        );
        if self.0.options.scope == Scope::Public && !is_public {
            return answer::empty(StatusCode::NOT_FOUND);
        }
        let max_body = self.0.options.max_body.unwrap_or(u64::MAX);
        let call = Call {
            api,
            request,
            max_body,
        };
        let done = match route {
            Route::Invoke => invoke::invoke(call).await,
            Route::GetState { store, key } => state::get(call, &unescape(store), key).await,
            Route::SaveState { store } => state::save(call, &unescape(store)).await,
            Route::DeleteState { store, key } => state::delete(call, &unescape(store), key).await,
            Route::BulkGetState { store } => state::bulk_get(call, &unescape(store)).await,
            Route::TransactState { store } => state::transact(call, &unescape(store)).await,
            Route::QueryState { store } => Err(api.query_state(&unescape(store))),
            Route::Publish { pubsub, topic } => publish::publish(call, pubsub, topic).await,
            Route::BulkPublish { pubsub, topic } => publish::bulk(call, pubsub, topic).await,
            Route::GetSecret { store, name } => secrets::get(call, &unescape(store), name).await,
            Route::BulkSecrets { store } => secrets::bulk(call, &unescape(store)).await,
            Route::Metadata => Ok(meta::get(&call)),
            Route::SetMetadata { key } => meta::set(call, key).await,
            Route::Health => meta::health(&call),
            Route::OutboundHealth => api.check_outbound_health().map(|()| answer::no_content()),
            Route::Shutdown => Ok(meta::shut_down(&call)),
            Route::Unbuilt(block) => Err(Error::unbuilt(block)),
        };
        done.unwrap_or_else(|error| {
            api.telemetry().error(error.code);
            answer::error(&error)
        })
    }
}

impl Service<Request<Body>> for HttpFace {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let face = self.clone();
        Box::pin(async move { Ok(face.serve(request).await) })
    }
}
