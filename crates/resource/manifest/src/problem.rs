//! What can be wrong with a manifest: errors that make a document unusable, and warnings that travel as data.

use std::{borrow::Cow, fmt};

use crate::{Origin, yaml::Position};

/// A field that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The document.
    pub origin: Origin,
    /// Where the field stands; for a missing one, where its surroundings do.
    pub position: Position,
    /// The path of the field: `spec.metadata[0].name`.
    pub path: String,
    /// What is there.
    pub found: String,
    /// What should be there.
    pub expected: Cow<'static, str>,
}

/// Every field of one document that cannot be used. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidFields(pub Vec<FieldError>);

/// Something that does not stop a resource from being used, but is not what its writer meant.
///
/// Dapr is silent about most of these; a caller that starts applications for people may refuse them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The document.
    pub origin: Origin,
    /// Where in the file.
    pub position: Position,
    /// The path of the field.
    pub path: String,
    /// What it is about.
    pub issue: Issue,
}

/// What a warning is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issue {
    /// A field that no version of this kind has; it has no effect.
    UnknownField {
        /// The known field whose name is nearest, if one is near.
        nearest: Option<&'static str>,
    },
    /// A field that is given twice; the later one has effect.
    Repeated,
    /// A value that is not understood; it has no effect.
    Ignored {
        /// What is there.
        found: String,
        /// What should be there.
        expected: Cow<'static, str>,
    },
    /// A value that says of the document what it is not; the document is used all the same.
    UsedAnyway {
        /// What is there.
        found: String,
        /// What should be there.
        expected: Cow<'static, str>,
    },
    /// A field that is needed for the resource to be of use.
    Missing {
        /// What should be there.
        expected: Cow<'static, str>,
    },
    /// A kind, a version or a field that is recognised but not built.
    NotBuilt,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.origin, self.position, &self.path)?;
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for FieldError {}

impl fmt::Display for InvalidFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(error, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidFields {}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.origin, self.position, &self.path)?;
        match &self.issue {
            Issue::UnknownField { nearest: None } => f.write_str("unknown field; it has no effect"),
            Issue::UnknownField { nearest: Some(name) } => {
                write!(f, "unknown field; it has no effect. Did you mean \"{name}\"?")
            }
            Issue::Repeated => f.write_str("given twice; the later one has effect"),
            Issue::Ignored { found, expected } => {
                write!(f, "found {found}, expected {expected}; it has no effect")
            }
            Issue::UsedAnyway { found, expected } => {
                write!(
                    f,
                    "found {found}, expected {expected}; the document is used all the same"
                )
            }
            Issue::Missing { expected } => write!(f, "missing; expected {expected}"),
            Issue::NotBuilt => f.write_str("recognised, but not built in this version; it has no effect"),
        }
    }
}

/// `file, document n, line l, column c: path: `
fn write_place(f: &mut fmt::Formatter<'_>, origin: &Origin, position: Position, path: &str) -> fmt::Result {
    write!(
        f,
        "{}, document {}, {position}: ",
        origin.file.display(),
        origin.document
    )?;
    if path.is_empty() {
        Ok(())
    } else {
        write!(f, "{path}: ")
    }
}
