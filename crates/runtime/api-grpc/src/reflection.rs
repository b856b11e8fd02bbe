//! Which services and messages there are, for tools that ask.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use http::{Request, Response};
use outrigger_transport::Body;
use outrigger_wire_names::grpc;
use outrigger_wire_proto::FILE_DESCRIPTOR_SET;
use tonic_reflection::server::Builder;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

/// The reflection service in one version.
#[derive(Clone)]
pub(crate) struct Server(BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>);

/// The reflection service in both versions. The descriptors are read when somebody asks for the first time: a sidecar
/// that nobody asks does not have them in memory.
#[derive(Debug, Default)]
pub(crate) struct Reflection(Mutex<Option<Both>>);

#[derive(Clone, Default)]
struct Both {
    v1: Option<Server>,
    v1_alpha: Option<Server>,
}

impl Reflection {
    /// Who answers a call of that path. `None` for other paths, and, with a line in the log, when the descriptors of
    /// this build cannot be read.
    pub(crate) fn find(&self, path: &str) -> Option<Server> {
        if path.starts_with(grpc::REFLECTION) {
            return self.both().v1;
        }
        if path.starts_with(grpc::REFLECTION_ALPHA) {
            return self.both().v1_alpha;
        }
        None
    }

    fn both(&self) -> Both {
        let mut built = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        built.get_or_insert_with(build).clone()
    }
}

fn build() -> Both {
    let builder = || Builder::configure().register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET);
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(v1), Ok(v1_alpha)) => Both {
            v1: Some(Server::new(v1)),
            v1_alpha: Some(Server::new(v1_alpha)),
        },
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "no gRPC reflection: the descriptors cannot be read");
            Both::default()
        }
    }
}

impl fmt::Debug for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Both").finish_non_exhaustive()
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
