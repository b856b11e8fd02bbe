//! What stands in for apps, their sidecars, and what finds them.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use outrigger_base_std::BoxError;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_discovery::{BoxFuture, Endpoint, Endpoints, Error, Name, NameRef, Resolve};
use outrigger_runtime_peer::{AppTarget, Callee, InternalService, Peers};
use outrigger_transport::{
    Body,
    server::{self, Listener, Options},
};
use tower_service::Service;

/// The app that is called.
pub(crate) const APP: AppTarget<'static> = AppTarget {
    id: "app",
    namespace: None,
};

/// Finds the same addresses for every name, without those that were evicted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory(Arc<Mutex<Vec<SocketAddr>>>);

impl Directory {
    pub(crate) fn set(&self, addresses: impl IntoIterator<Item = SocketAddr>) {
        *self.0.lock().unwrap() = addresses.into_iter().collect();
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn peers(&self, tasks: &TaskSet) -> Peers {
        Peers::new(Arc::new(self.clone()), tasks.child("peers"), 64 * 1024)
    }
}

impl Resolve for Directory {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        let endpoints: Endpoints = self.addresses().into_iter().map(Endpoint::new).collect();
        let found = (!endpoints.is_empty()).then_some(endpoints);
        let found = found.ok_or_else(|| Error::NotFound {
            name: name.clone(),
            resolver: "test",
        });
        Box::pin(std::future::ready(found))
    }

    fn evict(&self, _: NameRef<'_>, address: SocketAddr) {
        self.0.lock().unwrap().retain(|known| *known != address);
    }
}

/// An app that gives bodies back.
#[derive(Debug, Default)]
pub(crate) struct Echo(AtomicUsize);

impl Echo {
    /// Calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Callee for Echo {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let body = request.into_body().collect(1024).await;
        Response::new(body.unwrap_or_default().into())
    }

    /// Answers with long details, with the identities it was told, and with what only a sidecar may say.
    async fn proxy(&self, request: Request<Body>) -> Response<Body> {
        let told = request.headers().clone();
        let mut response = self.call(request).await;
        let map = response.headers_mut();
        map.insert("x-details", "x".repeat(100 * 1024).parse().unwrap());
        map.insert("outrigger-peer-error", "misdirected".parse().unwrap());
        for name in [
            "dapr-caller-app-id",
            "dapr-caller-namespace",
            "dapr-callee-app-id",
        ] {
            for value in told.get_all(name) {
                map.append(name, value.clone());
            }
        }
        response
    }
}

/// A sidecar of ours.
pub(crate) fn ours(app_id: &str, tasks: &TaskSet) -> (SocketAddr, Arc<Echo>) {
    let echo = Arc::new(Echo::default());
    let service = InternalService::new(echo.clone(), app_id.into(), 64 * 1024);
    (serve(service, Options::default(), tasks), echo)
}

/// Serves on a free port.
pub(crate) fn serve<S>(service: S, options: Options, tasks: &TaskSet) -> SocketAddr
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let listener = Listener::tcp(server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let (of_server, intake) = (tasks.child("server"), StopSignal::default());
    let make = move |_| service.clone();
    let serving = server::serve(listener, make, options, Vec::new(), of_server, intake);
    tasks.spawn("server", serving);
    address
}

/// A request as the runtime hands it over.
pub(crate) fn request(body: Body) -> Request<Body> {
    let request = Request::builder().method("POST").uri("/method");
    request.header("dapr-callee-app-id", "app").body(body).unwrap()
}

/// A body that is `first`, and is cut once `cut` is done.
pub(crate) fn cut_after(first: &'static str, cut: impl Future<Output = ()> + Send + 'static) -> Body {
    let end = stream::once(async move {
        cut.await;
        Err("the client went away".into())
    });
    frames(stream::iter([Ok(first)]).chain(end))
}

/// A body of these pieces.
pub(crate) fn frames(pieces: impl Stream<Item = Result<&'static str, BoxError>> + Send + 'static) -> Body {
    let frames = pieces.map(|piece| piece.map(|text| Frame::data(Bytes::from_static(text.as_bytes()))));
    Body::boxed(StreamBody::new(frames))
}
