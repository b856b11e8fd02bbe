//! Manifests.

use outrigger_resource_manifest::{
    SourceFile, expand, parse,
    yaml::{Dialect, MAX_DEPTH, MAX_NODES, Node, NodeKind, documents},
};

/// Reads `data` as a file of manifests, and as bare YAML in every dialect.
pub fn run(data: &[u8]) {
    let text = crate::text(data);
    for dialect in [Dialect::Kubernetes, Dialect::Plain] {
        for document in documents(&text, dialect).into_iter().flatten() {
            let (nodes, depth) = measure(&document.root);
            assert!(
                nodes <= MAX_NODES && depth <= MAX_DEPTH,
                "{nodes} nodes, {depth} deep"
            );
        }
    }
    let file = SourceFile {
        path: std::path::Path::new("fuzz.yaml").into(),
        content: Ok(text.clone().into_owned()),
    };
    let report = parse(vec![file], "app", Some("default"));
    for skipped in &report.skipped {
        // What is told of a mistake must itself be sayable.
        let _ = outrigger_base_std::chain(&skipped.reason);
    }
    for warning in &report.warnings {
        let _ = warning.to_string();
    }
    let _ = expand(&text, &|name: &str| Some(name.to_owned()));
}

/// How many nodes there are, and how deep they lie. Aliases share nodes, so that each is counted where it is used only
/// as often as the reader counted it.
fn measure(root: &Node) -> (usize, usize) {
    let (mut nodes, mut deepest) = (0, 0);
    let mut open = vec![(root, 1)];
    while let Some((node, depth)) = open.pop() {
        nodes += 1;
        deepest = deepest.max(depth);
        if nodes > MAX_NODES {
            break;
        }
        match &node.kind {
            NodeKind::Mapping(entries) => open.extend(entries.iter().map(|entry| (&*entry.value, depth + 1))),
            NodeKind::Sequence(items) => open.extend(items.iter().map(|item| (&**item, depth + 1))),
            NodeKind::Scalar { .. } => {}
        }
    }
    (nodes, deepest)
}
