//! Under which path and method an HTTP request counts.

mod legacy;
mod pattern;

use std::borrow::Cow;

use http::Method;
use outrigger_resource_manifest::configuration::MetricsHttp;
use outrigger_wire_names::routes;

use pattern::Patterns;

/// Paths that always are labels: there are few of them.
const STATIC_PATHS: [&str; 3] = [routes::APP_CONFIG, routes::APP_SUBSCRIBE, routes::APP_HEALTHZ];
/// The label of a method that HTTP does not know.
const UNKNOWN_METHOD: &str = "UNKNOWN";
/// Methods that are labels.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
    Method::CONNECT,
    Method::TRACE,
];

/// How requests are labelled: what `spec.metrics.http` says.
#[derive(Debug, Default)]
pub struct Labels {
    /// Whether paths are labels, shortened where a key or an id stands in them.
    full_paths: bool,
    patterns: Option<Patterns>,
    exclude_verbs: bool,
}

impl Labels {
    /// The labels that `configured` asks for.
    pub fn new(configured: &MetricsHttp) -> Self {
        // On where no file says, as in this version of Dapr.
        let full_paths = configured.increased_cardinality.unwrap_or(true);
        Self {
            full_paths,
            patterns: Patterns::new(&configured.path_matching),
            exclude_verbs: configured.exclude_verbs,
        }
    }

    /// Whether paths are labels, in which case an older counter is kept beside the newer.
    pub(crate) fn has_full_paths(&self) -> bool {
        self.full_paths
    }

    /// The label of a path.
    pub(crate) fn path<'p>(&'p self, path: &'p str) -> Cow<'p, str> {
        if STATIC_PATHS.contains(&path) {
            return Cow::Borrowed(path);
        }
        if let Some(patterns) = &self.patterns {
            let path = legacy::normalize(path);
            let found = patterns
                .find(&path)
                .or_else(|| patterns.find(&legacy::shorten(&path)));
            if let Some(pattern) = found {
                return Cow::Borrowed(pattern);
            }
        }
        match self.full_paths {
            true => legacy::shorten(path),
            false => Cow::Borrowed(""),
        }
    }

    /// The label of a method.
    pub(crate) fn method<'m>(&self, method: &'m Method) -> &'m str {
        if self.exclude_verbs {
            ""
        } else if METHODS.contains(method) {
            method.as_str()
        } else {
            UNKNOWN_METHOD
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(full_paths: Option<bool>, patterns: &[&str]) -> Labels {
        Labels::new(&MetricsHttp {
            increased_cardinality: full_paths,
            path_matching: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
            exclude_verbs: false,
        })
    }

    #[test]
    fn paths_are_labels_unless_a_file_says_otherwise() {
        assert_eq!(
            labels(None, &[]).path("/v1.0/invoke/a/method/b/1"),
            "/v1.0/invoke/a/method/b/1"
        );
        assert_eq!(labels(None, &[]).path("/v1.0/state/s/key"), "/v1.0/state/s");
        assert_eq!(labels(Some(false), &[]).path("/v1.0/state/s/key"), "");
        assert_eq!(labels(Some(false), &[]).path("/dapr/config"), "/dapr/config");
    }

    #[test]
    fn patterns_come_first() {
        let low = labels(Some(false), &["/orders/{id}", "/v1.0/state/s/{key}"]);
        assert_eq!(
            low.path("/v1.0/invoke/app/method/orders/7"),
            "/v1.0/invoke/{app_id}/method/orders/{id}"
        );
        assert_eq!(low.path("/v1.0/state/s/key"), "/v1.0/state/s/{key}");
        assert_eq!(low.path("/v1.0/invoke/app/method/items/7"), "");
        let high = labels(Some(true), &["/orders/{id}"]);
        assert_eq!(high.path("//orders/7"), "/orders/{id}");
        assert_eq!(
            high.path("/v1.0/invoke/app/method/items/7"),
            "/v1.0/invoke/app/method/items/7"
        );
    }

    #[test]
    fn unknown_methods_share_a_label() {
        let labels = labels(None, &[]);
        assert_eq!(labels.method(&Method::GET), "GET");
        assert_eq!(labels.method(&"BREW".parse().unwrap()), "UNKNOWN");
    }
}
