//! Links in Markdown lead somewhere.

use std::collections::BTreeSet;

use super::finding::{Finding, Rule};
use super::tree::Tree;

static BROKEN: Rule = Rule {
    why: "a page that leads nowhere is found by a reader and by nobody else",
    cure: "correct the path, which is relative to the page, or take the link out",
};

/// Checks the relative links of every Markdown file. Addresses on the web are not tried.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let files = tree.files.iter().map(|file| file.path.as_str());
    let sources = tree.sources.iter().map(|source| source.path.as_str());
    let places: BTreeSet<String> = files.chain(sources).flat_map(with_folders).collect();
    for page in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (at, line) in page.text.lines().enumerate() {
            for target in targets(line) {
                if !resolve(&page.path, target).is_some_and(|path| places.contains(&path)) {
                    let what = format!("a link to {target}, where nothing is");
                    findings.push(Finding::new(&page.path, at + 1, &BROKEN, what));
                }
            }
        }
    }
}

/// A path, and every folder above it.
fn with_folders(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(end, _)| end);
    ends.chain([path.len()])
        .map(|end| path[..end].to_owned())
        .collect()
}

/// What the links of a line lead to, without a place inside the page. Addresses with a scheme are left out.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split_once(')')?.0.split('#').next()?;
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

/// The path from the root of the repository; none when it leads out of it.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let mut tree = Tree::default();
        let page = "[a](b.md) [c](../README.md#top) [d](https://x.y/z) [e](#here)\n[f](adr/) [g](gone.md) [h](../../x)";
        tree.add("docs/a.md".to_owned(), page.to_owned());
        for path in ["docs/b.md", "README.md", "docs/adr/1.md"] {
            tree.add(path.to_owned(), String::new());
        }
        let mut findings = Vec::new();
        check(&tree, &mut findings);
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.line, finding.what.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (2, "a link to gone.md, where nothing is"),
                (2, "a link to ../../x, where nothing is")
            ]
        );
    }
}
