//! What code of some rooms must not name: clocks and threads in engines, global state in libraries.

use super::finding::{Finding, Rule};
use super::lexer::{Kind, Token};
use super::source::Source;

/// Types and modules that an engine must not name.
const NOT_IN_ENGINES: [&str; 6] = [
    "SystemTime",
    "Instant",
    "tokio",
    "hyper",
    "TcpStream",
    "UdpSocket",
];
/// Types that make a `static` change while the program runs.
const CHANGING: [&str; 9] = [
    "Mutex", "RwLock", "OnceLock", "LazyLock", "OnceCell", "LazyCell", "RefCell", "Cell", "ArcSwap",
];

static PURE: Rule = Rule {
    why: "engines run under a simulator: they get `now`, randomness and messages as arguments (invariant 3)",
    cure: "take the value as an argument (a Duration or a timestamp), and return what should happen as an effect",
};
static GLOBAL: Rule = Rule {
    why: "no global mutable state in libraries: two runtimes live in one process without knowing of each other \
          (invariant 9)",
    cure: "put it into a value that the runtime instance owns, and pass that in",
};

/// Checks one file's code.
pub(crate) fn check(source: &Source, findings: &mut Vec<Finding>) {
    if !source.path.starts_with("crates/") {
        return;
    }
    let tokens = source.library_tokens();
    if source.path.starts_with("crates/engine/") {
        for token in tokens.iter().filter(|token| names_any(token, &NOT_IN_ENGINES)) {
            let what = format!("an engine names {}", token.text);
            findings.push(Finding::new(&source.path, token.line, &PURE, what));
        }
    }
    let mut at = 0;
    while at < tokens.len() {
        if names_any(&tokens[at], &["thread_local"]) {
            at += scratch_length(&tokens[at..]);
        } else if let Some(name) = changing_static(&tokens[at..]) {
            let what = format!("the static {name} changes while the program runs");
            findings.push(Finding::new(&source.path, tokens[at].line, &GLOBAL, what));
        }
        at += 1;
    }
}

/// How many tokens `thread_local! { … }` takes. A thread's scratch buffer is shared with nobody, so it may change.
fn scratch_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" if token.kind == Kind::Punct => depth += 1,
            "}" if token.kind == Kind::Punct && depth == 1 => return at,
            "}" if token.kind == Kind::Punct => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    tokens.len()
}

fn names_any(token: &Token<'_>, names: &[&str]) -> bool {
    token.kind == Kind::Ident && names.contains(&token.text)
}

/// The name in `static NAME: Type = …`, when the type can change.
fn changing_static<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let [keyword, name, after, ..] = tokens else {
        return None;
    };
    names_any(keyword, &["static"]).then_some(())?;
    if name.text == "mut" {
        return Some(after.text);
    }
    // A lifetime ('static) is followed by no name and colon.
    (name.kind == Kind::Ident && after.text == ":").then_some(())?;
    let in_type = tokens
        .iter()
        .skip(3)
        .take_while(|token| !matches!(token.text, "=" | ";"));
    let changes = |token: &Token<'_>| {
        token.kind == Kind::Ident && (CHANGING.contains(&token.text) || token.text.starts_with("Atomic"))
    };
    in_type.into_iter().any(changes).then_some(name.text)
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
    fn engines_name_no_clock() {
        let clock = "use std::time::{Duration, Instant};\nfn f() {}";
        assert_eq!(rules("crates/engine/jobs/src/lib.rs", clock), [&PURE]);
        assert!(rules("crates/runtime/api/src/lib.rs", clock).is_empty());
        assert!(
            rules(
                "crates/engine/jobs/src/lib.rs",
                "// Instant\nuse std::time::Duration;"
            )
            .is_empty()
        );
        assert!(
            rules(
                "crates/engine/jobs/src/lib.rs",
                "#[cfg(test)]\nmod t { use tokio::x; }"
            )
            .is_empty()
        );
    }

    #[test]
    fn globals_that_change_are_found() {
        let path = "crates/base/x/src/lib.rs";
        for text in [
            "static A: AtomicU64 = AtomicU64::new(0);",
            "static B: std::sync::Mutex<Vec<u8>> = x;",
            "static mut C: u8 = 0;",
            "thread_local! { static A: Cell<u8> = { 0 }; }\nstatic D: AtomicBool = x;",
        ] {
            assert_eq!(rules(path, text), [&GLOBAL], "{text}");
        }
        for text in [
            "static A: &[u8] = &[];",
            "fn f(x: &'static str, y: Mutex<u8>) {}",
            "const A: X = AtomicU8::new(0);",
            "thread_local! { static A: RefCell<Vec<u8>> = RefCell::default(); }",
        ] {
            assert!(rules(path, text).is_empty(), "{text}");
        }
    }
}
