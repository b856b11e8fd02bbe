//! Both dialects read as their programs read them; no text ends in a panic.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn one(text: &str, dialect: Dialect) -> Document {
    let mut all = documents(text, dialect);
    assert_eq!(all.len(), 1, "{text:?}");
    all.remove(0).unwrap()
}

fn kube(text: &str) -> serde_json::Value {
    one(text, Dialect::Kubernetes).root.to_json()
}

fn error(text: &str) -> String {
    documents(text, Dialect::Kubernetes)
        .into_iter()
        .find_map(Result::err)
        .map_or_else(|| panic!("{text:?} should fail"), |error| error.to_string())
}

#[test]
fn plain_scalars_mean_what_kubernetes_tools_take_them_for() {
    let cases = [
        ("yes", json!(true)),
        ("On", json!(true)),
        ("n", json!(false)),
        ("off", json!(false)),
        ("~", json!(null)),
        ("017", json!(15)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("-0x10", json!(-16)),
        ("0b101", json!(5)),
        ("1_000", json!(1000)),
        ("+12", json!(12)),
        ("089", json!(89.0)),
        ("1.50", json!(1.5)),
        (".5", json!(0.5)),
        ("1e3", json!(1000.0)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("2024-01-02", json!("2024-01-02")),
        ("12:30:45", json!("12:30:45")),
        ("1.2.3", json!("1.2.3")),
        ("1e999", json!("1e999")),
        ("'yes'", json!("yes")),
        ("\"5\"", json!("5")),
        ("!!str 5", json!("5")),
        ("!!float 5", json!(5.0)),
        ("!own 5", json!("5")),
        ("-", json!([null])),
    ];
    for (text, value) in cases {
        assert_eq!(
            kube(&format!("a: {text}\n").replace("a: -\n", "a:\n-\n")),
            json!({"a": value}),
            "{text}"
        );
    }
}

#[test]
fn the_plain_dialect_keeps_words_and_keys_as_written() {
    let document = one("on: yes\n017: 0.10\nx: true\n", Dialect::Plain);
    assert_eq!(
        document.root.to_json(),
        json!({"on": "yes", "017": 0.1, "x": true})
    );
    assert_eq!(kube("on: yes\n017: 1\n"), json!({"true": true, "15": 1}));
}

#[test]
fn json_text_is_as_go_writes_it() {
    let text = "b: [1, 0.5, 1e21, 1e-7, 100000000.0, yes, null]\na: \"<x> & \\u2028 \\\"q\\\" \\t\\x01\"\n";
    assert_eq!(
        one(text, Dialect::Kubernetes).root.to_json_text().unwrap(),
        r#"{"a":"\u003cx\u003e \u0026 \u2028 \"q\" \t\u0001","b":[1,0.5,1e+21,1e-7,100000000,true,null]}"#
    );
    assert_eq!(one("a: .inf\n", Dialect::Kubernetes).root.to_json_text(), None);
}

#[test]
fn numbers_as_text_are_as_go_writes_them() {
    let cases = [
        (0.1, "0.1"),
        (1.5, "1.5"),
        (8.0, "8"),
        (123_456.0, "123456"),
        (1_234_567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
    ];
    for (value, text) in cases {
        assert_eq!(as_text(Scalar::Float(value)).unwrap(), text);
    }
}

#[test]
fn merge_keys_bring_what_is_not_there_and_earlier_ones_win() {
    let text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\nx:\n  <<: [*base, *other]\n  a: 9\n";
    assert_eq!(kube(text)["x"], json!({"a": 9, "b": 2, "c": 4}));
    assert_eq!(
        error("x:\n  <<: 5\n"),
        "not valid YAML at line 2, column 7: a merge key (<<) takes a mapping or a list of mappings"
    );
}

#[test]
fn the_last_of_two_equal_keys_wins_and_is_reported() {
    let document = one("a: 1\nb: 2\na: 3\n", Dialect::Kubernetes);
    assert_eq!(document.root.to_json(), json!({"a": 3, "b": 2}));
    assert_eq!(
        document.repeated_keys,
        [("a".to_owned(), Position { line: 3, column: 1 })]
    );
}

#[test]
fn an_error_spoils_only_its_document_and_names_the_line_of_the_file() {
    let all = documents(
        "a: 1\n---\nb: [\n---\n# only a comment\n---\nc: 3\n",
        Dialect::Kubernetes,
    );
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].as_ref().unwrap().number, 1);
    let error = all[1].as_ref().unwrap_err();
    assert_eq!((error.document, error.position.line), (2, 3));
    let last = all[2].as_ref().unwrap();
    assert_eq!((last.number, last.root.position.line), (4, 7));
}

#[test]
fn errors_say_what_is_wrong() {
    assert_eq!(
        error("a: 1\n...\nb: 2\n"),
        "not valid YAML at line 3, column 1: a second document begins without a \"---\" line"
    );
    assert_eq!(
        error("? [a]\n: 1\n"),
        "not valid YAML at line 1, column 3: a key is a list or a mapping; only single values can be keys"
    );
    assert_eq!(
        error("~: 1\n"),
        "not valid YAML at line 1, column 1: a key is null"
    );
    assert_eq!(
        error("a: !!int x\n"),
        "not valid YAML at line 1, column 10: the value is not a !!int"
    );
    assert!(
        error("a: !!binary aGk=\n")
            .ends_with("the tag !!binary is not supported: write the base64 text without it")
    );
    assert!(error("a: &x [*x]\n").ends_with("an alias stands within the value it names"));
    assert!(!error("a: *nowhere\n").is_empty());
    assert!(!error("a: b: c\n").ends_with(": "));
}

#[test]
fn an_alias_bomb_is_refused_quickly() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{before}"); 9].join(", ")
        ));
    }
    assert!(error(&text).contains("more than 100000 values (aliases counted where they are used, "));

    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..200 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(error(&chain).ends_with("nested more than 128 deep"));
    assert!(error(&("[".repeat(150) + &"]".repeat(150))).contains("nested more than 128 deep"));
}

#[test]
fn a_long_text_counts_wherever_an_alias_or_a_merge_brings_it() {
    let long = "x".repeat(1 << 20);
    let value = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 1_000].join(", "));
    assert!(error(&value).contains("more than 100000 values"));
    // A key has at most 1024 characters.
    let short = "k".repeat(900);
    let key = format!(
        "a: &a {{m: {{{short}: 1}}}}\nb: [{}]\n",
        vec!["*a"; 10_000].join(", ")
    );
    assert!(error(&key).contains("more than 100000 values"));
    let merged = format!("a: &a {{{short}: 1}}\nb:\n{}", "- <<: *a\n".repeat(20_000));
    assert!(error(&merged).contains("more than 100000 values"));
    // By itself it is only long.
    let text = "x".repeat(MAX_FILE_BYTES - 3);
    assert_eq!(kube(&format!("a: {text}")), json!({"a": text}));
}

#[test]
fn tabs_carriage_returns_and_marks_are_read_or_placed() {
    assert_eq!(kube("\u{feff}a: 1\r\nb:\r\n- x\r\n"), json!({"a": 1, "b": ["x"]}));
    let all = documents(
        "---\r\n\r\n---\r\n# nothing\r\n---\r\na: 1\r\n",
        Dialect::Kubernetes,
    );
    assert_eq!(all.len(), 1);
    let only = all[0].as_ref().unwrap();
    assert_eq!((only.number, only.root.position.line), (3, 6));
    let tab = documents("a:\n\tb: 1\n", Dialect::Kubernetes)
        .remove(0)
        .unwrap_err();
    assert_eq!(tab.position.line, 2, "{tab}");
    assert!(tab.to_string().contains("tab"), "{tab}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        for dialect in [Dialect::Kubernetes, Dialect::Plain] {
            for document in documents(&text, dialect).into_iter().flatten() {
                let _ = document.root.to_json();
                let _ = document.root.to_json_text();
            }
        }
    }

    #[test]
    fn no_mix_of_yaml_signs_panics(text in "[-\\[\\]{}:,&*!|>'\"%@#? \nab0.<~]{0,120}") {
        let _ = documents(&text, Dialect::Kubernetes);
    }

    #[test]
    fn json_is_read_as_what_it_is(text in "[ -~]{0,40}", number in any::<i64>()) {
        let value = json!({"t": text, "n": number, "l": [text, null, true]});
        prop_assert_eq!(kube(&value.to_string()), value);
    }
}
