//! From `.proto` files to descriptors, with protox (pure Rust, no `protoc`).

use std::fs;
use std::path::{Path, PathBuf};

use prost_types::FileDescriptorSet;

use crate::Error;

/// Compiles every `.proto` file below `dir`. Comments are kept in the result; they become Rust docs.
///
/// # Errors
/// When a file cannot be read or does not compile.
pub fn compile(dir: &Path) -> Result<FileDescriptorSet, Error> {
    let mut compiler = protox::Compiler::new([dir]).map_err(Error::Compile)?;
    compiler.include_source_info(true).include_imports(true);
    for file in proto_files(dir)? {
        compiler.open_file(&file).map_err(Error::Compile)?;
    }
    Ok(compiler.file_descriptor_set())
}

/// Every `.proto` file below `dir`, in the order of their names: a stable input gives a stable output.
fn proto_files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        let failed = |source| Error::File {
            action: "list",
            path: folder.clone(),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
