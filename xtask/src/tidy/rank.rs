//! Who may depend on whom: the folder is the rank.
//!
//! Normal and build dependencies point down, or stay inside a group; dev-dependencies may point anywhere. A few rooms
//! are narrower than their rank, and a few rooms may not use some libraries.

use super::finding::{Finding, Rule};
use super::workspace::{Dependency, Package, Workspace};

/// The groups under `crates/` and their ranks.
const RANKS: [(&str, u8); 12] = [
    ("base", 0),
    ("wire", 1),
    ("toolkit", 1),
    ("block", 2),
    ("engine", 3),
    ("resource", 3),
    ("identity", 3),
    ("component", 4),
    ("runtime", 4),
    ("control", 4),
    ("catalog", 5),
    ("framework", 6),
];
/// The rank of the programs.
const PROGRAM_RANK: u8 = 7;

/// What of the runtime a face may know: the operations, the subscriptions (an operation that lasts), and what counts.
const BEHIND_FACES: [&str; 3] = ["api", "delivery", "telemetry"];

static UP: Rule = Rule {
    why: "dependencies go down a rank or stay inside a group, so that what lies below can be read, tested and \
          changed alone (ARCHITECTURE.md, code map)",
    cure: "turn it round: let the lower crate define a trait or a type, and hand the thing in from above; only tests \
           may use [dev-dependencies] for it",
};
static ALONE: Rule = Rule {
    why: "a component knows one technology: not another component, not the runtime that uses it (invariant 1)",
    cure: "move what both need into the block's crate or into base, or pass it in through the component's context",
};
static FACE: Rule = Rule {
    why: "the API faces hold no behaviour: decode, call runtime/api, encode (invariant 2)",
    cure: "put the operation into crates/runtime/api and call it from the face; a type that the face needs is \
           handed on by runtime/api (pub use)",
};
static CATALOG: Rule = Rule {
    why: "the catalog is the only place that names concrete components, so that a build can leave any of them out",
    cure: "take components as values of the block's traits, from the registry that crates/catalog returns",
};
static PURE: Rule = Rule {
    why: "engines take time, randomness and messages as arguments and return effects (invariant 3)",
    cure: "let the caller do the waiting, sending and drawing, and return an effect that says what it should do",
};
static LEAF: Rule = Rule {
    why: "tests, benches and tasks stand on the crates, never the other way round",
    cure: "move what the crate needs into a crate below it, or use [dev-dependencies]",
};
static OUTSIDE: Rule = Rule {
    why: "the folder is the rank: a package in a folder that has none cannot be checked",
    cure: "move it into a group of ARCHITECTURE.md's code map, or add the group to RANKS in xtask/src/tidy/rank.rs",
};

/// What an engine must not depend on: runtimes, clients, sockets and entropy.
const NOT_IN_ENGINES: [&str; 11] = [
    "getrandom",
    "hyper",
    "hyper-util",
    "mio",
    "rand",
    "redis",
    "reqwest",
    "rusqlite",
    "socket2",
    "tokio",
    "tonic",
];

/// Where a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'a> {
    /// In a group of a rank.
    Ranked { group: &'a str, name: &'a str, rank: u8 },
    /// Tests, benches, test support, tasks: they may use everything, and only tests may use them.
    Leaf,
    /// In no folder of the house.
    Nowhere,
}

/// Checks every dependency of every package.
pub(crate) fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for package in &workspace.packages {
        if place(&package.folder) == Place::Nowhere {
            let what = format!("package {} stands in no group", package.name);
            findings.push(Finding::new(&package.manifest(), 1, &OUTSIDE, what));
        }
        for dependency in package.dependencies.iter().filter(|one| !one.is_dev) {
            if let Some(rule) = broken(package, dependency) {
                let what = format!("{} depends on {}", package.name, dependency.name);
                findings.push(Finding::new(&package.manifest(), 1, rule, what));
            }
        }
    }
}

/// The rule that a dependency breaks.
fn broken(package: &Package, dependency: &Dependency) -> Option<&'static Rule> {
    let Place::Ranked { group, name, rank } = place(&package.folder) else {
        return None;
    };
    let Some(folder) = &dependency.folder else {
        let banned = group == "engine" && NOT_IN_ENGINES.contains(&dependency.name.as_str());
        return banned.then_some(&PURE);
    };
    let Place::Ranked {
        group: target,
        name: target_name,
        rank: target_rank,
    } = place(folder)
    else {
        return Some(&LEAF);
    };
    let is_face = group == "runtime" && name.starts_with("api-");
    match (group, target) {
        ("component", "component" | "runtime") => Some(&ALONE),
        (_, "component") if group != "catalog" => Some(&CATALOG),
        ("runtime", "runtime") if is_face && !BEHIND_FACES.contains(&target_name) => Some(&FACE),
        _ if target_rank > rank || (target_rank == rank && target != group) => Some(&UP),
        _ => None,
    }
}

fn place(folder: &str) -> Place<'_> {
    let parts: Vec<&str> = folder.split('/').collect();
    match parts.as_slice() {
        ["crates", group, name] => RANKS
            .iter()
            .find(|(known, _)| known == group)
            .map_or(Place::Nowhere, |&(_, rank)| Place::Ranked { group, name, rank }),
        ["bin", name] => Place::Ranked {
            group: "bin",
            name,
            rank: PROGRAM_RANK,
        },
        ["testing" | "tests" | "benches" | "examples" | "xtask", ..] => Place::Leaf,
        _ => Place::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(from: &str, to: &str) -> Option<&'static Rule> {
        let is_ours = to.contains('/');
        let dependency = Dependency {
            name: to.to_owned(),
            is_dev: false,
            folder: is_ours.then(|| to.to_owned()),
        };
        let package = Package {
            name: "p".to_owned(),
            folder: from.to_owned(),
            dependencies: Vec::new(),
        };
        broken(&package, &dependency)
    }

    #[test]
    fn down_and_inside_a_group_is_allowed() {
        for (from, to) in [
            ("crates/wire/names", "crates/base/std"),
            ("crates/toolkit/discovery", "crates/toolkit/balance"),
            ("crates/runtime/node", "crates/runtime/host"),
            ("crates/runtime/api-http", "crates/runtime/api"),
            ("crates/runtime/api-grpc", "crates/runtime/delivery"),
            ("crates/runtime/api-http", "crates/toolkit/transport"),
            ("crates/catalog/catalog", "crates/component/redis"),
            ("bin/outrigger", "crates/framework/outrigger"),
            ("tests/process", "bin/outrigger"),
            ("crates/engine/routing", "cel"),
        ] {
            assert_eq!(rule(from, to), None, "{from} -> {to}");
        }
    }

    #[test]
    fn up_and_sideways_is_not() {
        for (from, to) in [
            ("crates/base/std", "crates/wire/names"),
            ("crates/toolkit/transport", "crates/wire/names"),
            ("crates/wire/names", "crates/toolkit/transport"),
            ("crates/toolkit/transport", "crates/block/kit"),
            ("crates/engine/routing", "crates/resource/manifest"),
            ("crates/control/placement", "crates/runtime/api"),
            ("crates/framework/outrigger", "bin/outrigger"),
            ("crates/block/state", "crates/catalog/catalog"),
        ] {
            assert_eq!(rule(from, to), Some(&UP), "{from} -> {to}");
        }
    }

    #[test]
    fn narrow_rooms_are_narrower_than_their_rank() {
        assert_eq!(
            rule("crates/component/redis", "crates/component/memory"),
            Some(&ALONE)
        );
        assert_eq!(rule("crates/component/redis", "crates/runtime/api"), Some(&ALONE));
        assert_eq!(
            rule("crates/runtime/host", "crates/component/redis"),
            Some(&CATALOG)
        );
        assert_eq!(rule("bin/outrigger", "crates/component/redis"), Some(&CATALOG));
        assert_eq!(
            rule("crates/framework/outrigger", "crates/component/redis"),
            Some(&CATALOG)
        );
        assert_eq!(
            rule("crates/runtime/api-grpc", "crates/runtime/host"),
            Some(&FACE)
        );
        assert_eq!(
            rule("crates/runtime/api-grpc", "crates/runtime/api-http"),
            Some(&FACE)
        );
        assert_eq!(rule("crates/engine/routing", "tokio"), Some(&PURE));
        assert_eq!(rule("crates/block/state", "testing/harness"), Some(&LEAF));
    }

    #[test]
    fn tests_may_depend_on_anything_and_a_package_outside_the_house_is_told() {
        let dependency = Dependency {
            name: "d".to_owned(),
            is_dev: true,
            folder: Some("crates/component/redis".to_owned()),
        };
        let at = |folder: &str| Package {
            name: "p".to_owned(),
            folder: folder.to_owned(),
            dependencies: vec![dependency.clone()],
        };
        let workspace = Workspace {
            packages: vec![at("crates/base/std"), at("crates/drawer/misc")],
        };
        let mut findings = Vec::new();
        check(&workspace, &mut findings);
        let rules: Vec<_> = findings
            .iter()
            .map(|finding| (finding.path.as_str(), finding.rule))
            .collect();
        assert_eq!(rules, [("crates/drawer/misc/Cargo.toml", &OUTSIDE)]);
    }
}
