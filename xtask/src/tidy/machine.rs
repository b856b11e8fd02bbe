//! Nothing of one machine: no path of a home or of this checkout, no host of a package registry.

use std::path::Path;

use super::finding::{Finding, Rule};
use super::tree::Tree;

/// Labels of host names that serve packages.
const REGISTRY_LABELS: [&str; 7] = ["proxy", "registry", "pypi", "repo", "repo1", "static", "index"];
/// Files that tools write and that name their source by design.
const WRITTEN_BY_TOOLS: [&str; 2] = ["Cargo.lock", "go.sum"];

static PATHS: Rule = Rule {
    why: "the repository works on every machine, so it names the folders of none",
    cure: "take the path from the environment, from CARGO_MANIFEST_DIR or from a temporary folder",
};
static REGISTRIES: Rule = Rule {
    why: "which registry or mirror serves packages is a setting of the machine, not of the repository",
    cure: "name the package only; for npm set omit-lockfile-registry-resolved=true and write the lock file anew",
};

/// Checks every line of every text file.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let homes = homes(Path::new(crate::checkout::ROOT));
    let texts = tree.files.iter().map(|file| (&file.path, &file.text));
    let sources = tree.sources.iter().map(|source| (&source.path, &source.text));
    for (path, text) in texts.chain(sources) {
        let file = path.rsplit('/').next().unwrap_or(path);
        if WRITTEN_BY_TOOLS.contains(&file) {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            if let Some(home) = homes.iter().find(|home| names_path(line, home)) {
                findings.push(Finding::new(
                    path,
                    at + 1,
                    &PATHS,
                    format!("a path of this machine: {home}"),
                ));
            }
            if let Some(host) = registry_host(line) {
                findings.push(Finding::new(
                    path,
                    at + 1,
                    &REGISTRIES,
                    format!("a package registry: {host}"),
                ));
            }
        }
    }
}

/// The checkout's folder, the folder around it, and the user's home, each ending in `/`.
fn homes(root: &Path) -> Vec<String> {
    let root = root.canonicalize().ok();
    let around = root.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let paths = [root, around, home].into_iter().flatten();
    // `/` itself, or a system folder, is no place of this machine alone.
    let is_own = |path: &String| !matches!(path.as_str(), "/" | "/tmp/" | "/usr/" | "/var/" | "/opt/");
    paths
        .map(|path| format!("{}/", path.display().to_string().trim_end_matches('/')))
        .filter(is_own)
        .collect()
}

/// True when `line` holds the folder `home` at the beginning of a path.
fn names_path(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '}' | ')'))
    })
}

/// The host of the first address in `line` that belongs to a registry.
fn registry_host(line: &str) -> Option<&str> {
    line.match_indices("://").find_map(|(at, mark)| {
        let rest = &line[at + mark.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))?;
        let host = &rest[..end];
        // A host of a test's own ends in a name that no registry has.
        let is_real = host.contains('.') && !host.ends_with(".example") && !host.ends_with(".test");
        let is_scheme_web = line[..at].ends_with("http") || line[..at].ends_with("https");
        let serves = host
            .split(['.', '-'])
            .any(|label| REGISTRY_LABELS.contains(&label));
        (is_real && is_scheme_web && serves).then_some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_machine_are_found_where_a_path_begins() {
        assert!(names_path("see /srv/me/notes", "/srv/me/"));
        assert!(names_path("\"/srv/me/\"", "/srv/me/"));
        assert!(!names_path("${dir}/srv/me/x", "/srv/me/"));
        assert!(!names_path("a/srv/me/x", "/srv/me/"));
    }

    #[test]
    fn hosts_of_registries_are_found() {
        // Put together here, so that this file does not hold what it forbids.
        let address = |host: &str| format!("x = \"https:{}{host}/simple\"", "//");
        for host in [
            "pypi.org",
            "registry.npmjs.org",
            "index.crates.io",
            "npm-registry.corp.net",
        ] {
            assert_eq!(registry_host(&address(host)), Some(host), "{host}");
        }
        for host in ["docs.rs", "localhost", "proxy.example", "github.com"] {
            assert_eq!(registry_host(&address(host)), None, "{host}");
        }
        assert_eq!(registry_host("no address"), None);
    }

    #[test]
    fn the_checkout_is_a_place_of_this_machine() {
        let root = Path::new(crate::checkout::ROOT);
        let own = format!("{}/", root.canonicalize().expect("the checkout exists").display());
        assert!(homes(root).contains(&own));
    }
}
