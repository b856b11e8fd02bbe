//! A Rust file: its tokens, where it stands in the house, and which of it is test code.

use super::lexer::{self, Kind, Token};

/// Folders whose code is test code wherever they stand in a path.
const TEST_FOLDERS: [&str; 5] = ["tests", "benches", "examples", "testing", "fuzz"];
/// The feature that switches the conformance suites on: they are tests, shared by crates.
const SUITE_FEATURE: &str = "conformance";

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
    /// True when all of it is test code.
    pub(crate) is_test: bool,
    /// Lines of test items inside a file that is not test code as a whole: first and last, from 1.
    test_lines: Vec<(usize, usize)>,
    /// The paths, without `.rs`, of modules that this file declares for tests only.
    pub(crate) test_modules: Vec<String>,
}

impl Source {
    /// Reads the text once for its test items.
    pub(crate) fn new(path: &str, text: String) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            text,
            is_test: path.split('/').any(|part| TEST_FOLDERS.contains(&part)),
            test_lines: Vec::new(),
            test_modules: Vec::new(),
        };
        source.find_test_items();
        source
    }

    /// Its tokens.
    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        lexer::tokens(&self.text)
    }

    /// The tokens that are code: no comments, and no test code.
    pub(crate) fn library_tokens(&self) -> Vec<Token<'_>> {
        if self.is_test {
            return Vec::new();
        }
        let is_library = |token: &Token<'_>| token.kind != Kind::Comment && !self.is_test_line(token.line);
        self.tokens().into_iter().filter(is_library).collect()
    }

    /// True for a line of test code.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        let inside = |&(first, last): &(usize, usize)| (first..=last).contains(&line);
        self.is_test || self.test_lines.iter().any(inside)
    }

    /// True for what `cargo xtask gen` wrote.
    pub(crate) fn is_generated(&self) -> bool {
        self.path.starts_with("crates/wire/proto/src/gen/")
    }

    /// The folder that the modules declared in this file stand in.
    fn module_folder(&self) -> &str {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        if matches!(name, "lib" | "main") {
            folder
        } else {
            stem
        }
    }

    fn find_test_items(&mut self) {
        let code: Vec<Token<'_>> = lexer::tokens(&self.text)
            .into_iter()
            .filter(|token| token.kind != Kind::Comment)
            .collect();
        let (mut lines, mut modules, mut whole) = (Vec::new(), Vec::new(), false);
        let mut at = 0;
        while at < code.len() {
            let Some(attribute) = Attribute::at(&code, at) else {
                at += 1;
                continue;
            };
            at = attribute.end;
            if !attribute.is_for_tests(&code) {
                continue;
            }
            if attribute.is_inner {
                whole = true;
                continue;
            }
            let end = item_end(&code, attribute.end);
            lines.push((code[attribute.start].line, code[end].line));
            if let Some(name) = declared_module(&code[attribute.end..=end]) {
                modules.push(format!("{}/{name}", self.module_folder()));
            }
            at = end + 1;
        }
        (self.test_lines, self.test_modules) = (lines, modules);
        self.is_test |= whole;
    }
}

/// `#[…]` or `#![…]`, as places in a list of tokens.
struct Attribute {
    start: usize,
    /// The first token after it.
    end: usize,
    is_inner: bool,
}

impl Attribute {
    fn at(code: &[Token<'_>], start: usize) -> Option<Self> {
        is_punct(code, start, "#").then_some(())?;
        let is_inner = is_punct(code, start + 1, "!");
        let open = start + 1 + usize::from(is_inner);
        is_punct(code, open, "[").then_some(())?;
        let end = closing(code, open) + 1;
        Some(Self { start, end, is_inner })
    }

    /// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(any(test, …))]` and the feature of the suites.
    fn is_for_tests(&self, code: &[Token<'_>]) -> bool {
        let inside = &code[self.start..self.end.min(code.len())];
        let idents: Vec<&str> = inside
            .iter()
            .filter(|token| token.kind == Kind::Ident)
            .map(|token| token.text)
            .collect();
        match idents.as_slice() {
            ["cfg", rest @ ..] if !rest.contains(&"not") => {
                let has_suite = inside
                    .iter()
                    .any(|token| token.kind == Kind::Str && token.text == SUITE_FEATURE);
                rest.contains(&"test") || (rest.contains(&"feature") && has_suite)
            }
            ["test", ..] | [_, "test", ..] => true,
            _ => false,
        }
    }
}

/// The last token of the item that begins at `start`: its `;` or the brace that closes its body.
fn item_end(code: &[Token<'_>], start: usize) -> usize {
    let mut at = start;
    while at < code.len() {
        match code[at].text {
            "(" | "[" if code[at].kind == Kind::Punct => at = closing(code, at),
            "{" if code[at].kind == Kind::Punct => return closing(code, at),
            ";" | "}" if code[at].kind == Kind::Punct => return at,
            _ => {}
        }
        at += 1;
    }
    code.len() - 1
}

/// Where the bracket at `open` is closed, or the last token.
fn closing(code: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Punct => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Punct => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    code.len() - 1
}

/// The name in `mod name;`, whatever attributes and visibility stand before.
fn declared_module<'a>(item: &[Token<'a>]) -> Option<&'a str> {
    let [.., keyword, name, end] = item else {
        return None;
    };
    (keyword.text == "mod" && end.text == ";").then_some(name.text)
}

fn is_punct(code: &[Token<'_>], at: usize, text: &str) -> bool {
    code.get(at)
        .is_some_and(|token| token.kind == Kind::Punct && token.text == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library_strings(path: &str, text: &str) -> Vec<String> {
        let source = Source::new(path, text.to_owned());
        let strings = source
            .library_tokens()
            .into_iter()
            .filter(|token| token.kind == Kind::Str);
        strings.map(|token| token.text.to_owned()).collect()
    }

    #[test]
    fn test_items_are_told_from_code() {
        let text = r#"
            fn a() { let x = "kept"; }
            #[test]
            fn b() { let x = "gone"; }
            #[tokio::test(start_paused = true)]
            async fn c() -> Result<(), [u8; 3]> { "gone" }
            #[cfg(test)]
            const D: &str = "gone";
            #[cfg(not(test))]
            const E: &str = "kept too";
            #[cfg(any(test, feature = "x"))]
            #[derive(Debug)]
            struct F { g: [u8; 2] }
            const G: &str = "kept as well";
            #[cfg(test)]
            mod tests { fn h() { "gone" } }
        "#;
        assert_eq!(
            library_strings("crates/base/x/src/a.rs", text),
            ["kept", "kept too", "kept as well"]
        );
    }

    #[test]
    fn a_conformance_suite_is_test_code() {
        let text = "#[cfg(feature = \"conformance\")]\npub mod suite { const A: &str = \"gone\"; }";
        assert!(library_strings("crates/block/x/src/lib.rs", text).is_empty());
        let other = "#[cfg(feature = \"fast\")]\npub mod fast { const A: &str = \"kept\"; }";
        assert_eq!(
            library_strings("crates/block/x/src/lib.rs", other),
            ["fast", "kept"]
        );
    }

    #[test]
    fn places_of_tests_are_test_code() {
        for path in [
            "crates/a/b/tests/it/main.rs",
            "testing/harness/src/lib.rs",
            "benches/limit/src/lib.rs",
        ] {
            assert!(Source::new(path, String::new()).is_test, "{path}");
        }
        assert!(!Source::new("crates/a/b/src/attests.rs", String::new()).is_test);
        assert!(Source::new("crates/a/b/src/x.rs", "#![cfg(test)]".to_owned()).is_test);
    }

    #[test]
    fn modules_declared_for_tests_are_named_by_path() {
        let declared = |path: &str| {
            Source::new(path, "#[cfg(test)]\npub(crate) mod tests;\nmod code;".to_owned()).test_modules
        };
        assert_eq!(declared("crates/a/b/src/lib.rs"), ["crates/a/b/src/tests"]);
        assert_eq!(declared("crates/a/b/src/x.rs"), ["crates/a/b/src/x/tests"]);
    }
}
