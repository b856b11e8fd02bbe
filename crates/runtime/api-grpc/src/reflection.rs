//! Which services and messages there are, for tools that ask.

use std::{convert::Infallible, fmt, pin::Pin};

use http::{Request, Response};
use outrigger_transport::Body;
use outrigger_wire_names::grpc;
use outrigger_wire_proto::FILE_DESCRIPTOR_SET;
use tonic_reflection::server::Builder;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

/// The reflection service in one version.
#[derive(Clone)]
pub(crate) struct Server(BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>);

/// The reflection service in both versions.
#[derive(Debug)]
pub(crate) struct Reflection {
    v1: Server,
    v1_alpha: Server,
}

impl Reflection {
    /// `None`, with a line in the log, when the descriptors of this build cannot be read.
    pub(crate) fn new() -> Option<Self> {
        let builder = || Builder::configure().register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET);
        match (builder().build_v1(), builder().build_v1alpha()) {
            (Ok(v1), Ok(v1_alpha)) => Some(Self {
                v1: Server::new(v1),
                v1_alpha: Server::new(v1_alpha),
            }),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(%error, "no gRPC reflection: the descriptors cannot be read");
                None
            }
        }
    }

    /// Who answers a call of that path.
    pub(crate) fn find(&self, path: &str) -> Option<Server> {
        if path.starts_with(grpc::REFLECTION) {
            return Some(self.v1.clone());
        }
        path.starts_with(grpc::REFLECTION_ALPHA)
            .then(|| self.v1_alpha.clone())
    }
}

impl Server {
    fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<tonic::body::Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self(BoxCloneSyncService::new(service.map_response(
            |response: Response<tonic::body::Body>| response.map(Body::boxed),
        )))
    }

    pub(crate) fn call(
        mut self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(async move {
            match self.0.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}
