//! The files of the checkout: what git follows, and what it would follow.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::source::Source;

/// Every text file.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Files that are not Rust.
    pub(crate) files: Vec<TextFile>,
    /// Rust files.
    pub(crate) sources: Vec<Source>,
}

/// A text file that is not Rust.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl Tree {
    /// Reads the files of the checkout at `root`. Ignored files stay out; files not yet added are in.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        for path in list(root)? {
            // A file deleted and not yet removed from the index has nothing to check; binary files neither.
            let Ok(bytes) = fs::read(root.join(&path)) else {
                continue;
            };
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            tree.add(path, text);
        }
        tree.spread_test_modules();
        Ok(tree)
    }

    /// Adds one file.
    pub(crate) fn add(&mut self, path: String, text: String) {
        if Path::new(&path)
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            self.sources.push(Source::new(&path, text));
        } else {
            self.files.push(TextFile { path, text });
        }
    }

    /// Marks the files of modules that another file declares under `#[cfg(test)]`, and all below them.
    pub(crate) fn spread_test_modules(&mut self) {
        let modules: Vec<String> = self
            .sources
            .iter()
            .flat_map(|source| source.test_modules.iter().cloned())
            .collect();
        for source in &mut self.sources {
            let is_of = |module: &String| {
                source
                    .path
                    .strip_prefix(module.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            source.is_test |= modules.iter().any(is_of);
        }
    }
}

fn list(root: &Path) -> io::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("tidy needs git (Debian package: git): {error}"),
            )
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("git does not list the files: {said}")));
    }
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut paths: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    // A path with a conflict is listed once a side.
    paths.sort();
    paths.dedup();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_in_its_own_file_is_test_code_with_all_below() {
        let mut tree = Tree::default();
        let mut add = |path: &str, text: &str| tree.add(path.to_owned(), text.to_owned());
        add(
            "crates/a/b/src/lib.rs",
            "#[cfg(test)]\nmod tests;\nmod testsuite;",
        );
        add("crates/a/b/src/tests.rs", "");
        add("crates/a/b/src/tests/deep.rs", "");
        add("crates/a/b/src/testsuite.rs", "");
        tree.spread_test_modules();
        let tested: Vec<bool> = tree.sources.iter().map(|source| source.is_test).collect();
        assert_eq!(tested, [false, true, true, false]);
    }
}
