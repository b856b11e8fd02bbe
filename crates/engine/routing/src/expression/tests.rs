//! The short cut agrees with the interpreter, and no rule text or event ends in a panic.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Compiles without the short cut for simple expressions.
fn interpreted(source: &str) -> Program {
    let compiler = Compiler::default();
    let program = compiler.env.compile(source).unwrap();
    Program {
        form: form(program.expression()),
        env: compiler.env,
        program,
        source: source.into(),
    }
}

fn is_simple(source: &str) -> bool {
    matches!(
        Compiler::default().compile(source).unwrap(),
        Expression::Simple { .. }
    )
}

#[test]
fn comparisons_of_text_attributes_need_no_interpreter() {
    let simple = [
        r#"event.type == "a""#,
        r#""a" == event.type"#,
        r#"event.type != 'a'"#,
        r#"event["type"] == "a""#,
        r#"event.type == "a" || event.type == "b""#,
        r#"event.type == "a" && !(event.source == "s")"#,
        r#"event.type in ["a", "b"]"#,
        r#"(((event.type == "a")))"#,
    ];
    for source in simple {
        assert!(is_simple(source), "{source}");
    }
    let others = [
        r#"event.type == event.source"#,
        r#"event.type == 5"#,
        r#"event.data.type == "a""#,
        r#"has(event.type)"#,
        r#"other.type == "a""#,
        r#"event.type in [event.source]"#,
        r#"event.type.startsWith("a")"#,
        r#"true"#,
    ];
    for source in others {
        assert!(!is_simple(source), "{source}");
    }
}

#[test]
fn objects_are_copied_only_for_expressions_that_need_it() {
    assert_eq!(interpreted("event.data.a == event.data.b").form, Form::Borrowed);
    assert_eq!(
        interpreted("'a' in event.data && size(event) > 1").form,
        Form::Borrowed
    );
    assert_eq!(interpreted("event.data == {'a': 1.0}").form, Form::Copied);
    assert_eq!(interpreted("event.data.exists(k, k == 'a')").form, Form::Copied);
    assert_eq!(
        interpreted("[1, [event.data.all(k, true)]] == []").form,
        Form::Copied
    );
}

/// Expressions that are simple, of every form.
fn simple_source() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["type", "source", "n", "none", "missing"]);
    let text = prop::sample::select(vec!["a", "b", "5"]);
    let leaf = (name, text, 0..5u8).prop_map(|(name, text, shape)| match shape {
        0 => format!("event.{name} == '{text}'"),
        1 => format!("'{text}' == event.{name}"),
        2 => format!("event.{name} != '{text}'"),
        3 => format!("event['{name}'] == '{text}'"),
        _ => format!("event.{name} in ['{text}', 'x']"),
    });
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_short_cut_says_what_the_interpreter_says(source in simple_source()) {
        let event = json!({"type": "a", "source": "b", "n": 5, "none": null});
        let Expression::Simple { predicate, .. } = Compiler::default().compile(&source).unwrap() else {
            return Err(TestCaseError::fail(format!("{source} is not simple")));
        };
        let short = predicate.test(&event);
        let long = interpreted(&source).test(&event);
        prop_assert_eq!(short.ok(), long.ok(), "{}", source);
    }
}
