//! No panic on input: what cannot go on says so with an error.

use super::finding::{Finding, Rule};
use super::lexer::{Kind, Token};
use super::source::Source;

/// Methods that panic where there is nothing to give.
const METHODS: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];

/// Macros that do nothing else.
const MACROS: [&str; 4] = ["panic", "unreachable", "todo", "unimplemented"];

/// What is given to nobody: where it ends, a maker of the project sees it.
const TOOLS: [&str; 2] = ["xtask/", "benches/"];

/// Where a panic stands all the same, and why.
const EXEMPT: [(&str, &str); 1] = [(
    "crates/base/clock/src/entropy.rs",
    "a system without entropy can hand out no id that is its own: nothing may go on",
)];

static NO_PANIC: Rule = Rule {
    why: "no panic on input: one request must not end what serves all others (invariant 9)",
    cure: "return a typed error; what cannot happen is written so that the type says it, or goes into EXEMPT in \
           xtask/src/tidy/panic.rs with its reason",
};

/// Checks one file's code. Tests panic when they fail.
pub(crate) fn check(source: &Source, findings: &mut Vec<Finding>) {
    let mut free = TOOLS.iter().chain(EXEMPT.iter().map(|(path, _)| path));
    if free.any(|start| source.path.starts_with(start)) {
        return;
    }
    let tokens = source.library_tokens();
    for part in tokens.windows(3) {
        if let [before, name, after] = part
            && let Some(what) = panics(before, name, after)
        {
            findings.push(Finding::new(&source.path, name.line, &NO_PANIC, what));
        }
    }
}

fn panics(before: &Token<'_>, name: &Token<'_>, after: &Token<'_>) -> Option<String> {
    if name.kind != Kind::Ident {
        return None;
    }
    match (before.text, after.text) {
        (".", "(") if METHODS.contains(&name.text) => Some(format!("a call of {}", name.text)),
        (_, "!") if MACROS.contains(&name.text) => Some(format!("{}!", name.text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let mut findings = Vec::new();
        check(&Source::new(path, text.to_owned()), &mut findings);
        findings
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn calls_and_macros_that_panic_are_found_with_their_line() {
        let text = "fn f() {\n    a.unwrap();\n    b\n        .expect(\"x\");\n    panic!();\n    unreachable!(\"y\");\n}";
        let expected = [
            (2, "a call of unwrap"),
            (4, "a call of expect"),
            (5, "panic!"),
            (6, "unreachable!"),
        ]
        .map(|(line, what)| (line, what.to_owned()));
        assert_eq!(found("crates/runtime/api/src/x.rs", text), expected);
    }

    #[test]
    fn what_gives_something_else_tests_and_tools_are_not() {
        let path = "crates/runtime/api/src/x.rs";
        let other =
            "fn f() { a.unwrap_or_default(); b.expect_eq(1); std::panic::catch_unwind(f); // c.unwrap()\n}";
        assert!(found(path, other).is_empty());
        assert!(found(path, "#[cfg(test)]\nmod tests { fn f() { a.unwrap(); } }").is_empty());
        for free in [
            "xtask/src/x.rs",
            "benches/limit/src/x.rs",
            "tests/process/src/lib.rs",
            EXEMPT[0].0,
        ] {
            assert!(found(free, "fn f() { a.unwrap(); }").is_empty(), "{free}");
        }
    }
}
