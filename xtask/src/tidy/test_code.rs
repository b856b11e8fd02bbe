//! Tests are run, and wait for conditions: no `#[ignore]` that nobody runs, no sleeping.

use super::finding::{Finding, Rule};
use super::lexer::{Kind, Token};
use super::source::Source;
use super::tree::Tree;

static IGNORED: Rule = Rule {
    why: "a test that never runs proves nothing, and a missing server is a failure, never a skip",
    cure: "make it run, or assert the broken case as it is, with a note; an ignored test may only be a part that \
           another test of its package plays in a process of its own (started with --ignored)",
};
static SLEEPS: Rule = Rule {
    why: "a test that waits for a while is slow on a quiet machine and fails on a busy one",
    cure: "wait for the condition (the harness's eventually), or pause tokio's clock and advance it",
};

/// Checks the test code of the whole tree.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for source in &tree.sources {
        let tokens: Vec<Token<'_>> = source
            .tokens()
            .into_iter()
            .filter(|token| token.kind != Kind::Comment)
            .collect();
        for (at, token) in tokens.iter().enumerate() {
            if is_ignore(&tokens[at..]) && !plays_parts(tree, source) {
                findings.push(Finding::new(
                    &source.path,
                    token.line,
                    &IGNORED,
                    "an ignored test",
                ));
            }
            if is_sleep(&tokens[at..]) && is_of_tests(source, token.line) {
                findings.push(Finding::new(
                    &source.path,
                    token.line,
                    &SLEEPS,
                    "thread::sleep in a test",
                ));
            }
        }
    }
}

/// Programs that measure pace themselves by sleeping; they are no tests.
fn is_of_tests(source: &Source, line: usize) -> bool {
    source.is_test_line(line) && !source.path.starts_with("benches/")
}

fn is_ignore(tokens: &[Token<'_>]) -> bool {
    let [hash, open, ignore, ..] = tokens else {
        return false;
    };
    hash.kind == Kind::Punct && hash.text == "#" && open.text == "[" && ignore.text == "ignore"
}

fn is_sleep(tokens: &[Token<'_>]) -> bool {
    let [thread, first, second, sleep, ..] = tokens else {
        return false;
    };
    thread.kind == Kind::Ident
        && thread.text == "thread"
        && (first.text, second.text) == (":", ":")
        && matches!(sleep.text, "sleep" | "sleep_ms")
}

/// True when a test of the same package starts ignored tests by name.
fn plays_parts(tree: &Tree, source: &Source) -> bool {
    let package = source.path.split("/tests/").next().unwrap_or_default();
    tree.sources
        .iter()
        .filter(|other| other.path.starts_with(package))
        .any(|other| {
            other
                .tokens()
                .iter()
                .any(|token| token.kind == Kind::Str && token.text == "--ignored")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)]) -> Vec<&'static Rule> {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.add((*path).to_owned(), (*text).to_owned());
        }
        let mut findings = Vec::new();
        check(&tree, &mut findings);
        findings.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn ignored_tests_are_found_unless_another_test_runs_them() {
        let ignored = (
            "crates/a/b/tests/it/x.rs",
            "#[test]\n#[ignore = \"later\"]\nfn f() {}",
        );
        assert_eq!(rules(&[ignored]), [&IGNORED]);
        let child = ("crates/a/b/tests/it/child.rs", "const A: &str = \"--ignored\";");
        assert!(rules(&[ignored, child]).is_empty());
        let stranger = ("crates/a/c/tests/it/child.rs", "const A: &str = \"--ignored\";");
        assert_eq!(rules(&[ignored, stranger]), [&IGNORED]);
    }

    #[test]
    fn tests_do_not_sleep() {
        let asleep = "fn f() { std::thread::sleep(x); }";
        assert_eq!(rules(&[("crates/a/b/tests/x.rs", asleep)]), [&SLEEPS]);
        assert_eq!(
            rules(&[(
                "crates/a/b/src/x.rs",
                &format!("#[cfg(test)]\nmod t {{ {asleep} }}")
            )]),
            [&SLEEPS]
        );
        assert!(rules(&[("benches/limit/src/x.rs", asleep)]).is_empty());
        assert!(rules(&[("crates/a/b/tests/x.rs", "// thread::sleep\nfn f() {}")]).is_empty());
    }
}
