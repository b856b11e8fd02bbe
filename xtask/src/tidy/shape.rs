//! The shape of a file: its length, its name, its first words.

use super::finding::{Finding, Rule};
use super::lexer::{Kind, Token};
use super::source::Source;

/// Lines that a reader takes in at one sitting; most files are far shorter.
const LINES_MAX: usize = 800;

static LONG: Rule = Rule {
    why: "a file is read as a whole; past 800 lines nobody does (the aim is 150, the usual limit 400)",
    cure: "move what has its own name into a module beside it: foo.rs and foo/part.rs",
};
static MOD_RS: Rule = Rule {
    why: "ten open tabs called mod.rs help nobody",
    cure: "name the file after the module: foo.rs beside the folder foo/",
};
static PROMISED: Rule = Rule {
    why: "a note to oneself in the code is a promise that nobody keeps",
    cure: "do it, or say in the documentation what is not there and answer with an error that names it",
};
static SILENCED: Rule = Rule {
    why: "a lint that is switched off without a word is switched off for the next reader as well",
    cure: "mend the code, or write the attribute as #[allow(…, reason = \"…\")]",
};
static UNDOCUMENTED: Rule = Rule {
    why: "a file begins by saying what it is for, so that a reader knows whether to go on",
    cure: "begin it with a `//!` comment: what it is, and why it is so",
};

/// Checks one file.
pub(crate) fn check(source: &Source, findings: &mut Vec<Finding>) {
    let path = source.path.as_str();
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding::new(path, LINES_MAX + 1, &LONG, format!("{lines} lines")));
    }
    if path.ends_with("/mod.rs") {
        findings.push(Finding::new(path, 1, &MOD_RS, "a file named mod.rs"));
    }
    if !has_module_docs(source) {
        findings.push(Finding::new(path, 1, &UNDOCUMENTED, "no module documentation"));
    }
    find_promises(source, findings);
    find_silenced(source, findings);
}

/// Words that promise.
const PROMISES: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

fn find_promises(source: &Source, findings: &mut Vec<Finding>) {
    let tokens = source.tokens();
    for comment in tokens.iter().filter(|token| token.kind == Kind::Comment) {
        let mut words = comment.text.split(|c: char| !c.is_alphanumeric());
        if let Some(word) = words.find(|word| PROMISES.contains(word)) {
            findings.push(Finding::new(
                &source.path,
                comment.line,
                &PROMISED,
                format!("a comment says {word}"),
            ));
        }
    }
}

/// `#[allow(…)]` and `#[expect(…)]` that give no reason.
fn find_silenced(source: &Source, findings: &mut Vec<Finding>) {
    let tokens: Vec<Token<'_>> = source
        .tokens()
        .into_iter()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    for at in 0..tokens.len() {
        let words: Vec<&str> = tokens[at..].iter().take(4).map(|token| token.text).collect();
        let silences = matches!(words.as_slice(), ["#" | "!", "[", "allow" | "expect", "("]);
        if silences && !inside_brackets(&tokens[at..]).any(|token| token.text == "reason") {
            findings.push(Finding::new(
                &source.path,
                tokens[at].line,
                &SILENCED,
                "a lint is off without a reason",
            ));
        }
    }
}

/// The tokens up to the end of an attribute.
fn inside_brackets<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t Token<'a>> {
    tokens
        .iter()
        .take_while(|token| token.kind != Kind::Punct || token.text != "]")
}

/// True when `//!` or `/*!` comes before the first item. Inner attributes may stand before it.
fn has_module_docs(source: &Source) -> bool {
    let mut depth = 0_usize;
    for token in source.tokens() {
        match (token.kind, token.text) {
            (Kind::Comment, text) if text.starts_with("//!") || text.starts_with("/*!") => return true,
            (Kind::Comment, _) => {}
            (Kind::Punct, "[") => depth += 1,
            (Kind::Punct, "]") => depth = depth.saturating_sub(1),
            (Kind::Punct, "#" | "!") => {}
            _ if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static Rule> {
        let mut findings = Vec::new();
        check(&Source::new(path, text.to_owned()), &mut findings);
        findings.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_file_begins_with_its_documentation() {
        assert!(rules("a.rs", "//! What.\nfn f() {}").is_empty());
        assert!(rules("a.rs", "// A licence.\n#![deny(x)]\n//! What.\nfn f() {}").is_empty());
        assert_eq!(rules("a.rs", "/// An item's.\nfn f() {}"), [&UNDOCUMENTED]);
        assert_eq!(rules("a.rs", "mod x;\n//! Too late."), [&UNDOCUMENTED]);
        assert_eq!(rules("a.rs", ""), [&UNDOCUMENTED]);
    }

    #[test]
    fn lints_are_off_with_a_reason_only() {
        assert_eq!(
            rules("a.rs", "//! What.\n#[allow(dead_code)]\nfn f() {}"),
            [&SILENCED]
        );
        assert_eq!(
            rules("a.rs", "//! What.\n#![expect(\n    dead_code\n)]\nfn f() {}"),
            [&SILENCED]
        );
        let good = "//! What.\n#[allow(dead_code, reason = \"x\")]\nfn f() { x[expect(1)]; allow(2); }";
        assert!(rules("a.rs", good).is_empty());
    }

    #[test]
    fn promises_are_found_in_comments_only() {
        assert_eq!(rules("a.rs", "//! What.\n// TODO: later\nfn f() {}"), [&PROMISED]);
        assert!(
            rules(
                "a.rs",
                "//! What.\nconst XXX: &str = \"TODO\";\n// HACKS are other words"
            )
            .is_empty()
        );
    }

    #[test]
    fn long_files_and_mod_rs_are_found() {
        let lines = |count: usize| format!("//! What.\n{}", "// x\n".repeat(count - 1));
        assert!(rules("a.rs", &lines(LINES_MAX)).is_empty());
        assert_eq!(rules("a.rs", &lines(LINES_MAX + 1)), [&LONG]);
        assert_eq!(rules("a/mod.rs", "//! What."), [&MOD_RS]);
    }
}
