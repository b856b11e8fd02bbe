//! From positioned YAML nodes to typed values: one small file for each kind, over the [`field`] readers.

mod common;
mod component;
mod configuration;
mod configuration_access;
mod configuration_observe;
mod configuration_workflow;
pub mod field;
mod http_endpoint;
mod nearest;
mod resiliency;
mod resiliency_policies;
mod subscription;

use crate::{
    Kind, Origin, Other, Resource,
    problem::{FieldError, InvalidFields, Warning},
    yaml::{Dialect, Document},
};
use field::{Decoder, Field};

pub(crate) use configuration::configuration;

/// `apiVersion` of most kinds.
const V1_ALPHA1: &str = "dapr.io/v1alpha1";

/// `apiVersion` of the newer form of subscriptions.
const V2_ALPHA1: &str = "dapr.io/v2alpha1";

/// What a document says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) api_version: String,
    pub(crate) kind: String,
}

impl Header {
    /// Reads the two fields that say what a document is; they may be missing.
    pub(crate) fn of(document: &Document) -> Self {
        let text = |name: &str| {
            document
                .root
                .entries()
                .unwrap_or_default()
                .iter()
                .find(|entry| entry.key.eq_ignore_ascii_case(name))
                .and_then(|entry| field::plain_text(&entry.value))
                .unwrap_or_default()
        };
        Self {
            api_version: text("apiVersion"),
            kind: text("kind"),
        }
    }

    /// The kind, if the pair is one that we know.
    pub(crate) fn known(&self) -> Option<Kind> {
        let kind = Kind::parse(&self.kind)?;
        let versions: &[&str] = match kind {
            Kind::Subscription => &[V1_ALPHA1, V2_ALPHA1],
            _ => &[V1_ALPHA1],
        };
        versions.contains(&self.api_version.as_str()).then_some(kind)
    }
}

/// Reads a document of a known kind, or says its name and what is wrong with it. Warnings are given in both cases.
pub(crate) fn resource(
    document: &Document,
    kind: Kind,
    header: &Header,
    origin: &Origin,
) -> (Result<Resource, (String, InvalidFields)>, Vec<Warning>) {
    let decoder = Decoder::new(origin.clone(), Dialect::Kubernetes);
    decoder.repeated(&document.repeated_keys);
    let root = Field::root(&decoder, &document.root);
    let resource = match kind {
        Kind::Component => Resource::Component(component::component(&root)),
        Kind::Configuration => Resource::Configuration(Box::new(configuration(&root))),
        Kind::Subscription if header.api_version == V2_ALPHA1 => {
            Resource::Subscription(subscription::v2(&root))
        }
        Kind::Subscription => Resource::Subscription(subscription::v1(&root)),
        Kind::HttpEndpoint => Resource::HttpEndpoint(http_endpoint::http_endpoint(&root)),
        Kind::Resiliency => Resource::Resiliency(resiliency::resiliency(&root)),
        Kind::McpServer | Kind::WorkflowAccessPolicy => Resource::Other(other(&root, kind)),
    };
    let (errors, warnings) = decoder.finish();
    let name = resource.name().to_owned();
    (
        checked(resource, errors).map_err(|fields| (name, fields)),
        warnings,
    )
}

/// A value, unless there are errors.
pub(crate) fn checked<T>(value: T, errors: Vec<FieldError>) -> Result<T, InvalidFields> {
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(InvalidFields(errors))
    }
}

fn other(root: &Field<'_>, kind: Kind) -> Other {
    let document = root.object(&["apiVersion", "kind", "metadata", "spec", "scopes", "status"]);
    let meta = common::meta(&document);
    root.warn(crate::problem::Issue::NotBuilt);
    Other {
        kind,
        name: meta.name,
        namespace: meta.namespace,
        scopes: document.get("scopes").string_list(),
        origin: root.origin(),
    }
}
