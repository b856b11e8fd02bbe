//! `Resiliency`: named policies (time-outs, retries, circuit breakers) and what they apply to.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use crate::Origin;

/// One resiliency resource. Several are merged by whoever applies them; the later wins per name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resiliency {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, if the manifest gives one that is not empty.
    pub namespace: Option<String>,
    /// The policies, by name.
    pub policies: Policies,
    /// What they apply to.
    pub targets: Targets,
    /// The apps it is for; empty is every app.
    pub scopes: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// Policies by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// Time-outs of one attempt. A bare integer in the manifest is milliseconds.
    pub timeouts: BTreeMap<String, Duration>,
    /// Retries.
    pub retries: BTreeMap<String, RetryPolicy>,
    /// Circuit breakers.
    pub circuit_breakers: BTreeMap<String, CircuitBreakerPolicy>,
}

/// How a failed attempt is repeated. Fields left out are `None`: the engine knows the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The shape of the waits.
    pub policy: BackOff,
    /// The wait of a constant policy.
    pub duration: Option<Duration>,
    /// The longest wait of an exponential policy.
    pub max_interval: Option<Duration>,
    /// How often to repeat; negative is without end.
    pub max_retries: Option<i64>,
    /// Which failures are repeated; `None` is all of them.
    pub matching: Option<RetryMatching>,
}

/// The shape of the waits between attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BackOff {
    /// The same wait each time.
    #[default]
    Constant,
    /// A growing wait.
    Exponential,
}

/// Status codes that are repeated; a failure without a code always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetryMatching {
    /// HTTP codes (100 to 599); `None` is every one.
    pub http_status_codes: Option<CodeRanges>,
    /// gRPC codes (0 to 16); `None` is every one.
    pub grpc_status_codes: Option<CodeRanges>,
}

/// A list of codes and ranges, as in `429,500-503`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeRanges(pub Vec<RangeInclusive<u16>>);

impl CodeRanges {
    /// Whether `code` is in the list.
    pub fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }
}

/// When calls to a failing target are refused at once. Fields left out are `None`: the engine knows the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CircuitBreakerPolicy {
    /// How many calls may try while the breaker is half open.
    pub max_requests: Option<u32>,
    /// How often a closed breaker forgets its counts; zero is never.
    pub interval: Option<Duration>,
    /// How long a breaker stays open.
    pub timeout: Option<Duration>,
    /// A CEL expression over the counts that opens the breaker.
    pub trip: Option<String>,
}

/// What policies apply to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// By app id or by HTTP endpoint name.
    pub apps: BTreeMap<String, AppTarget>,
    /// By actor type.
    pub actors: BTreeMap<String, ActorTarget>,
    /// By component name.
    pub components: BTreeMap<String, ComponentTarget>,
}

/// The names of the policies of one target; `None` is no such policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyNames {
    /// Name of a time-out.
    pub timeout: Option<String>,
    /// Name of a retry.
    pub retry: Option<String>,
    /// Name of a circuit breaker.
    pub circuit_breaker: Option<String>,
}

/// An application as target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppTarget {
    /// Its policies.
    pub names: PolicyNames,
    /// How many circuit breakers (one for each endpoint of the app) are kept; `None` is the engine's default.
    pub circuit_breaker_cache_size: Option<usize>,
}

/// An actor type as target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActorTarget {
    /// Its policies.
    pub names: PolicyNames,
    /// What has a breaker of its own; always given when a breaker is named.
    pub circuit_breaker_scope: Option<ActorBreakerScope>,
    /// How many circuit breakers are kept; `None` is the engine's default.
    pub circuit_breaker_cache_size: Option<usize>,
}

/// What has a circuit breaker of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorBreakerScope {
    /// The actor type.
    Type,
    /// The actor.
    Id,
    /// Both.
    Both,
}

/// A component as target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentTarget {
    /// For what the component delivers to the application.
    pub inbound: PolicyNames,
    /// For what the application asks of the component.
    pub outbound: PolicyNames,
}

impl Resiliency {
    /// Whether it is for `app_id`.
    pub fn in_scope_of(&self, app_id: &str) -> bool {
        crate::resource::in_scope(&self.scopes, app_id)
    }
}
