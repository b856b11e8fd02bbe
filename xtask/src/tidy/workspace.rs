//! The workspace's packages and what each depends on, as cargo tells it.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::checkout::metadata;

/// All packages of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// In cargo's order.
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder, from the root of the repository.
    pub(crate) folder: String,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a package.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// For tests only: such a dependency may point up.
    pub(crate) is_dev: bool,
    /// The folder of a package of ours.
    pub(crate) folder: Option<String>,
}

impl Package {
    /// Its manifest, from the root of the repository.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load(root: &Path) -> io::Result<Self> {
        Self::parse(&metadata(root)?)
            .ok_or_else(|| io::Error::other("cargo metadata has a form that tidy does not know"))
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let root = metadata.get("workspace_root")?.as_str()?;
        let packages = metadata.get("packages")?.as_array()?;
        let packages = packages
            .iter()
            .map(|package| parse_package(root, package))
            .collect::<Option<_>>()?;
        Some(Self { packages })
    }
}

fn parse_package(root: &str, package: &Value) -> Option<Package> {
    let manifest = package.get("manifest_path")?.as_str()?;
    let dependencies = package.get("dependencies")?.as_array()?;
    Some(Package {
        name: package.get("name")?.as_str()?.to_owned(),
        folder: within(root, manifest.strip_suffix("/Cargo.toml")?)?,
        dependencies: dependencies
            .iter()
            .map(|one| parse_dependency(root, one))
            .collect::<Option<_>>()?,
    })
}

fn parse_dependency(root: &str, dependency: &Value) -> Option<Dependency> {
    let path = dependency.get("path").and_then(Value::as_str);
    Some(Dependency {
        name: dependency.get("name")?.as_str()?.to_owned(),
        is_dev: dependency.get("kind")?.as_str() == Some("dev"),
        folder: path.and_then(|path| within(root, path)),
    })
}

fn within(root: &str, path: &str) -> Option<String> {
    path.strip_prefix(root)?.strip_prefix('/').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_kinds_of_dependency_are_read() {
        let metadata = serde_json::json!({
            "workspace_root": "/r",
            "packages": [{
                "name": "a",
                "manifest_path": "/r/crates/base/a/Cargo.toml",
                "dependencies": [
                    { "name": "tokio", "kind": null },
                    { "name": "b", "kind": "dev", "path": "/r/crates/wire/b" },
                    { "name": "c", "kind": "build", "path": "/r/crates/wire/c" },
                ],
            }],
        });
        let workspace = Workspace::parse(&metadata).expect("a known form");
        let package = &workspace.packages[0];
        assert_eq!(package.manifest(), "crates/base/a/Cargo.toml");
        let seen: Vec<_> = package
            .dependencies
            .iter()
            .map(|one| (one.name.as_str(), one.is_dev, one.folder.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("tokio", false, None),
                ("b", true, Some("crates/wire/b")),
                ("c", false, Some("crates/wire/c"))
            ]
        );
    }
}
