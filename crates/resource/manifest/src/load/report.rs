//! What loading found.

use std::fmt;

use crate::{
    Component, HttpEndpoint, Kind, Origin, Resiliency, Resource, Subscription,
    problem::{InvalidFields, Warning},
    source::Unread,
    yaml::YamlError,
};

/// Everything that was read: what is usable, and what became of the rest.
#[derive(Debug, Default)]
pub struct LoadReport {
    /// The resources of the app, in the order of the paths, files and documents.
    pub resources: Vec<Resource>,
    /// Files and documents that gave no resource.
    pub skipped: Vec<Skipped>,
    /// Resources whose name is taken. They are not among `resources`.
    pub duplicates: Vec<Duplicate>,
    /// Fields without effect and the like, of every document of a known kind that is for this app or invalid.
    pub warnings: Vec<Warning>,
}

/// A file or document that gave no resource.
#[derive(Debug)]
pub struct Skipped {
    /// Which one.
    pub origin: Origin,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file or document gave no resource.
#[derive(Debug, thiserror::Error)]
pub enum SkipReason {
    /// The file was not read.
    #[error(transparent)]
    Unread(Unread),
    /// The document is not YAML.
    #[error(transparent)]
    Yaml(YamlError),
    /// Fields of the document cannot be used.
    #[error("{kind} {name} is not usable:\n{fields}")]
    Invalid {
        /// The document's kind.
        kind: Kind,
        /// `metadata.name`, empty if there is none that can be read.
        name: String,
        /// The fields.
        fields: InvalidFields,
    },
    /// The pair of version and kind is not one of ours.
    #[error("apiVersion {api_version:?} with kind {kind:?} is no resource that is known here")]
    UnknownKind {
        /// `apiVersion`, empty if missing.
        api_version: String,
        /// `kind`, empty if missing.
        kind: String,
    },
    /// The manifest's scopes do not name this app.
    #[error("{kind} {name} is not in the scope of this app")]
    OutOfScope {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The manifest is for another namespace.
    #[error("{kind} {name} is for the namespace {namespace}")]
    OtherNamespace {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// A later document of the same kind and name took its place.
    #[error("{kind} {name} is replaced by the one in {by}")]
    Replaced {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// The document that has effect.
        by: Origin,
    },
}

impl SkipReason {
    /// Whether this is how things should be (another app's resource, another program's file), so that nobody needs
    /// to be told.
    pub fn is_expected(&self) -> bool {
        match self {
            Self::OutOfScope { .. } | Self::OtherNamespace { .. } => true,
            Self::UnknownKind { api_version, .. } => !api_version.starts_with(GROUP_PREFIX),
            Self::Unread(_) | Self::Yaml(_) | Self::Invalid { .. } | Self::Replaced { .. } => false,
        }
    }
}

/// What the `apiVersion` of our kinds begins with.
const GROUP_PREFIX: &str = "dapr.io/";

/// A resource whose kind and name are taken by an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The kind.
    pub kind: Kind,
    /// The later resource, as logs name it.
    pub log_name: String,
    /// Where the later one is.
    pub origin: Origin,
    /// The earlier resource, as logs name it.
    pub existing_log_name: String,
    /// Where the earlier one is.
    pub existing_origin: Origin,
}

impl Duplicate {
    pub(super) fn of(later: &Resource, existing: &Resource) -> Self {
        Self {
            kind: later.kind(),
            log_name: later.log_name(),
            origin: later.origin().clone(),
            existing_log_name: existing.log_name(),
            existing_origin: existing.origin().clone(),
        }
    }
}

/// The text is Dapr's, which tools look for; the places are fields beside it.
impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "duplicate definition of {} name {} with existing {}",
            self.kind, self.log_name, self.existing_log_name
        )
    }
}

/// All duplicates of one kind, one a line, then where they are. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateError(pub Vec<Duplicate>);

impl fmt::Display for DuplicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, duplicate) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(duplicate, f)?;
        }
        for duplicate in &self.0 {
            let (later, earlier) = (&duplicate.origin, &duplicate.existing_origin);
            write!(f, "\n{later} has the name that is taken in {earlier}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DuplicateError {}

impl LoadReport {
    /// Fails if two resources of `kind` have one name. Dapr then loads none of the kind; for components it does not
    /// start.
    pub fn unique(&self, kind: Kind) -> Result<(), DuplicateError> {
        let of_kind: Vec<_> = self
            .duplicates
            .iter()
            .filter(|duplicate| duplicate.kind == kind)
            .cloned()
            .collect();
        if of_kind.is_empty() {
            Ok(())
        } else {
            Err(DuplicateError(of_kind))
        }
    }

    /// The components, in order.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.resources.iter().filter_map(|resource| match resource {
            Resource::Component(it) => Some(it),
            _ => None,
        })
    }

    /// The subscriptions, in order.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.resources.iter().filter_map(|resource| match resource {
            Resource::Subscription(it) => Some(it),
            _ => None,
        })
    }

    /// The HTTP endpoints, in order.
    pub fn http_endpoints(&self) -> impl Iterator<Item = &HttpEndpoint> {
        self.resources.iter().filter_map(|resource| match resource {
            Resource::HttpEndpoint(it) => Some(it),
            _ => None,
        })
    }

    /// The resiliency resources, in order.
    pub fn resiliencies(&self) -> impl Iterator<Item = &Resiliency> {
        self.resources.iter().filter_map(|resource| match resource {
            Resource::Resiliency(it) => Some(it),
            _ => None,
        })
    }
}
