//! A resource of any kind.

use std::fmt;

use crate::{Component, Configuration, HttpEndpoint, Origin, Resiliency, Subscription};

/// What a document describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// A component.
    Component(Component),
    /// A runtime configuration. Runtimes take theirs from `load_configuration`, not from a resource folder.
    Configuration(Box<Configuration>),
    /// A subscription of either API version.
    Subscription(Subscription),
    /// An external HTTP service.
    HttpEndpoint(HttpEndpoint),
    /// Resiliency policies.
    Resiliency(Resiliency),
    /// A kind that is known by name only.
    Other(Other),
}

/// A resource of a kind that is recognised but not built, so that a warning can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its kind.
    pub kind: Kind,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, if the manifest gives one that is not empty.
    pub namespace: Option<String>,
    /// The apps it is for; empty is every app.
    pub scopes: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// The kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `Component`
    Component,
    /// `Configuration`
    Configuration,
    /// `Subscription`
    Subscription,
    /// `HTTPEndpoint`
    HttpEndpoint,
    /// `Resiliency`
    Resiliency,
    /// `MCPServer`
    McpServer,
    /// `WorkflowAccessPolicy`
    WorkflowAccessPolicy,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Component,
        Self::Configuration,
        Self::Subscription,
        Self::HttpEndpoint,
        Self::Resiliency,
        Self::McpServer,
        Self::WorkflowAccessPolicy,
    ];

    /// The name in a manifest's `kind` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "Component",
            Self::Configuration => "Configuration",
            Self::Subscription => "Subscription",
            Self::HttpEndpoint => "HTTPEndpoint",
            Self::Resiliency => "Resiliency",
            Self::McpServer => "MCPServer",
            Self::WorkflowAccessPolicy => "WorkflowAccessPolicy",
        }
    }

    /// The kind with this exact name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Resource {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Component(_) => Kind::Component,
            Self::Configuration(_) => Kind::Configuration,
            Self::Subscription(_) => Kind::Subscription,
            Self::HttpEndpoint(_) => Kind::HttpEndpoint,
            Self::Resiliency(_) => Kind::Resiliency,
            Self::Other(other) => other.kind,
        }
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        match self {
            Self::Component(it) => &it.name,
            Self::Configuration(it) => &it.name,
            Self::Subscription(it) => &it.name,
            Self::HttpEndpoint(it) => &it.name,
            Self::Resiliency(it) => &it.name,
            Self::Other(it) => &it.name,
        }
    }

    /// `metadata.namespace`, if the manifest gives one that is not empty.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Component(it) => it.namespace.as_deref(),
            Self::Configuration(it) => it.namespace.as_deref(),
            Self::Subscription(it) => it.namespace.as_deref(),
            Self::HttpEndpoint(it) => it.namespace.as_deref(),
            Self::Resiliency(it) => it.namespace.as_deref(),
            Self::Other(it) => it.namespace.as_deref(),
        }
    }

    /// The apps it is for; empty is every app.
    pub fn scopes(&self) -> &[String] {
        match self {
            Self::Component(it) => &it.scopes,
            Self::Configuration(_) => &[],
            Self::Subscription(it) => &it.scopes,
            Self::HttpEndpoint(it) => &it.scopes,
            Self::Resiliency(it) => &it.scopes,
            Self::Other(it) => &it.scopes,
        }
    }

    /// Where it was written.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Component(it) => &it.origin,
            Self::Configuration(it) => &it.origin,
            Self::Subscription(it) => &it.origin,
            Self::HttpEndpoint(it) => &it.origin,
            Self::Resiliency(it) => &it.origin,
            Self::Other(it) => &it.origin,
        }
    }

    /// The name as logs and errors show it, with what tells apart two resources of one name.
    pub fn log_name(&self) -> String {
        match self {
            Self::Component(it) => it.log_name(),
            Self::HttpEndpoint(it) => it.log_name(),
            other => other.name().to_owned(),
        }
    }
}

/// Whether a list of scopes lets `app_id` in: an empty list lets everyone in.
pub(crate) fn in_scope(scopes: &[String], app_id: &str) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope == app_id)
}
