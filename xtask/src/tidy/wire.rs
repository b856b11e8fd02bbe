//! The wire is one place: no literal that a peer, an SDK or a user reads outside `crates/wire`.

use super::finding::{Finding, Rule};
use super::lexer::Kind;
use super::source::Source;

/// What a literal of the wire looks like, wherever it stands in a string.
const PATTERNS: [&str; 9] = [
    "ERR_",
    "dapr-",
    "DAPR_",
    "/v1.0",
    "/dapr/",
    "dapr.proto",
    "dapr_",
    "com.dapr.",
    "cloudevents+",
];

/// Literals of the wire that are the whole of a string: what events, and the metadata beside them, are made of.
const WORDS: [&str; 8] = [
    "data_base64",
    "datacontenttype",
    "rawPayload",
    "specversion",
    "traceid",
    "traceparent",
    "tracestate",
    "ttlInSeconds",
];

/// Where such a literal may stand all the same: the path's beginning, the string's content ("" is any), and why.
const EXEMPT: [(&str, &str, &str); 6] = [
    ("crates/wire/", "", "the place itself"),
    (
        "xtask/gen/",
        "dapr.proto",
        "names messages of proto/ to the compiler; nothing reads them on a wire",
    ),
    (
        "xtask/src/bench",
        "",
        "drives the programs from outside, as a test does: a constant would prove nothing",
    ),
    (
        "xtask/src/tidy/",
        "",
        "these patterns, and what their tests feed them",
    ),
    (
        "crates/component/",
        "ttlInSeconds",
        "a field of a component's own metadata belongs to the component",
    ),
    (
        "crates/component/local/",
        "DAPR_",
        "what the secret store of the environment hides is part of its contract",
    ),
];

static ONE_PLACE: Rule = Rule {
    why: "every route, header, status, error code, metric and environment name is named in crates/wire, once \
          (invariant 4)",
    cure: "use or add a constant in crates/wire/names; a case that is no wire name goes into EXEMPT in \
           xtask/src/tidy/wire.rs with its reason",
};

/// Checks one file's code. Tests write the literals out: a test that uses the constant proves nothing.
pub(crate) fn check(source: &Source, findings: &mut Vec<Finding>) {
    for token in source
        .library_tokens()
        .iter()
        .filter(|token| token.kind == Kind::Str)
    {
        if looks_like_wire(token.text) && !is_exempt(&source.path, token.text) {
            let what = format!("wire literal \"{}\"", shorten(token.text));
            findings.push(Finding::new(&source.path, token.line, &ONE_PLACE, what));
        }
    }
}

fn looks_like_wire(text: &str) -> bool {
    PATTERNS.iter().any(|pattern| text.contains(pattern)) || WORDS.contains(&text)
}

fn is_exempt(path: &str, text: &str) -> bool {
    EXEMPT
        .iter()
        .any(|(start, content, _)| path.starts_with(start) && text.contains(content))
}

/// The first line of a string, cut where a finding would grow past reading.
fn shorten(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(SHOWN_MAX)
        .collect()
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
    fn literals_of_each_form_are_found_with_their_line() {
        for literal in [
            "ERR_STATE_GET",
            "dapr-app-id",
            "DAPR_HTTP_PORT",
            "/v1.0/state",
            "/dapr/config",
            "com.dapr.event.sent",
            "rawPayload",
        ] {
            let text = format!("//! Docs.\nfn f() {{\n    g(\"{literal}\");\n}}");
            let expected = vec![(3, format!("wire literal \"{literal}\""))];
            assert_eq!(found("crates/runtime/api/src/x.rs", &text), expected);
        }
        assert_eq!(
            found("bin/outrigger/src/main.rs", "const A: &str = r#\"dapr_http\"#;").len(),
            1
        );
        assert_eq!(
            found("crates/base/x/src/lib.rs", "const A: &[u8] = b\"dapr.proto.x\";").len(),
            1
        );
    }

    #[test]
    fn comments_tests_and_exempt_places_are_not() {
        let path = "crates/runtime/api/src/x.rs";
        assert!(found(path, "// \"ERR_X\"\n/// `dapr-app-id`\nfn f() {}").is_empty());
        assert!(found(path, "#[cfg(test)]\nmod tests { const A: &str = \"ERR_X\"; }").is_empty());
        assert!(found("tests/process/tests/it.rs", "const A: &str = \"ERR_X\";").is_empty());
        assert!(found("crates/wire/names/src/errors.rs", "const A: &str = \"ERR_X\";").is_empty());
        assert!(found("crates/component/local/src/env.rs", "const A: &str = \"DAPR_\";").is_empty());
        // A word is one only where it stands alone.
        assert!(found(path, "fn f() { g(\"rawPayload is no boolean\"); }").is_empty());
        assert_eq!(
            found("crates/component/local/src/env.rs", "const A: &str = \"ERR_X\";").len(),
            1
        );
    }
}
