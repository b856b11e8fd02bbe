//! Resource manifests: parse, validate (pure), typed value.
//!
//! A folder of YAML files becomes [`Resource`]s through [`load`](load()); the files of `--config` become one
//! [`Configuration`] through [`load_configuration`](load_configuration()). Both only read: nothing is opened, started
//! or resolved. What a component's metadata refers to (secrets, environment, templates) is filled in later, by
//! [`resolve`](resolve()).
//!
//! Every message names the file, the document in it, line and column, the path of the field, what was found and what
//! was expected.

mod component;
pub mod configuration;
mod decode;
mod env;
mod http_endpoint;
mod load;
mod load_configuration;
mod origin;
pub mod problem;
pub mod resiliency;
mod resolve;
mod resource;
mod source;
mod subscription;
mod value;
pub mod yaml;

pub use component::{Component, ComponentType};
pub use configuration::Configuration;
pub use decode::field;
pub use env::{Env, ProcessEnv, expand};
pub use http_endpoint::{ClientTls, HttpEndpoint, Renegotiation};
pub use load::{Duplicate, DuplicateError, LoadReport, SkipReason, Skipped, load, parse};
pub use load_configuration::{ConfigurationError, LoadedConfiguration, load_configuration};
pub use origin::Origin;
pub use resiliency::Resiliency;
pub use resolve::{
    ResolveContext, ResolveError, ResolveProblem, Resolved, SecretError, SecretFuture, SecretQuery,
    SecretSource, SecretValues, resolve, resolve_value, resolve_values,
};
pub use resource::{Kind, Other, Resource};
pub use source::{PathError, SourceFile, Unread, is_yaml, read};
pub use subscription::{BulkSubscribe, Routes, Rule, Subscription};
pub use value::{NameValue, SecretKeyRef, ValueSource};
