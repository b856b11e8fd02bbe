//! YAML, read as the programs that our users' files were written for read it.
//!
//! A text becomes [`Document`]s of positioned [`Node`]s, one for each part between `---` lines, so that an error spoils
//! only the document it is in and every message can name a line. The grammar is a library's; what a plain scalar
//! *means* is decided here, since two dialects are wanted ([`Dialect`]). Merge keys are applied, aliases are shared and
//! counted, so a few lines of input cannot grow without bound.

mod build;
mod json;
mod scalar;
mod split;

use std::{fmt, sync::Arc};

pub use scalar::Scalar;
pub(crate) use scalar::as_text;

/// Largest file that is read, in bytes. Kubernetes refuses objects beyond 1.5 MiB; a file may hold several.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Most nodes of one document once aliases are followed. Real manifests have a few hundred; a bomb has millions.
pub const MAX_NODES: usize = 100_000;

/// Bytes of text that count as one more node. So a long text that many aliases name is counted for what it becomes where
/// they are followed, and the longest text that fits into a file is no bomb by itself.
pub(crate) const TEXT_UNIT: usize = 64;

/// Deepest nesting once aliases are followed. Typed fields need 12; the rest is for free-form settings. It also bounds
/// every recursion over nodes.
pub const MAX_DEPTH: usize = 128;

/// What plain scalars mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Resources: YAML 1.1 as Kubernetes tools read it. `yes` and `on` are booleans, `017` is 15, keys are turned into
    /// text after they are resolved, of two equal keys the last wins.
    Kubernetes,
    /// Configuration files: only `true` and `false` are booleans, keys are texts as written, equal keys are an error.
    Plain,
}

/// One document of a file.
#[derive(Debug)]
pub struct Document {
    /// Its number in the file, from 1. Parts that hold nothing are counted but not returned.
    pub number: usize,
    /// Its content.
    pub root: Arc<Node>,
    /// Keys that stand twice in one mapping, at the later place.
    pub repeated_keys: Vec<(String, Position)>,
}

/// A place in a file; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Debug)]
pub struct Node {
    /// Where it begins.
    pub position: Position,
    /// What it is.
    pub kind: NodeKind,
    /// Nodes in it, itself included, with aliases followed and texts counted by [`TEXT_UNIT`].
    size: usize,
    /// Levels in it, itself included.
    depth: usize,
}

/// What a node is.
#[derive(Debug)]
pub enum NodeKind {
    /// A single value.
    Scalar {
        /// The text, with quotes and escapes taken off.
        text: String,
        /// What the text means.
        value: Scalar,
    },
    /// A list.
    Sequence(Vec<Arc<Node>>),
    /// A mapping, in the order of the text, merged entries last.
    Mapping(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// Where the key stands.
    pub position: Position,
    /// The value.
    pub value: Arc<Node>,
}

/// Why a text is not YAML that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not valid YAML at line {}, column {}: {problem}", .position.line, .position.column)]
pub struct YamlError {
    /// The document's number in the file, from 1.
    pub document: usize,
    /// Where reading stopped.
    pub position: Position,
    /// What is wrong there.
    pub problem: String,
}

/// Reads every document of `text`. Documents without content are left out.
pub fn documents(text: &str, dialect: Dialect) -> Vec<Result<Document, YamlError>> {
    split::parts(text)
        .enumerate()
        .filter_map(|(index, part)| build::document(part, index + 1, dialect).transpose())
        .collect()
}

impl Node {
    fn new(position: Position, kind: NodeKind) -> Self {
        let (mut size, mut depth) = (1usize, 0);
        let mut add = |text: &str, child: Option<&Self>| {
            size = size.saturating_add(text.len() / TEXT_UNIT);
            if let Some(child) = child {
                size = size.saturating_add(child.size);
                depth = depth.max(child.depth);
            }
        };
        match &kind {
            NodeKind::Scalar { text, .. } => add(text, None),
            NodeKind::Sequence(items) => items.iter().for_each(|item| add("", Some(&**item))),
            NodeKind::Mapping(entries) => {
                entries
                    .iter()
                    .for_each(|entry| add(&entry.key, Some(&*entry.value)));
            }
        }
        Self {
            position,
            kind,
            size,
            depth: depth + 1,
        }
    }

    /// A mapping that was put together from others.
    pub(crate) fn mapping(position: Position, entries: Vec<Entry>) -> Self {
        Self::new(position, NodeKind::Mapping(entries))
    }

    /// Whether it is null: nothing, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::Scalar {
                value: Scalar::Null,
                ..
            }
        )
    }

    /// The entries, if it is a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            NodeKind::Scalar { .. } | NodeKind::Sequence(_) => None,
        }
    }

    /// The value of the entry `key`, if it is a mapping that has one.
    pub fn get(&self, key: &str) -> Option<&Arc<Self>> {
        self.entries()?
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests;
