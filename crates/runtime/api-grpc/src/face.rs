//! The service behind the gRPC port.

use std::{collections::HashMap, convert::Infallible, fmt, pin::Pin, sync::Arc, task::Poll};

use http::{HeaderMap, Request, Response};
use outrigger_base_std::Secret;
use outrigger_runtime_api::{Api, Error};
use outrigger_transport::Body;
use outrigger_wire_names::{grpc, headers, routes};
use outrigger_wire_proto::runtime::dapr_server::DaprServer;
use tonic_health::pb::health_server::HealthServer;
use tower_service::Service;

use crate::{
    health::Health,
    reflection::{self, Reflection},
    service::Calls,
    size, status,
    subscribe::StreamSubscriber,
    telemetry::Call,
};

/// What only the gRPC face knows.
#[derive(Debug, Clone)]
pub struct Options {
    /// Token that callers must show; of health and reflection too.
    pub token: Option<Secret>,
    /// Bytes that a message may have, in and out; `None` for no limit.
    pub max_body: Option<u64>,
    /// Whether the health service is served.
    pub health: bool,
    /// Whether the reflection service is served, in both versions.
    pub reflection: bool,
    /// Whether every call is logged.
    pub log_calls: bool,
    /// Who opens streaming subscriptions; without one they are not built in.
    pub streams: Option<Arc<dyn StreamSubscriber>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: None,
            max_body: None,
            health: true,
            reflection: true,
            log_calls: false,
            streams: None,
        }
    }
}

/// The gRPC face. Cheap to clone.
#[derive(Clone)]
pub struct GrpcFace(Arc<Inner>);

struct Inner {
    api: Arc<Api>,
    token: Option<Secret>,
    log_calls: bool,
    dapr: DaprServer<Calls>,
    health: Option<HealthServer<Health>>,
    reflection: Option<Reflection>,
    /// Methods that are not built, and their blocks.
    unbuilt: HashMap<&'static str, &'static str>,
}

/// Who answers a call.
enum Route {
    Dapr,
    Health(HealthServer<Health>),
    Reflection(reflection::Server),
    Unbuilt(&'static str),
    Proxy,
}

impl GrpcFace {
    /// A face of `api`.
    pub fn new(api: Arc<Api>, options: Options) -> Self {
        let max_body = options.max_body.unwrap_or(u64::MAX);
        let max = usize::try_from(max_body).unwrap_or(usize::MAX);
        let calls = Calls::new(api.clone(), max_body, options.streams);
        let unbuilt = grpc::UNBUILT.iter();
        let unbuilt =
            unbuilt.flat_map(|(block, methods)| methods.iter().map(move |method| (*method, *block)));
        Self(Arc::new(Inner {
            dapr: DaprServer::new(calls)
                .max_decoding_message_size(max)
                .max_encoding_message_size(max),
            health: options
                .health
                .then(|| HealthServer::new(Health::new(api.readiness().clone()))),
            reflection: options.reflection.then(Reflection::default),
            unbuilt: unbuilt.collect(),
            token: options.token,
            log_calls: options.log_calls,
            api,
        }))
    }

    async fn serve(self, request: Request<Body>) -> Response<Body> {
        let (call, mut request) = match Call::begin(&self.0.api, request, self.0.log_calls) {
            Ok(begun) => begun,
            Err(refused) => return status::answer(&refused),
        };
        let response = if self.is_authorized(request.headers_mut()) {
            self.dispatch(request).await
        } else {
            status::answer(&status::unauthenticated())
        };
        call.end(response)
    }

    /// The token is checked before anything else is looked at, and goes no further.
    fn is_authorized(&self, map: &mut HeaderMap) -> bool {
        let Some(token) = &self.0.token else { return true };
        let shown = map.remove(headers::API_TOKEN);
        shown.is_some_and(|shown| token.matches(shown.as_bytes()))
    }

    async fn dispatch(&self, request: Request<Body>) -> Response<Body> {
        match self.route(&request) {
            Route::Dapr => self.dapr(request).await,
            Route::Health(mut service) => boxed(service.call(request).await),
            Route::Reflection(service) => service.call(request).await,
            Route::Unbuilt(block) => {
                let error = Error::unbuilt(block);
                self.0.api.telemetry().error(error.code);
                status::answer(&status::of(&error))
            }
            Route::Proxy => self.0.api.proxy_grpc(request).await,
        }
    }

    fn route(&self, request: &Request<Body>) -> Route {
        let path = request.uri().path();
        if let Some(method) = path.strip_prefix(routes::GRPC_DAPR) {
            return match self.0.unbuilt.get(method) {
                Some(block) => Route::Unbuilt(block),
                None => Route::Dapr,
            };
        }
        if path.starts_with(grpc::TASK_HUB) {
            return Route::Unbuilt(grpc::WORKFLOW);
        }
        if let Some(server) = self.0.reflection.as_ref().and_then(|known| known.find(path)) {
            return Route::Reflection(server);
        }
        match &self.0.health {
            // A call that names an app asks for the health of that app.
            Some(health) if path.starts_with(grpc::HEALTH) && !names_app(request.headers()) => {
                Route::Health(health.clone())
            }
            _ => Route::Proxy,
        }
    }

    async fn dapr(&self, request: Request<Body>) -> Response<Body> {
        let response = size::as_peers_tell(boxed(self.0.dapr.clone().call(request).await));
        status::behind_answer(response)
    }
}

/// Whether a call is for an app, and not for this runtime.
pub(crate) fn names_app(map: &HeaderMap) -> bool {
    map.contains_key(headers::APP_ID) || map.contains_key(headers::CALLEE_APP_ID)
}

fn boxed(answer: Result<Response<tonic::body::Body>, Infallible>) -> Response<Body> {
    match answer {
        Ok(response) => response.map(Body::boxed),
        Err(never) => match never {},
    }
}

impl Service<Request<Body>> for GrpcFace {
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

impl fmt::Debug for GrpcFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcFace")
            .field("api", &self.0.api)
            .finish_non_exhaustive()
    }
}
