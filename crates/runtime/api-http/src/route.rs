//! Which operation a path is for.

use http::Method;
use outrigger_wire_names::routes;

/// An operation, with the parameters that stand in the path, still encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    GetState {
        store: &'p str,
        key: &'p str,
    },
    SaveState {
        store: &'p str,
    },
    DeleteState {
        store: &'p str,
        key: &'p str,
    },
    BulkGetState {
        store: &'p str,
    },
    TransactState {
        store: &'p str,
    },
    QueryState {
        store: &'p str,
    },
    Publish {
        pubsub: &'p str,
        topic: &'p str,
    },
    BulkPublish {
        pubsub: &'p str,
        topic: &'p str,
    },
    GetSecret {
        store: &'p str,
        name: &'p str,
    },
    BulkSecrets {
        store: &'p str,
    },
    Metadata,
    SetMetadata {
        key: &'p str,
    },
    Health,
    OutboundHealth,
    Shutdown,
    /// A known route of a building block that is not built.
    Unbuilt(&'static str),
    /// Anything else, invocation included: unknown paths are invocations by header.
    Invoke,
}

impl Route<'_> {
    /// The operation's name, as Dapr's logs have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetState { .. } => "GetState",
            Self::SaveState { .. } => "SaveState",
            Self::DeleteState { .. } => "DeleteState",
            Self::BulkGetState { .. } => "GetBulkState",
            Self::TransactState { .. } => "ExecuteStateTransaction",
            Self::QueryState { .. } => "QueryStateAlpha1",
            Self::Publish { .. } => "PublishEvent",
            Self::BulkPublish { .. } => "BulkPublishEvent",
            Self::GetSecret { .. } => "GetSecret",
            Self::BulkSecrets { .. } => "GetBulkSecret",
            Self::Metadata => "GetMetadata",
            Self::SetMetadata { .. } => "SetMetadata",
            Self::Health => "Healthz",
            Self::OutboundHealth => "HealthzOutbound",
            Self::Shutdown => "Shutdown",
            Self::Unbuilt(block) => block,
            Self::Invoke => "InvokeService",
        }
    }
}

/// Finds the operation. A path of a known operation with another method is an unknown path.
pub(crate) fn find<'p>(method: &Method, path: &'p str) -> Route<'p> {
    let rest = path.trim_start_matches('/');
    let Some((version, rest)) = rest.split_once('/') else {
        return Route::Invoke;
    };
    let rest = rest.trim_matches('/');
    let (block, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let rest = rest.trim_start_matches('/');
    let found = match (version, block) {
        (routes::V1, routes::INVOKE) => None,
        (routes::V1, routes::STATE) => state(method, rest),
        (routes::V1_ALPHA1, routes::STATE) => query(method, rest),
        (routes::V1 | routes::V1_ALPHA1, routes::PUBLISH) => publish(method, version, rest),
        (routes::V1, routes::SECRETS) => secrets(method, rest),
        (routes::V1, routes::METADATA) => metadata(method, rest),
        (routes::V1, routes::HEALTHZ) => health(method, rest),
        (routes::V1, routes::SHUTDOWN) => {
            (method == Method::POST && rest.is_empty()).then_some(Route::Shutdown)
        }
        _ => unbuilt(version, block, rest),
    };
    found.unwrap_or(Route::Invoke)
}

fn writes(method: &Method) -> bool {
    method == Method::POST || method == Method::PUT
}

fn state<'p>(method: &Method, rest: &'p str) -> Option<Route<'p>> {
    let (store, key) = rest.split_once('/').unwrap_or((rest, ""));
    // A key has no slash of its own; an encoded one is part of it.
    if store.is_empty() || key.contains('/') {
        return None;
    }
    match (writes(method), key) {
        (true, "") => Some(Route::SaveState { store }),
        (true, routes::BULK) => Some(Route::BulkGetState { store }),
        (true, routes::TRANSACTION) => Some(Route::TransactState { store }),
        (false, key) if method == Method::GET && !key.is_empty() => Some(Route::GetState { store, key }),
        (false, key) if method == Method::DELETE && !key.is_empty() => {
            Some(Route::DeleteState { store, key })
        }
        _ => None,
    }
}

fn query<'p>(method: &Method, rest: &'p str) -> Option<Route<'p>> {
    match rest.split_once('/') {
        Some((store, routes::QUERY)) if writes(method) => Some(Route::QueryState { store }),
        _ => None,
    }
}

fn publish<'p>(method: &Method, version: &str, rest: &'p str) -> Option<Route<'p>> {
    if !writes(method) {
        return None;
    }
    let (first, tail) = rest.split_once('/').unwrap_or((rest, ""));
    if first == routes::BULK && !tail.is_empty() {
        let (pubsub, topic) = tail.split_once('/').unwrap_or((tail, ""));
        return Some(Route::BulkPublish { pubsub, topic });
    }
    (version == routes::V1).then_some(Route::Publish {
        pubsub: first,
        topic: tail,
    })
}

fn secrets<'p>(method: &Method, rest: &'p str) -> Option<Route<'p>> {
    let (store, name) = rest.split_once('/')?;
    if method != Method::GET || store.is_empty() || name.contains('/') {
        return None;
    }
    Some(if name == routes::BULK {
        Route::BulkSecrets { store }
    } else {
        Route::GetSecret { store, name }
    })
}

fn metadata<'p>(method: &Method, rest: &'p str) -> Option<Route<'p>> {
    match rest {
        "" => (method == Method::GET).then_some(Route::Metadata),
        key => (method == Method::PUT && !key.contains('/')).then_some(Route::SetMetadata { key }),
    }
}

fn health<'p>(method: &Method, rest: &str) -> Option<Route<'p>> {
    match rest {
        "" if method == Method::GET => Some(Route::Health),
        routes::OUTBOUND if method == Method::GET => Some(Route::OutboundHealth),
        _ => None,
    }
}

/// Known first segments of blocks that are not built; they never fall through to invocation.
fn unbuilt(version: &str, block: &str, rest: &str) -> Option<Route<'static>> {
    let is_version = [routes::V1, routes::V1_ALPHA1, routes::V1_ALPHA2, routes::V1_BETA1].contains(&version);
    if !is_version || rest.is_empty() {
        return None;
    }
    let known = routes::UNBUILT.iter().chain([&routes::BINARY_STORE]);
    known
        .copied()
        .find(|(segment, _)| *segment == block)
        .map(|(_, name)| Route::Unbuilt(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_operations() {
        let of = |method: &str, path: &'static str| find(&method.parse().unwrap(), path);
        assert_eq!(
            of("GET", "/v1.0/state/s/k"),
            Route::GetState { store: "s", key: "k" }
        );
        assert_eq!(of("POST", "/v1.0/state/s"), Route::SaveState { store: "s" });
        assert_eq!(of("PUT", "/v1.0/state/s/"), Route::SaveState { store: "s" });
        assert_eq!(
            of("POST", "/v1.0/state/s/bulk"),
            Route::BulkGetState { store: "s" }
        );
        assert_eq!(
            of("GET", "/v1.0/state/s/bulk"),
            Route::GetState {
                store: "s",
                key: "bulk"
            }
        );
        assert_eq!(
            of("POST", "/v1.0-alpha1/state/s/query"),
            Route::QueryState { store: "s" }
        );
        assert_eq!(
            of("POST", "/v1.0/publish/p/a/b"),
            Route::Publish {
                pubsub: "p",
                topic: "a/b"
            }
        );
        assert_eq!(
            of("POST", "/v1.0/publish/bulk/p/t"),
            Route::BulkPublish {
                pubsub: "p",
                topic: "t"
            }
        );
        assert_eq!(
            of("POST", "/v1.0-alpha1/publish/bulk/p/t"),
            Route::BulkPublish {
                pubsub: "p",
                topic: "t"
            }
        );
        assert_eq!(
            of("POST", "/v1.0/publish/p"),
            Route::Publish {
                pubsub: "p",
                topic: ""
            }
        );
        assert_eq!(
            of("GET", "/v1.0/secrets/s/bulk"),
            Route::BulkSecrets { store: "s" }
        );
        assert_eq!(of("GET", "/v1.0/healthz"), Route::Health);
        assert_eq!(of("GET", "/v1.0/healthz/outbound"), Route::OutboundHealth);
        assert_eq!(of("PUT", "/v1.0/metadata/k"), Route::SetMetadata { key: "k" });
        assert_eq!(of("POST", "/v1.0/shutdown"), Route::Shutdown);
    }

    #[test]
    fn what_is_known_and_not_built_is_no_invocation() {
        let of = |path: &'static str| find(&Method::POST, path);
        assert_eq!(of("/v1.0/bindings/b"), Route::Unbuilt("bindings"));
        assert_eq!(of("/v1.0-alpha1/jobs/j"), Route::Unbuilt("jobs"));
        assert_eq!(of("/v1.0-alpha1/binarystore/s/f"), Route::Unbuilt("binary store"));
        assert_eq!(of("/v1.0/unknown/x"), Route::Invoke);
        assert_eq!(of("/anything"), Route::Invoke);
        assert_eq!(find(&Method::PATCH, "/v1.0/state/s"), Route::Invoke);
    }
}
