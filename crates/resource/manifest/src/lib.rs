//! Resource manifests: parse, validate (pure), typed value.
//!
//! A folder of YAML files becomes [`Resource`]s through `load`; the files of `--config` become one
//! [`Configuration`] through `load_configuration`. Both only read: nothing is opened, started or resolved. What a
//! component's metadata refers to (secrets, environment, templates) is filled in later, by `resolve`.
//!
//! Every message names the file, the document in it, line and column, the path of the field, what was found and what
//! was expected.

mod component;
pub mod configuration;
mod http_endpoint;
mod origin;
pub mod resiliency;
mod resource;
mod subscription;
mod value;

pub use component::{Component, ComponentType};
pub use configuration::Configuration;
pub use http_endpoint::{ClientTls, HttpEndpoint, Renegotiation};
pub use origin::Origin;
pub use resiliency::Resiliency;
pub use resource::{Kind, Other, Resource};
pub use subscription::{BulkSubscribe, Routes, Rule, Subscription};
pub use value::{NameValue, SecretKeyRef, ValueSource};
