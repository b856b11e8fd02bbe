//! Manifests: lints are the workspace's, and a package's name is its path.

use super::finding::{Finding, Rule};
use super::tree::Tree;
use super::workspace::Workspace;

static LINTS: Rule = Rule {
    why: "`unsafe` is forbidden and clocks, entropy, spawning and globals are banned by the workspace's lints \
          (invariants 9 and 12); a package that does not take them over escapes",
    cure: "add `[lints]` with `workspace = true` to the manifest",
};
static FORBID: Rule = Rule {
    why: "no `unsafe` in our crates (invariant 9), and the lints are where the compiler checks it",
    cure: "restore it in [workspace.lints] of the root Cargo.toml",
};
static NAME: Rule = Rule {
    why: "a name tells the folder and the folder tells the name; public packages drop the rank word",
    cure: "rename the package, or move the folder",
};
static SHARED: Rule = Rule {
    why: "all packages are versioned in lockstep and built for one edition, Rust version and licence",
    cure: "write `<key>.workspace = true`",
};

static MAP: Rule = Rule {
    why: "the code map of ARCHITECTURE.md says of every crate what it is and what it must not know",
    cure: "add it to the code map",
};

/// Keys that every manifest takes from the workspace.
const SHARED_KEYS: [&str; 4] = ["version", "edition", "rust-version", "license"];
/// Lints that the root manifest must keep, as written there.
const KEPT_LINTS: [&str; 3] = [
    "unsafe_code = \"forbid\"",
    "disallowed_methods = \"warn\"",
    "disallowed_types = \"warn\"",
];

/// Checks every manifest of the workspace, and that the code map has every crate.
pub(crate) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Vec<Finding>) {
    let text_of = |path: &str| {
        tree.files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    };
    if let Some(text) = text_of("Cargo.toml") {
        check_root(text, findings);
    }
    let map = text_of("ARCHITECTURE.md").unwrap_or_default();
    for package in &workspace.packages {
        if !is_mapped(map, &package.folder) {
            let what = format!("{} is not in the code map", package.folder);
            findings.push(Finding::new("ARCHITECTURE.md", 1, &MAP, what));
        }
        let manifest = package.manifest();
        if let Some(text) = text_of(&manifest) {
            check_text(&manifest, text, findings);
        }
        if let Some(name) = name_of(&package.folder).filter(|name| *name != package.name) {
            let what = format!("package {} should be named {name}", package.name);
            findings.push(Finding::new(&manifest, 2, &NAME, what));
        }
    }
}

fn check_root(text: &str, findings: &mut Vec<Finding>) {
    for lint in KEPT_LINTS {
        if !text.lines().any(|line| line.trim() == lint) {
            findings.push(Finding::new(
                "Cargo.toml",
                1,
                &FORBID,
                format!("the lint `{lint}` is gone"),
            ));
        }
    }
}

fn check_text(manifest: &str, text: &str, findings: &mut Vec<Finding>) {
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    if lines.next() != Some("workspace = true") {
        findings.push(Finding::new(
            manifest,
            1,
            &LINTS,
            "the workspace's lints are not taken over",
        ));
    }
    for key in SHARED_KEYS {
        let wanted = format!("{key}.workspace = true");
        if !text.lines().any(|line| line.trim() == wanted) {
            findings.push(Finding::new(
                manifest,
                1,
                &SHARED,
                format!("`{key}` is not the workspace's"),
            ));
        }
    }
}

/// True for what is no crate of a group, and for a crate that `map` names as `group/name` or, in a row of several, `name`.
fn is_mapped(map: &str, folder: &str) -> bool {
    folder
        .strip_prefix("crates/")
        .and_then(|path| path.split_once('/'))
        .is_none_or(|(group, name)| {
            map.contains(&format!("`{group}/{name}`")) || map.contains(&format!("`{name}`"))
        })
}

/// The name that a package in `folder` must have; none where the house gives no rule.
fn name_of(folder: &str) -> Option<String> {
    let parts: Vec<&str> = folder.split('/').collect();
    let name = match parts.as_slice() {
        ["crates", "framework", "outrigger"] => "outrigger".to_owned(),
        ["crates", "catalog", "catalog"] => "outrigger-catalog".to_owned(),
        ["crates", "toolkit" | "framework", name] => format!("outrigger-{name}"),
        ["crates", group, name] => format!("outrigger-{group}-{name}"),
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n\n[lints]\nworkspace = true\n";

    fn findings_in(text: &str) -> Vec<&'static Rule> {
        let mut findings = Vec::new();
        check_text("Cargo.toml", text, &mut findings);
        findings.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_manifest_takes_over_lints_and_shared_keys() {
        assert!(findings_in(GOOD).is_empty());
        assert_eq!(
            findings_in(&GOOD.replace("[lints]\nworkspace = true\n", "")),
            [&LINTS]
        );
        assert_eq!(
            findings_in(&GOOD.replace("edition.workspace = true", "edition = \"2021\"")),
            [&SHARED]
        );
    }

    #[test]
    fn the_root_keeps_its_lints() {
        let mut findings = Vec::new();
        check_root(
            "unsafe_code = \"forbid\"\ndisallowed_methods = \"warn\"\n",
            &mut findings,
        );
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.contains("disallowed_types"), "{findings:?}");
    }

    #[test]
    fn the_code_map_has_every_crate() {
        let map = "| 4 | `component/memory`, `sqlite` | … |";
        for folder in ["crates/component/memory", "crates/component/sqlite", "xtask"] {
            assert!(is_mapped(map, folder), "{folder}");
        }
        assert!(!is_mapped(map, "crates/component/redis"));
    }

    #[test]
    fn names_follow_folders() {
        let named = |folder: &str| name_of(folder);
        assert_eq!(
            named("crates/block/state").as_deref(),
            Some("outrigger-block-state")
        );
        assert_eq!(
            named("crates/toolkit/balance").as_deref(),
            Some("outrigger-balance")
        );
        assert_eq!(named("crates/framework/outrigger").as_deref(), Some("outrigger"));
        assert_eq!(
            named("crates/framework/client").as_deref(),
            Some("outrigger-client")
        );
        assert_eq!(
            named("crates/catalog/catalog").as_deref(),
            Some("outrigger-catalog")
        );
        assert_eq!(named("xtask"), None);
    }
}
