//! Values of flags that are read as Dapr's CLI reads them.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

/// A path, which may be empty: scripts give `--flag "$VAR"`, and containers set variables to nothing. clap's own parser
/// refuses the empty one, so that whoever uses the value has to leave it out ([`given`]).
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A path that was given and is not empty.
pub(super) fn given(path: Option<PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
}
