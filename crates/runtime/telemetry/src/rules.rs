//! `spec.metrics.rules`: label values rewritten by regular expressions.

use std::{borrow::Cow, collections::HashMap};

use outrigger_base_telemetry::metrics::RewriteLabels;
use outrigger_resource_manifest::configuration::MetricRule;
use outrigger_wire_names::metrics::PREFIX;
use regex::Regex;

/// The rules of a configuration.
#[derive(Debug)]
pub struct Rules(HashMap<String, HashMap<String, Vec<Rewrite>>>);

#[derive(Debug)]
struct Rewrite {
    pattern: Regex,
    replacement: String,
}

impl Rules {
    /// The rules in `configured`; `None` where there are none. A pattern that is no regular expression is left out with a
    /// warning.
    pub fn new(configured: &[MetricRule]) -> Option<Self> {
        let mut rules: HashMap<String, HashMap<String, Vec<Rewrite>>> = HashMap::new();
        for rule in configured {
            for label in &rule.labels {
                let rewrites = label.regex.iter().filter_map(|(replacement, pattern)| {
                    rewrite(
                        pattern,
                        replacement,
                        &format!("{}, label {}", rule.name, label.name),
                    )
                });
                let rewrites: Vec<_> = rewrites.collect();
                if !rewrites.is_empty() {
                    let labels = rules.entry(metric(&rule.name)).or_default();
                    labels.entry(label.name.clone()).or_default().extend(rewrites);
                }
            }
        }
        (!rules.is_empty()).then_some(Self(rules))
    }
}

fn rewrite(pattern: &str, replacement: &str, place: &str) -> Option<Rewrite> {
    match Regex::new(pattern) {
        Ok(pattern) => Some(Rewrite {
            pattern,
            replacement: replacement.to_owned(),
        }),
        Err(error) => {
            tracing::warn!("metrics rule for {place}: {error}; it has no effect");
            None
        }
    }
}

/// A metric's name as rules write it: with or without the common prefix, with slashes or underscores.
fn metric(name: &str) -> String {
    let name = name.replace('/', "_");
    match name.strip_prefix(PREFIX) {
        Some(bare) => bare.to_owned(),
        None => name,
    }
}

impl RewriteLabels for Rules {
    fn rewrite<'v>(&self, metric: &str, label: &str, value: &'v str) -> Cow<'v, str> {
        let metric = metric.strip_prefix(PREFIX).unwrap_or(metric);
        let Some(rewrites) = self.0.get(metric).and_then(|labels| labels.get(label)) else {
            return Cow::Borrowed(value);
        };
        let mut text = Cow::Borrowed(value);
        for rewrite in rewrites {
            if rewrite.pattern.is_match(&text) {
                let replaced = rewrite.pattern.replace_all(&text, rewrite.replacement.as_str());
                text = Cow::Owned(replaced.into_owned());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use outrigger_resource_manifest::configuration::MetricLabel;

    use super::*;

    fn rule(name: &str, pattern: &str) -> MetricRule {
        MetricRule {
            name: name.to_owned(),
            labels: vec![MetricLabel {
                name: "path".to_owned(),
                regex: [("/orders/TEST".to_owned(), pattern.to_owned())].into(),
            }],
        }
    }

    #[test]
    fn values_of_the_named_label_are_rewritten() {
        for name in ["dapr_http_server_request_count", "http/server/request_count"] {
            let rules = Rules::new(&[rule(name, "/orders/.+")]).unwrap();
            let of = |metric: &str, label: &str| rules.rewrite(metric, label, "/orders/1").into_owned();
            assert_eq!(of("dapr_http_server_request_count", "path"), "/orders/TEST");
            assert_eq!(of("dapr_http_server_request_count", "method"), "/orders/1");
            assert_eq!(of("dapr_http_server_latency", "path"), "/orders/1");
        }
    }

    #[test]
    fn what_is_no_expression_has_no_effect() {
        assert!(Rules::new(&[rule("x", "(")]).is_none());
        assert!(Rules::new(&[]).is_none());
    }
}
