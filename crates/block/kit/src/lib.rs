//! What every component gets and gives, whatever its building block: validated properties, a context, open errors.
//!
//! A component never sees an API face and never another component (invariant 1). It is opened from [`Properties`]
//! (the resolved metadata of its manifest) and a [`Context`], and starts no task of its own outside `Context::tasks`.

#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
mod error;
mod properties;

pub use context::Context;
pub use error::OpenError;
pub use properties::Properties;
