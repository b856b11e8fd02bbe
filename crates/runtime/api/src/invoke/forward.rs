//! The headers that a sidecar sets on an invocation (dapr-runtime.md §3.8).

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue, Request,
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
    /// Where this runtime is, as calls that leave it tell: a name and its value.
    origin: [(HeaderName, HeaderValue); 3],
}

impl Caller {
    /// The header values of an identity. What cannot stand in a header is left empty.
    pub fn new(identity: &Identity) -> Self {
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
        let (address, host) = (identity.host_address, &*identity.host_name);
        // RFC 7239, section 6: an address of IPv6 has brackets, and quotes around them.
        let node = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        Self {
            app_id: value(&identity.app_id),
            namespace: value(identity.namespace().unwrap_or(environment::NAMESPACE_DEFAULT)),
            origin: [
                (headers::X_FORWARDED_FOR, value(&address.to_string())),
                (headers::X_FORWARDED_HOST, value(host)),
                (FORWARDED, value(&format!("for={node};by={node};host={host}"))),
            ],
        }
    }

    /// Makes a request one of this runtime's: what belongs to the hop, its host included, and what only sidecars may say
    /// goes, and the identity of both sides comes. Returns whether the caller takes trailers of the answer.
    pub(crate) fn caller(&self, request: &mut Request<Body>, callee: &str) -> bool {
        let takes_trailers = hop::forward_request(request, may_trail);
        let map = request.headers_mut();
        map.remove(HOST);
        map.remove(headers::DESTINATION_APP_ID);
        self.identify(map, callee);
        takes_trailers
    }

    /// What a request that goes to another runtime has beside that: where it came from, behind what its own caller said
    /// of that, since that may be a gateway; and the app it is for.
    pub(crate) fn leave(&self, request: &mut Request<Body>) {
        let map = request.headers_mut();
        if let Some(callee) = map.get(headers::CALLEE_APP_ID).cloned() {
            map.insert(headers::DESTINATION_APP_ID, callee);
        }
        for (name, value) in &self.origin {
            map.append(name, value.clone());
        }
    }

    /// The identity on a gRPC call that is passed through.
    pub(crate) fn grpc_caller(&self, request: &mut Request<Body>, callee: &str) {
        self.identify(request.headers_mut(), callee);
    }

    fn identify(&self, map: &mut HeaderMap, callee: &str) {
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
    fn a_call_that_leaves_says_where_it_came_from_behind_what_its_caller_said() {
        let mut request = Request::new(Body::empty());
        let map = request.headers_mut();
        map.insert("x-forwarded-for", HeaderValue::from_static("9.9.9.9"));
        map.insert("forwarded", HeaderValue::from_static("for=8.8.8.8"));
        map.insert("destination-app-id", HeaderValue::from_static("feigned"));
        let caller = Caller::new(&identity(""));
        caller.caller(&mut request, "callee");
        let values = |request: &Request<Body>, name: &str| -> Vec<String> {
            let values = request.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(values(&request, "x-forwarded-for"), ["9.9.9.9"]);
        assert!(values(&request, "x-forwarded-host").is_empty());
        assert!(values(&request, "destination-app-id").is_empty());
        caller.leave(&mut request);
        assert_eq!(values(&request, "x-forwarded-for"), ["9.9.9.9", "10.0.0.1"]);
        assert_eq!(values(&request, "x-forwarded-host"), ["host"]);
        assert_eq!(
            values(&request, "forwarded"),
            ["for=8.8.8.8", "for=10.0.0.1;by=10.0.0.1;host=host"]
        );
        assert_eq!(values(&request, "destination-app-id"), ["callee"]);
    }

    #[test]
    fn an_address_of_ipv6_is_quoted_where_it_is_a_node() {
        let mut request = Request::new(Body::empty());
        let host_address = "2001:db8::1".parse().unwrap();
        let identity = Identity {
            host_address,
            ..identity("")
        };
        Caller::new(&identity).leave(&mut request);
        assert_eq!(request.headers()["x-forwarded-for"], "2001:db8::1");
        let node = r#""[2001:db8::1]""#;
        let expected = format!("for={node};by={node};host=host");
        assert_eq!(request.headers()["forwarded"], *expected);
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
