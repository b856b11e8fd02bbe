//! Only the catalog names concrete components: neither their crates nor their type names stand elsewhere.

use std::collections::BTreeSet;

use super::finding::{Finding, Rule};
use super::lexer::Kind;
use super::source::Source;
use super::tree::Tree;

/// The kinds that a component's type begins with, as resources write them (`state.redis`).
const KINDS: [&str; 10] = [
    "bindings",
    "configuration",
    "conversation",
    "crypto",
    "lock",
    "middleware",
    "nameresolution",
    "pubsub",
    "secretstores",
    "state",
];
/// The folder of the components, and the beginning of their crates' names in code.
const COMPONENTS: &str = "crates/component/";
const CRATE_PREFIX: &str = "outrigger_component_";
/// Who may name them.
const CATALOG: &str = "crates/catalog/";
/// Where the look of a type name is no naming: the path, the string, and why.
const EXEMPT: [(&str, &str, &str); 2] = [
    (
        "crates/resource/manifest/src/decode/component.rs",
        "state.redis",
        "an example in a message to whoever wrote the manifest",
    ),
    (
        "bin/outrigger/src/commands/home/defaults.rs",
        "state.sqlite",
        "a file's name",
    ),
];

static NAMED: Rule = Rule {
    why: "the catalog is the only place that names concrete components, so that adding or leaving out one is one \
          line and one feature",
    cure: "look it up in the registry that crates/catalog returns, or let the catalog offer what is needed (a \
           default, a list) as a value",
};

/// Checks all code outside the catalog. The type names are those that the catalog registers and that the component
/// crates themselves write.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let types = component_types(tree);
    for source in tree.sources.iter().filter(|source| is_checked(source)) {
        for token in source.library_tokens() {
            let named = match token.kind {
                Kind::Ident => token.text.starts_with(CRATE_PREFIX),
                Kind::Str => words(token.text).any(|word| types.contains(word)),
                _ => false,
            };
            if named && !is_exempt(&source.path, token.text) {
                let text: String = token
                    .text
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(60)
                    .collect();
                let what = format!("a concrete component is named: {text}");
                findings.push(Finding::new(&source.path, token.line, &NAMED, what));
            }
        }
    }
}

fn is_checked(source: &Source) -> bool {
    !source.is_test
        && !source.path.starts_with(COMPONENTS)
        && !source.path.starts_with(CATALOG)
        && !source.path.starts_with("xtask/")
}

fn is_exempt(path: &str, text: &str) -> bool {
    EXEMPT
        .iter()
        .any(|(place, word, _)| path == *place && text.contains(word))
}

fn component_types(tree: &Tree) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for source in &tree.sources {
        let tokens = source.library_tokens();
        let strings = tokens
            .iter()
            .filter(|token| token.kind == Kind::Str)
            .map(|token| token.text);
        if source.path.starts_with(COMPONENTS) {
            types.extend(strings.filter(|text| is_type(text)).map(str::to_owned));
        } else if source.path.starts_with(CATALOG) {
            // The catalog registers names by kind; which kind is which method does not matter here.
            let of_each_kind = |name: &str| KINDS.map(|kind| format!("{kind}.{name}"));
            types.extend(strings.flat_map(of_each_kind));
        }
    }
    types
}

/// True for `<kind>.<name>` with nothing around it.
fn is_type(text: &str) -> bool {
    text.split_once('.').is_some_and(|(kind, name)| {
        KINDS.contains(&kind) && !name.is_empty() && words(text).next() == Some(text)
    })
}

/// The runs of characters that a type name is made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let mut tree = Tree::default();
        let component = "pub const TYPE: &str = \"state.redis\";\nconst NOT: &str = \"state.x y\";";
        tree.add(
            "crates/component/redis/src/lib.rs".to_owned(),
            component.to_owned(),
        );
        let catalog = "fn f(r: R) { r.broker(&[\"in-memory\"], x); }";
        tree.add(
            "crates/catalog/catalog/src/registry.rs".to_owned(),
            catalog.to_owned(),
        );
        tree.add(path.to_owned(), text.to_owned());
        let mut findings = Vec::new();
        check(&tree, &mut findings);
        findings
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn crates_and_types_are_found_outside_the_catalog() {
        let by_crate = found(
            "bin/outrigger/src/x.rs",
            "//! D.\nuse outrigger_component_redis::open;",
        );
        assert_eq!(
            by_crate,
            [(
                2,
                "a concrete component is named: outrigger_component_redis".to_owned()
            )]
        );
        let by_type = found(
            "crates/framework/outrigger/src/x.rs",
            "const YAML: &str = \"type: state.redis\\n\";",
        );
        assert_eq!(by_type.len(), 1, "{by_type:?}");
        let registered = found(
            "crates/runtime/host/src/x.rs",
            "const A: &str = \"pubsub.in-memory\";",
        );
        assert_eq!(registered.len(), 1, "{registered:?}");
    }

    #[test]
    fn the_catalog_tests_and_other_words_may() {
        let by_crate = "use outrigger_component_redis::open;";
        for path in [
            "crates/catalog/catalog/src/lib.rs",
            "tests/conformance/tests/it/redis.rs",
        ] {
            assert!(found(path, by_crate).is_empty(), "{path}");
        }
        for text in [
            "const A: &str = \"state.redissy\";",
            "const A: &str = \"the state.\";",
            "// state.redis",
        ] {
            assert!(found("bin/outrigger/src/x.rs", text).is_empty(), "{text}");
        }
    }
}
