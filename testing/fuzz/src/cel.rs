//! Routing rules, and events that they are asked about.

use outrigger_engine_routing::{Router, Rule};
use serde_json::{Value, json};

/// The first line is a rule, the rest an event.
pub fn run(data: &[u8]) {
    let (expression, event) = crate::first_line(data);
    let expression = crate::text(expression);
    let rules = [
        Rule {
            expression: &expression,
            path: "/first",
        },
        Rule {
            expression: "",
            path: "/other",
        },
    ];
    let Ok(router) = Router::compile(&rules) else {
        return;
    };
    let _ = router.needs();
    let events = [
        serde_json::from_slice(event).unwrap_or(Value::Null),
        json!({"type": "order.created", "data": {"amount": 5, "tags": ["a"]}}),
        json!({}),
    ];
    for event in events {
        if let Ok(path) = router.route(&event) {
            assert!(matches!(path, Some("/first" | "/other")), "{path:?}");
        }
    }
}
