//! A line in the log for each call.

use std::time::Duration;

use http::{HeaderValue, Method, Request, StatusCode, header::USER_AGENT};
use outrigger_transport::Body;
use outrigger_wire_names::messages;

use crate::{
    invoke,
    route::{self, Route},
};

/// How calls are logged (`spec.logging.apiLogging`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallLog {
    /// Whether the operation is named in place of the path, in which a user's data may stand.
    pub obfuscate_urls: bool,
    /// Whether health checks are left out.
    pub omit_health_checks: bool,
}

/// A line that is to be written.
pub(super) struct Line {
    /// The operation, where it stands for the path.
    operation: Option<String>,
    user_agent: Option<HeaderValue>,
}

impl Line {
    /// A line for `request`, unless there is to be none.
    pub(super) fn begin(log: CallLog, request: &Request<Body>) -> Option<Self> {
        let route = route::find(request.method(), request.uri().path());
        if log.omit_health_checks && matches!(route, Route::Health | Route::OutboundHealth) {
            return None;
        }
        Some(Self {
            operation: log.obfuscate_urls.then(|| operation(route, request)),
            user_agent: request.headers().get(USER_AGENT).cloned(),
        })
    }

    pub(super) fn write(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        elapsed: Duration,
        size: u64,
    ) {
        let named = match &self.operation {
            Some(operation) => operation.clone(),
            None => format!("{method} {path}"),
        };
        let user_agent = self.user_agent.as_ref().and_then(|value| value.to_str().ok());
        tracing::info!(
            target: "dapr.runtime.http-info",
            method = named,
            code = status.as_u16(),
            duration = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            size,
            useragent = user_agent,
            "{}",
            messages::HTTP_CALLED
        );
    }
}

/// What a request does, without saying with what.
fn operation(route: Route<'_>, request: &Request<Body>) -> String {
    match route {
        Route::Invoke => match invoke::target(request.uri(), request.headers()) {
            Some((id, _)) => format!("InvokeService/{id}"),
            None => "InvokeService".to_owned(),
        },
        route => route.name().to_owned(),
    }
}
