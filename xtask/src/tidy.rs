//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Every rule says what it found and where, why the rule stands, and what to do. A rule looks at one of three things:
//! the workspace (packages and their dependencies), a manifest, or the tokens of a source file. What a rule lets pass
//! stands in a table beside the rule, each line with its reason.

mod components;
mod engines;
mod finding;
mod lexer;
mod links;
mod machine;
mod manifest;
mod panic;
mod rank;
mod shape;
mod source;
mod test_code;
mod tree;
mod wire;
mod workspace;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use self::finding::Finding;
use self::source::Source;
use self::tree::Tree;
use self::workspace::Workspace;

/// Checks the whole checkout and prints every finding. Fails when there is one.
pub(crate) fn run(args: &[String]) -> io::Result<ExitCode> {
    if !args.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "usage: cargo xtask tidy (it takes no arguments)",
        ));
    }
    let root = Path::new(crate::checkout::ROOT);
    let tree = Tree::read(root)?;
    let workspace = Workspace::load(root)?;
    let mut findings = check(&tree, &workspace);
    findings.sort();
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let (files, sources) = (tree.files.len(), tree.sources.len());
    writeln!(
        out,
        "tidy: {} findings in {files} files ({sources} of Rust), {} packages",
        findings.len(),
        workspace.packages.len()
    )?;
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

/// Every rule over everything.
fn check(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    rank::check(workspace, &mut findings);
    manifest::check(tree, workspace, &mut findings);
    machine::check(tree, &mut findings);
    links::check(tree, &mut findings);
    components::check(tree, &mut findings);
    test_code::check(tree, &mut findings);
    for source in tree.sources.iter().filter(|source| !source.is_generated()) {
        check_source(source, &mut findings);
    }
    findings
}

/// The rules that need one source file and nothing else.
fn check_source(source: &Source, findings: &mut Vec<Finding>) {
    shape::check(source, findings);
    wire::check(source, findings);
    engines::check(source, findings);
    panic::check(source, findings);
}
