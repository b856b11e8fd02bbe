//! Service invocation: the caller's side, the callee's side, and what is outside the mesh.

mod app_status;
mod callee;
mod forward;
mod method;
mod outside;
mod proxy;

use std::time::Duration;

use http::{Request, Response, StatusCode, Uri};
use outrigger_base_std::chain;
use outrigger_resilience::{Backoff, Policy, Verdict};
use outrigger_runtime_peer::{AppTarget, Error as PeerError, status};
use outrigger_transport::Body;
use outrigger_wire_names::{errors, messages};
use tonic::Code;

use crate::{Api, Error};

pub use forward::Caller;
pub use method::uri as method_uri;
pub use outside::Outside;

/// Dapr's built-in policy for service invocation: three repeats, a second apart. Only calls of which nothing was sent
/// are repeated, so none is carried out twice. The first repeat comes at once: it goes to another replica, or to the
/// address that the resolver has by now.
const BUILT_IN: Policy = Policy::retry(Backoff::at_once_then(Duration::from_secs(1)), 3);

/// Where an invocation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// An app of the mesh.
    App(AppTarget<'a>),
    /// A service outside the mesh: a resource's name, or an absolute URL.
    Outside(&'a str),
}

impl Api {
    /// Calls a method of an app or of a service outside. `id` is an app id, `app-id.namespace`, the name of an HTTP
    /// endpoint or an absolute URL; the path of the request is the method as it came in, still encoded.
    ///
    /// Whatever the callee answers is `Ok`. The bodies stream.
    pub async fn invoke(&self, id: &str, mut request: Request<Body>) -> Result<Response<Body>, Error> {
        let path = method::normalize(request.uri()).map_err(|reason| invoke_error(id, &reason))?;
        *request.uri_mut() = path;
        match self.target(id) {
            Target::Outside(name) => self.invoke_outside(name, request).await,
            Target::App(app) => {
                self.parts().outside.headers().caller(&mut request, app.id);
                if self.is_self(app) {
                    self.invoke_self(id, request).await
                } else {
                    self.invoke_peer(id, app, request).await
                }
            }
        }
    }

    /// What an id stands for.
    pub fn target<'a>(&self, id: &'a str) -> Target<'a> {
        let is_url = id.starts_with("http://") || id.starts_with("https://");
        if is_url || self.host().snapshot().http_endpoint(id).is_some() {
            return Target::Outside(id);
        }
        Target::App(AppTarget::parse(id))
    }

    fn is_self(&self, app: AppTarget<'_>) -> bool {
        let identity = &self.host().identity;
        *app.id == *identity.app_id
            && app
                .namespace
                .is_none_or(|namespace| Some(namespace) == identity.namespace())
    }

    async fn invoke_self(&self, id: &str, request: Request<Body>) -> Result<Response<Body>, Error> {
        let Some(channel) = self.channel() else {
            return Err(invoke_error(id, callee::NO_CHANNEL));
        };
        if !self.parts().app_health.is_well() {
            return Err(invoke_error(id, messages::APP_UNHEALTHY));
        }
        channel
            .invoke(request)
            .await
            .map_err(|error| invoke_error(id, &chain(&error)))
    }

    async fn invoke_peer(
        &self,
        id: &str,
        app: AppTarget<'_>,
        request: Request<Body>,
    ) -> Result<Response<Body>, Error> {
        let app = self.in_own_namespace(app);
        let attempt =
            |request| async move { self.parts().peers.invoke(app, request).await.map_err(repeatable) };
        let answer = BUILT_IN
            .run(request, attempt)
            .await
            .map_err(|error| peer_error(id, &error))?;
        callee::own_error(id, answer).await
    }

    /// An app without a namespace is one of the caller's own.
    pub(crate) fn in_own_namespace<'a>(&'a self, app: AppTarget<'a>) -> AppTarget<'a> {
        AppTarget {
            namespace: app.namespace.or_else(|| self.host().identity.namespace()),
            ..app
        }
    }
}

/// A failure is repeated when nothing of the request was sent.
pub(crate) fn repeatable(mut error: PeerError) -> Verdict<Request<Body>, PeerError> {
    match error.take_unsent() {
        Some(input) => Verdict::Again { error, input },
        None => Verdict::Final(error),
    }
}

fn peer_error(id: &str, error: &PeerError) -> Error {
    let mut answer = invoke_error(id, &chain(error));
    if let PeerError::Peer { code, .. } = error {
        answer.grpc = *code;
        if *code == Code::PermissionDenied {
            answer.http = status::http_of_grpc(*code);
        }
    }
    answer
}

/// The error of a failed invocation.
pub(crate) fn invoke_error(id: &str, reason: &str) -> Error {
    let message = format!("{}{id}, err: {reason}", messages::INVOKE_FAILED);
    Error::new(
        errors::DIRECT_INVOKE,
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Internal,
        message,
    )
}

/// The path of a URI with its query.
fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}
