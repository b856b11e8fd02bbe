//! What the internal port hands over to.

use std::fmt;

use async_trait::async_trait;
use http::{Request, Response};
use outrigger_transport::Body;

/// The callee's side of an invocation: policies, then the app. Implemented by the runtime's API core.
#[async_trait]
pub trait Callee: Send + Sync + fmt::Debug {
    /// A call for the app of this runtime, in the neutral form, with the caller's identity in its headers.
    ///
    /// The answer is the app's, or one with the header `outrigger-peer-error` where the app could not be called.
    async fn call(&self, request: Request<Body>) -> Response<Body>;

    /// A gRPC call that is passed through to the app as it is.
    async fn proxy(&self, request: Request<Body>) -> Response<Body>;
}
