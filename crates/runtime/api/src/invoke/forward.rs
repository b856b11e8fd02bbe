//! The headers that a sidecar sets on an invocation (dapr-runtime.md §3.8).

use http::{HeaderValue, Request, header::FORWARDED};
use outrigger_runtime_host::Identity;
use outrigger_transport::{Body, hop};
use outrigger_wire_names::headers;

/// The identity of this runtime as header values, made once.
#[derive(Debug, Clone)]
pub struct Caller {
    app_id: HeaderValue,
    namespace: Option<HeaderValue>,
    forwarded_for: HeaderValue,
    forwarded_host: HeaderValue,
    forwarded: HeaderValue,
}

impl Caller {
    /// The header values of an identity. What cannot stand in a header is left empty.
    pub fn new(identity: &Identity) -> Self {
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
        let (address, host) = (identity.host_address, &*identity.host_name);
        Self {
            app_id: value(&identity.app_id),
            namespace: identity.namespace().map(value),
            forwarded_for: value(&address.to_string()),
            forwarded_host: value(host),
            forwarded: value(&format!("for={address};by={address};host={host}")),
        }
    }

    /// Makes a request one of this runtime's: what belongs to the hop and what only sidecars may say goes, and the
    /// identity of both sides comes.
    pub(crate) fn caller(&self, request: &mut Request<Body>, callee: &str) {
        let map = request.headers_mut();
        hop::strip(map);
        map.remove(headers::APP_ID);
        map.remove(headers::API_TOKEN);
        map.insert(headers::CALLER_APP_ID, self.app_id.clone());
        match &self.namespace {
            Some(namespace) => map.insert(headers::CALLER_NAMESPACE, namespace.clone()),
            None => map.remove(headers::CALLER_NAMESPACE),
        };
        if let Ok(callee) = HeaderValue::from_str(callee) {
            map.insert(headers::CALLEE_APP_ID, callee.clone());
            map.insert(headers::DESTINATION_APP_ID, callee);
        }
        map.insert(headers::X_FORWARDED_FOR, self.forwarded_for.clone());
        map.insert(headers::X_FORWARDED_HOST, self.forwarded_host.clone());
        map.insert(FORWARDED, self.forwarded.clone());
    }

    /// The identity on a gRPC call that is passed through.
    pub(crate) fn grpc_caller(&self, request: &mut Request<Body>, callee: &str) {
        let map = request.headers_mut();
        map.remove(headers::APP_ID);
        map.remove(headers::API_TOKEN);
        map.insert(headers::CALLER_APP_ID, self.app_id.clone());
        match &self.namespace {
            Some(namespace) => map.insert(headers::CALLER_NAMESPACE, namespace.clone()),
            None => map.remove(headers::CALLER_NAMESPACE),
        };
        if let Ok(callee) = HeaderValue::from_str(callee) {
            map.insert(headers::CALLEE_APP_ID, callee);
        }
    }
}
