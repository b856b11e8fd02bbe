//! The headers that a sidecar sets on an invocation (dapr-runtime.md §3.8).

use http::{
    HeaderName, HeaderValue, Request,
    header::{FORWARDED, HOST},
};
use outrigger_runtime_host::Identity;
use outrigger_transport::{Body, hop};
use outrigger_wire_names::{environment, headers};

/// Headers that only sidecars set, beside those that [`headers::DAPR_PREFIX`] begins.
static OF_SIDECARS: [HeaderName; 7] = [
    headers::DESTINATION_APP_ID,
    headers::X_FORWARDED_FOR,
    headers::X_FORWARDED_HOST,
    headers::PEER,
    headers::PEER_ERROR,
    headers::DATA_TYPE,
    headers::APP_STATUS,
];

/// Whether a trailer goes on. What only sidecars say does not come in by this door.
pub(super) fn may_trail(name: &HeaderName) -> bool {
    hop::may_trail(name) && !name.as_str().starts_with(headers::DAPR_PREFIX) && !OF_SIDECARS.contains(name)
}

/// The identity of this runtime as header values, made once.
#[derive(Debug, Clone)]
pub struct Caller {
    app_id: HeaderValue,
    namespace: HeaderValue,
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
            namespace: value(identity.namespace().unwrap_or(environment::NAMESPACE_DEFAULT)),
            forwarded_for: value(&address.to_string()),
            forwarded_host: value(host),
            forwarded: value(&format!("for={address};by={address};host={host}")),
        }
    }

    /// Makes a request one of this runtime's: what belongs to the hop, its host included, and what only sidecars may say
    /// goes, and the identity of both sides comes. Returns whether the caller takes trailers of the answer.
    pub(crate) fn caller(&self, request: &mut Request<Body>, callee: &str) -> bool {
        let takes_trailers = hop::forward_request(request, may_trail);
        let map = request.headers_mut();
        map.remove(HOST);
        map.remove(headers::APP_ID);
        map.remove(headers::API_TOKEN);
        map.insert(headers::CALLER_APP_ID, self.app_id.clone());
        map.insert(headers::CALLER_NAMESPACE, self.namespace.clone());
        if let Ok(callee) = HeaderValue::from_str(callee) {
            map.insert(headers::CALLEE_APP_ID, callee.clone());
            map.insert(headers::DESTINATION_APP_ID, callee);
        }
        map.insert(headers::X_FORWARDED_FOR, self.forwarded_for.clone());
        map.insert(headers::X_FORWARDED_HOST, self.forwarded_host.clone());
        map.insert(FORWARDED, self.forwarded.clone());
        takes_trailers
    }

    /// The identity on a gRPC call that is passed through.
    pub(crate) fn grpc_caller(&self, request: &mut Request<Body>, callee: &str) {
        let map = request.headers_mut();
        map.remove(headers::APP_ID);
        map.remove(headers::API_TOKEN);
        map.insert(headers::CALLER_APP_ID, self.app_id.clone());
        map.insert(headers::CALLER_NAMESPACE, self.namespace.clone());
        if let Ok(callee) = HeaderValue::from_str(callee) {
            map.insert(headers::CALLEE_APP_ID, callee);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(namespace: &str) -> Identity {
        Identity {
            app_id: "caller".into(),
            namespace: namespace.into(),
            host_name: "host".into(),
            host_address: "10.0.0.1".parse().unwrap(),
        }
    }

    #[test]
    fn the_namespace_is_always_told_and_never_the_apps_word() {
        for (namespace, told) in [("", "default"), ("shop", "shop")] {
            let caller = Caller::new(&identity(namespace));
            let mut calls = [Request::new(Body::empty()), Request::new(Body::empty())];
            for request in &mut calls {
                let feigned = HeaderValue::from_static("feigned");
                request.headers_mut().insert("dapr-caller-namespace", feigned);
            }
            caller.caller(&mut calls[0], "callee");
            caller.grpc_caller(&mut calls[1], "callee");
            for request in &calls {
                let values: Vec<_> = request
                    .headers()
                    .get_all("dapr-caller-namespace")
                    .iter()
                    .collect();
                assert_eq!(values, [told]);
            }
        }
    }

    #[test]
    fn what_only_sidecars_say_does_not_trail() {
        for name in [
            "dapr-caller-app-id",
            "x-forwarded-for",
            "outrigger-peer-error",
            "host",
            "te",
        ] {
            assert!(!may_trail(&HeaderName::from_static(name)), "{name}");
        }
        assert!(may_trail(&HeaderName::from_static("x-sum")));
    }
}
