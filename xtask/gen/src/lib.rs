//! The task `gen`: turns `proto/*.proto` into the committed Rust of `crates/wire/proto/src/gen`.
//!
//! The product builds from the committed files, so it needs neither `protoc` nor the crates used here.
//! [`generate`] makes every file in memory; [`write()`] stores them and [`compare`] finds drift without writing.

mod compile;
mod output;
mod rust;

use std::path::{Path, PathBuf};

pub use compile::compile;
pub use output::{Drift, Files, compare, write};

/// Folder of the contracts, seen from the root of the repository.
pub const PROTO_DIR: &str = "proto";

/// Folder of the generated files, seen from the root of the repository.
pub const OUT_DIR: &str = "crates/wire/proto/src/gen";

/// File that holds the encoded `FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTOR_FILE: &str = "descriptor.bin";

/// Why generating, comparing or writing failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: "read", "write", "list", "remove" or "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The `.proto` files do not compile. The Debug form of protox's error is its Display form with file, line
    /// and column in front, so it stands here instead of a source.
    #[error("cannot compile the .proto files: {0:?}")]
    Compile(protox::Error),
    /// No Rust could be made of the descriptors.
    #[error("cannot generate Rust from the .proto files")]
    Rust(#[source] std::io::Error),
    /// A `.proto` file has a path that is not UTF-8.
    #[error("the path {} is not UTF-8; rename the file", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
}

/// Makes all generated files of the repository at `root`, in memory.
///
/// # Errors
/// When the `.proto` files cannot be read or do not compile.
pub fn generate(root: &Path) -> Result<Files, Error> {
    let set = compile(&root.join(PROTO_DIR))?;
    let mut files = rust::generate(&set)?;
    files.insert(DESCRIPTOR_FILE.to_owned(), output::descriptor_bytes(set));
    Ok(files)
}

/// The root of the repository this crate was built from.
pub fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
