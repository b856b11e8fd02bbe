//! Service invocation: the caller's side, the callee's side, and what is outside the mesh.

mod app_status;
mod callee;
mod counted;
mod forward;
mod method;
mod outside;
mod proxy;

use std::time::Duration;

use http::{Request, Response, StatusCode, Uri};
use outrigger_base_std::chain;
use outrigger_resilience::{Backoff, Policy, Verdict};
use outrigger_runtime_peer::{AppTarget, Error as PeerError, status};
use outrigger_transport::{Body, hop};
use outrigger_wire_names::{environment, errors, messages};
use tonic::Code;

use crate::{Api, Error};

pub use forward::Caller;
pub use method::uri as method_uri;
pub use outside::Outside;

/// Dapr's built-in policy for service invocation: three repeats, a second apart. Only calls of which nothing was sent
/// are repeated, and those with a safe method and no body: none that changes something is carried out twice. The first
/// repeat comes at once: it goes to another replica, or to the address that the resolver has by now. The others wait for
/// an app that is being started again.
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
                let caller = self.parts().outside.headers();
                let takes_trailers = caller.caller(&mut request, app.id);
                let mut response = if self.is_self(app) {
                    self.invoke_self(id, request).await?
                } else {
                    caller.leave(&mut request);
                    self.invoke_peer(id, app, request).await?
                };
                hop::forward_response(&mut response, takes_trailers, forward::may_trail);
                Ok(response)
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
        *app.id == *identity.app_id && self.in_own_namespace(app).namespace == identity.namespace()
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
        let attempt = |attempt: Attempt| async move {
            let answer = self.parts().peers.invoke(app, attempt.request).await;
            answer.map_err(|error| repeatable(error, attempt.is_repeat))
        };
        let answer = BUILT_IN
            .run(Attempt::first(request), attempt)
            .await
            .map_err(|error| peer_error(id, &error))?;
        callee::own_error(id, answer).await
    }

    /// An app without a namespace is one of the caller's own. Peers call the namespace of a runtime without one by a name
    /// as well.
    pub(crate) fn in_own_namespace<'a>(&'a self, app: AppTarget<'a>) -> AppTarget<'a> {
        let own = self.host().identity.namespace();
        let is_other = |named: &&str| own.is_some() || *named != environment::NAMESPACE_DEFAULT;
        AppTarget {
            namespace: app.namespace.filter(is_other).or(own),
            ..app
        }
    }
}

/// A request on its way to a peer.
pub(crate) struct Attempt {
    pub(crate) request: Request<Body>,
    /// Whether it failed before.
    pub(crate) is_repeat: bool,
}

impl Attempt {
    pub(crate) fn first(request: Request<Body>) -> Self {
        Self {
            request,
            is_repeat: false,
        }
    }
}

/// A failure is repeated when the request can go out again. An app that nobody knows is not waited for, unless it was
/// there a moment ago: its only replica may be on its way back.
pub(crate) fn repeatable(mut error: PeerError, is_repeat: bool) -> Verdict<Attempt, PeerError> {
    if matches!(error, PeerError::Resolve { .. }) && !is_repeat {
        return Verdict::Final(error);
    }
    match error.take_request() {
        Some(request) => Verdict::Again {
            error,
            input: Attempt {
                request,
                is_repeat: true,
            },
        },
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

#[cfg(test)]
mod tests {
    use outrigger_runtime_peer::Error::Resolve;

    use super::*;

    #[test]
    fn an_app_is_waited_for_where_it_was_a_moment_ago() {
        let nobody = || Resolve {
            app: "app".to_owned(),
            source: outrigger_discovery::Error::NotFound {
                name: outrigger_discovery::Name::new("app"),
                resolver: "test",
            },
            again: Some(Box::new(Request::new(Body::from("whole")))),
        };
        assert!(matches!(repeatable(nobody(), false), Verdict::Final(_)));
        let Verdict::Again { input, .. } = repeatable(nobody(), true) else {
            panic!("given up");
        };
        assert_eq!(input.request.body().as_bytes().unwrap(), "whole");
    }
}
