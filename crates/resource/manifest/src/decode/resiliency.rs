//! Reads `Resiliency`: the document and its targets. Policies are next door.

use std::collections::BTreeMap;

use super::{
    common,
    field::{Field, Object},
    resiliency_policies::policies,
};
use crate::{
    Resiliency,
    resiliency::{ActorBreakerScope, ActorTarget, AppTarget, ComponentTarget, PolicyNames, Targets},
};

/// Most circuit breakers that a cache may be asked to hold for one target.
const MAX_BREAKER_CACHE: i64 = 1_000_000;

pub(super) fn resiliency(root: &Field<'_>) -> Resiliency {
    let document = root.object(&["apiVersion", "kind", "metadata", "spec", "scopes", "status"]);
    let meta = common::meta(&document);
    let spec = document.get("spec").object(&["policies", "targets"]);
    Resiliency {
        name: meta.name,
        namespace: meta.namespace,
        policies: policies(&spec.get("policies")),
        targets: targets(&spec.get("targets")),
        scopes: document.get("scopes").string_list(),
        origin: root.origin(),
    }
}

fn targets(field: &Field<'_>) -> Targets {
    let object = field.object(&["apps", "actors", "components"]);
    Targets {
        apps: by_name(&object.get("apps"), app),
        actors: by_name(&object.get("actors"), actor),
        components: by_name(&object.get("components"), component),
    }
}

/// Reads a mapping from names to things.
pub(super) fn by_name<T>(field: &Field<'_>, read: impl Fn(&Field<'_>) -> T) -> BTreeMap<String, T> {
    field
        .map()
        .into_iter()
        .map(|(name, field)| {
            let value = read(&field);
            (name, value)
        })
        .collect()
}

fn app(field: &Field<'_>) -> AppTarget {
    let object = field.object(&["timeout", "retry", "circuitBreaker", "circuitBreakerCacheSize"]);
    AppTarget {
        names: names(&object),
        circuit_breaker_cache_size: cache_size(&object),
    }
}

fn actor(field: &Field<'_>) -> ActorTarget {
    let object = field.object(&[
        "timeout",
        "retry",
        "circuitBreaker",
        "circuitBreakerScope",
        "circuitBreakerCacheSize",
    ]);
    let names = names(&object);
    let scope = object.get("circuitBreakerScope");
    let circuit_breaker_scope = match scope.some_text().as_deref() {
        Some("type") => Some(ActorBreakerScope::Type),
        Some("id") => Some(ActorBreakerScope::Id),
        Some("both") => Some(ActorBreakerScope::Both),
        None if names.circuit_breaker.is_none() => None,
        // Without a breaker the scope is never looked at, so a wrong one is no harm.
        Some(_) if names.circuit_breaker.is_none() => {
            scope.ignore("type, id or both");
            None
        }
        None | Some(_) => {
            scope.fail("type, id or both, since the target names a circuit breaker");
            None
        }
    };
    ActorTarget {
        names,
        circuit_breaker_scope,
        circuit_breaker_cache_size: cache_size(&object),
    }
}

fn component(field: &Field<'_>) -> ComponentTarget {
    let object = field.object(&["inbound", "outbound"]);
    let side = |name| names(&object.get(name).object(&["timeout", "retry", "circuitBreaker"]));
    ComponentTarget {
        inbound: side("inbound"),
        outbound: side("outbound"),
    }
}

/// Zero means the default, as in Dapr.
fn cache_size(object: &Object<'_>) -> Option<usize> {
    object
        .get("circuitBreakerCacheSize")
        .int(0, MAX_BREAKER_CACHE)
        .filter(|size| *size > 0)
        .and_then(|size| usize::try_from(size).ok())
}

fn names(object: &Object<'_>) -> PolicyNames {
    PolicyNames {
        timeout: object.get("timeout").some_text(),
        retry: object.get("retry").some_text(),
        circuit_breaker: object.get("circuitBreaker").some_text(),
    }
}
