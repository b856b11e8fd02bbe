//! Rules against events: Dapr's meaning of CEL, order, defaults, errors.

use std::{borrow::Cow, error::Error};

use outrigger_engine_routing::{Attribute, EventView, Needs, RouteError, Router, Rule};
use proptest::prelude::*;
use serde_json::{Value, json};

fn event() -> Value {
    json!({
        "specversion": "1.0",
        "id": "1",
        "type": "order.created",
        "source": "shop",
        "data": {
            "important": true,
            "n": 5,
            "big": 9_007_199_254_740_993_u64,
            "ratio": 0.5,
            "name": "Zoë",
            "list": [1, "two", {"three": 3}],
            "none": null,
            "inner": {"a": 1, "b": {"c": "d"}},
            "same": {"b": {"c": "d"}, "a": 1},
        },
    })
}

fn one(expression: &str) -> Result<Router, String> {
    Router::compile(&[Rule {
        expression,
        path: "/x",
    }])
    .map_err(|error| error.to_string())
}

/// Whether the event matches.
fn matches(expression: &str) -> Result<bool, String> {
    let router = one(expression)?;
    let route = router.route(&event());
    route
        .map(|path| path.is_some())
        .map_err(|error| error.to_string())
}

#[test]
fn expressions_mean_what_they_mean_in_dapr() {
    let cases = [
        (r#"event.type == "order.created""#, true),
        (r#"event.type == "other""#, false),
        (r#"event.type != "other""#, true),
        ("event.data.important == true", true),
        ("event.data.important", true),
        ("!event.data.important", false),
        ("has(event.data.important)", true),
        ("has(event.data.missing)", false),
        ("has(event.missing)", false),
        ("has(event.data.missing) && event.data.missing == 1", false),
        ("event.data.missing == 1 || true", true),
        ("true || event.data.missing == 1", true),
        ("event.data.missing == 1 && false", false),
        ("event.data.n == 5", true),
        ("event.data.n == 5.0", true),
        ("event.data.n > 4 && event.data.n <= 5", true),
        ("event.data.n < 4.5", false),
        ("event.data.n + 1.0 == 6.0", true),
        ("event.data.ratio * 2.0 == 1.0", true),
        ("int(event.data.n) % 2 == 1", true),
        ("event.data.n == '5'", false),
        ("event.data.none == null", true),
        ("event.data.name == 'Zoë'", true),
        ("size(event.data.name) == 3", true),
        ("event.data.name.size() == 3", true),
        ("event.type.startsWith('order.')", true),
        ("event.type.endsWith('.created')", true),
        ("event.type.contains('r.c')", true),
        ("event.type.matches('^order\\\\.[a-z]+$')", true),
        ("event.type.matches('deleted')", false),
        ("matches(event.type, 'order')", true),
        ("event.type in ['a', 'order.created']", true),
        ("'two' in event.data.list", true),
        ("1 in event.data.list", true),
        ("7 in event.data.list", false),
        ("'inner' in event.data", true),
        ("'outer' in event.data", false),
        ("event.data.list[2].three == 3", true),
        ("size(event.data.list) == 3", true),
        ("event.data.list[0] == 1", true),
        ("event.data['inner']['b'].c == 'd'", true),
        ("event.data.inner == event.data.same", true),
        ("event.data.inner != event.data.same", false),
        ("event.data.inner == event.data.list", false),
        ("event.data.inner == {'a': 1, 'b': {'c': 'd'}}", true),
        ("{'a': 1.0, 'b': {'c': 'd'}} == event.data.inner", true),
        ("{'a': 2, 'b': {'c': 'd'}} == event.data.inner", false),
        ("event.data.list.exists(x, x == 'two')", true),
        ("event.data.list.all(x, x == 'two')", false),
        ("event.data.inner.exists(k, k == 'b')", true),
        ("size(event.data.inner) == 2", true),
        ("[1, 2].map(x, x * 2) == [2, 4]", true),
        ("event.data.n > 3 ? true : false", true),
        ("type(event.data.n) == double", true),
        ("string(event.data.important) == 'true'", true),
        ("double('0.5') == event.data.ratio", true),
        (
            "uint(1) == 1u && bool('true') && bytes('a') == b'a' && dyn(1) == 1",
            true,
        ),
        // Doubles, as Dapr decodes events: the last digit is lost there as well.
        ("event.data.big == 9007199254740992", true),
        ("  event.id == '1'  ", true),
    ];
    for (expression, expected) in cases {
        assert_eq!(matches(expression), Ok(expected), "{expression}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_an_error() {
    let cases = [
        (
            "event.missing == 'a'",
            "could not evaluate the match expression event.missing == 'a': no such key: missing",
        ),
        (
            "event.data.missing == 1",
            "could not evaluate the match expression event.data.missing == 1: No such key: missing",
        ),
        (
            "event.data.missing == 1 && true",
            "could not evaluate the match expression event.data.missing == 1 && true: No such key: missing",
        ),
        (
            "other == 1",
            "could not evaluate the match expression other == 1: Undeclared reference to 'other'",
        ),
        (
            "event.type",
            "the result of match expression event.type was not a boolean",
        ),
        ("1 + 1", "the result of match expression 1 + 1 was not a boolean"),
        (
            "event.data",
            "could not evaluate the match expression event.data: Unexpected type: got 'map', want 'a type representable as `Value`'",
        ),
    ];
    for (expression, message) in cases {
        assert_eq!(matches(expression).unwrap_err(), message);
    }
    for expression in [
        "event.type.deeper == 1",
        "event.data.n + 1 == 6",
        "event.data.list[9] == 1",
        "event.type.matches('(')",
    ] {
        assert!(
            matches(expression)
                .unwrap_err()
                .starts_with("could not evaluate the match expression "),
            "{expression}"
        );
    }
    let error = one("event.a").unwrap().route(&json!({})).unwrap_err();
    assert!(!error.retryable());
}

#[test]
fn expressions_that_are_not_usable_are_refused_when_they_are_compiled() {
    let cases = [
        (
            "event.type.startswith('a')",
            "rule 1 is not usable: the match expression \"event.type.startswith('a')\" calls startswith(), which is no function; there are size, contains, startsWith, endsWith, matches, string, int, uint, double, bool, bytes, type, dyn",
        ),
        (
            "timestamp(event.time) > timestamp('2024-01-01T00:00:00Z')",
            "rule 1 is not usable: the match expression \"timestamp(event.time) > timestamp('2024-01-01T00:00:00Z')\" calls timestamp(), which is no function; there are size, contains, startsWith, endsWith, matches, string, int, uint, double, bool, bytes, type, dyn",
        ),
    ];
    for (expression, message) in cases {
        assert_eq!(one(expression).unwrap_err(), message);
    }
    for expression in [
        "event.type ==",
        "event.type = 'a'",
        "'open",
        "event..type",
        "a b",
        "event.?type",
        "@",
        "has(event)",
    ] {
        let error = one(expression).unwrap_err();
        let start = format!("rule 1 is not usable: the match expression {expression:?} is not valid CEL: ");
        assert!(error.starts_with(&start) && error.len() > start.len(), "{error}");
    }
    let long = format!("event.type == '{}'", "x".repeat(9000));
    assert!(one(&long).unwrap_err().ends_with("is longer than 8192 bytes"));
    let deep = format!("{}true{}", "(".repeat(65), ")".repeat(65));
    assert!(
        one(&deep)
            .unwrap_err()
            .ends_with("has more than 64 operators and brackets in one chain")
    );
    let error = Router::compile(&[
        Rule {
            expression: "true",
            path: "",
        },
        Rule {
            expression: "%",
            path: "",
        },
    ]);
    assert_eq!(error.unwrap_err().number, 2);
}

#[test]
fn rules_are_tested_in_order_and_an_empty_one_is_the_default() {
    let rules = [
        Rule {
            expression: "event.type == 'a'",
            path: "/a",
        },
        Rule {
            expression: "event.data.n > 3",
            path: "/n",
        },
        Rule {
            expression: " \n",
            path: "/default",
        },
        Rule {
            expression: "event.x == 1",
            path: "/never",
        },
    ];
    let router = Router::compile(&rules).unwrap();
    let route = |event: Value| router.route(&event).unwrap().map(str::to_owned);
    assert_eq!(
        route(json!({"type": "a", "data": {"n": 9}})).as_deref(),
        Some("/a")
    );
    assert_eq!(
        route(json!({"type": "b", "data": {"n": 9}})).as_deref(),
        Some("/n")
    );
    assert_eq!(
        route(json!({"type": "b", "data": {"n": 1}})).as_deref(),
        Some("/default")
    );
    let shown: Vec<_> = router.rules().take(3).collect();
    assert_eq!(
        shown,
        [
            ("event.type == 'a'", "/a"),
            ("event.data.n > 3", "/n"),
            ("", "/default")
        ]
    );
}

#[test]
fn without_a_match_there_is_no_route_and_an_error_ends_the_search() {
    let router = one("event.type == 'a'").unwrap();
    assert_eq!(router.route(&json!({"type": "b"})).unwrap(), None);
    let none = Router::compile(&[]).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.route(&json!({})).unwrap(), None);
    let rules = [
        Rule {
            expression: "event.data.missing == 1",
            path: "/a",
        },
        Rule {
            expression: "",
            path: "/default",
        },
    ];
    let error = Router::compile(&rules).unwrap().route(&event()).unwrap_err();
    assert!(matches!(error, RouteError::Evaluation { .. }));
}

/// An event that counts how often it is parsed.
struct Unparsed {
    parsed: std::cell::Cell<usize>,
    broken: bool,
}

impl EventView for Unparsed {
    fn attribute(&self, name: &str) -> Attribute<'_> {
        match name {
            "type" => Attribute::Text(Cow::Borrowed("a")),
            "n" => Attribute::Other,
            _ => Attribute::Missing,
        }
    }

    fn value(&self) -> Result<Cow<'_, Value>, Box<dyn Error + Send + Sync>> {
        self.parsed.set(self.parsed.get() + 1);
        if self.broken {
            return Err("cut off".into());
        }
        Ok(Cow::Owned(json!({"type": "a", "data": {"x": 1}})))
    }
}

#[test]
fn an_event_is_parsed_only_if_a_rule_looks_into_it_and_then_once() {
    let unparsed = |broken| Unparsed {
        parsed: std::cell::Cell::new(0),
        broken,
    };
    let simple = [
        Rule {
            expression: "event.type == 'b'",
            path: "/b",
        },
        Rule {
            expression: "event.type == 'a' && event.n != 'x'",
            path: "/a",
        },
        Rule {
            expression: "event.data.x == 1",
            path: "/data",
        },
    ];
    let view = unparsed(false);
    let router = Router::compile(&simple).unwrap();
    assert_eq!(router.route(&view).unwrap(), Some("/a"));
    assert_eq!((view.parsed.get(), router.needs()), (0, Needs::Everything));

    let deep = [
        Rule {
            expression: "event.data.x == 2",
            path: "/2",
        },
        Rule {
            expression: "event.data.x == 3",
            path: "/3",
        },
        Rule {
            expression: "event.data.x == 1",
            path: "/1",
        },
    ];
    let view = unparsed(false);
    let router = Router::compile(&deep).unwrap();
    assert_eq!(router.route(&view).unwrap(), Some("/1"));
    assert_eq!(view.parsed.get(), 1);
    let error = router.route(&unparsed(true)).unwrap_err();
    assert_eq!(error.to_string(), "could not read the event to match it");
    assert_eq!(error.source().unwrap().to_string(), "cut off");
}

#[test]
fn needs_say_how_much_of_an_event_is_looked_at() {
    let needs = |expressions: &[&str]| {
        let rules: Vec<_> = expressions
            .iter()
            .map(|expression| Rule { expression, path: "" })
            .collect();
        Router::compile(&rules).unwrap().needs()
    };
    assert_eq!(needs(&[]), Needs::Nothing);
    assert_eq!(needs(&["", "event.data.x == 1"]), Needs::Nothing);
    assert_eq!(needs(&["event.type == 'a'", ""]), Needs::Attributes);
    assert_eq!(
        needs(&["event.type == 'a'", "event.data.x == 1"]),
        Needs::Everything
    );
}

#[test]
fn values_of_the_event_are_not_repeated_at_length() {
    let event = json!({"data": "s".repeat(5000)});
    let error = one("event.data + 1 == 2").unwrap().route(&event).unwrap_err();
    assert!(error.to_string().len() < 400, "{error}");
}

/// Expressions of each shape that recursion could follow, with `times` repetitions.
fn shapes(times: usize) -> Vec<String> {
    let fill = |part: &str| part.repeat(times);
    vec![
        format!("{}true", fill("true && ")),
        format!("{}true", fill("false || ")),
        format!("{}true", fill("false || true && ")),
        format!("1{} > 0", fill(" + 1")),
        format!("1{}", fill(" < 1")),
        format!("event{}", fill(".a")),
        format!("event{}", fill("['a']")),
        format!("{}false", fill("true ? true : ")),
        format!("{}true{}", fill("true ? "), fill(" : false")),
        format!("event.type{}", fill(".contains('a')")),
        format!("{}true{}", fill("("), fill(")")),
        format!("{}{}", fill("["), fill("]")),
        format!("{}1{}", fill("[1].map(x, "), fill(")")),
        fill("("),
        fill("["),
        fill("{"),
        fill("!"),
        fill("-"),
        fill("- "),
        fill("has("),
        fill("a."),
        fill("a("),
        fill("'''"),
        fill("\"\\\""),
        fill("? "),
        fill("in "),
        fill("// '\n("),
        format!("[{}]", fill("1,")),
        format!("{{{}}}", fill("'a':1,")),
    ]
}

#[test]
fn no_expression_exhausts_a_small_stack() {
    /// Half of what a worker thread of the runtime has.
    const STACK_BYTES: usize = 1024 * 1024;
    let run = || {
        for times in [
            5, 10, 15, 21, 22, 31, 32, 33, 61, 62, 63, 64, 65, 100, 500, 1000, 4000, 8000,
        ] {
            for expression in shapes(times) {
                if let Ok(router) = one(&expression) {
                    let _ = router.route(&event());
                }
            }
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(run)
        .unwrap();
    thread.join().unwrap();
}

/// Pieces of expressions, so that random mixes get past the parser.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "event",
        ".type",
        ".data",
        "[0]",
        "['a']",
        "==",
        "!=",
        "<",
        "in",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "?",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "1",
        "0",
        "-9223372036854775808",
        "18446744073709551615u",
        "1.5e308",
        "'a'",
        "\"b\"",
        "r'\\'",
        "b'x'",
        "true",
        "null",
        "has(",
        "size(",
        ".all(x,",
        ".map(x,",
        ".exists(x,",
        "x",
        "int(",
        "string(",
        "matches(",
        ".startsWith(",
        " ",
        "int",
        "type(",
        "dyn(",
    ])
    .prop_map(str::to_owned);
    prop_oneof![8 => fixed, 1 => "(?s).{0,6}"]
}

/// Any JSON value.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("(type|data|a|[a-z]{1,4})", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_mix_of_pieces_panics(pieces in prop::collection::vec(piece(), 0..16), event in json_value()) {
        let source = pieces.concat();
        if let Ok(router) = one(&source) {
            let _ = router.route(&event);
        }
    }

    #[test]
    fn no_text_panics(source in "(?s).{0,60}", event in json_value()) {
        if let Ok(router) = one(&source) {
            let _ = router.route(&event);
        }
    }
}
