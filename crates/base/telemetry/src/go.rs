//! How Go's standard library writes values, where readers compare texts: floats, quoted strings, times.

mod float;
mod layout;
mod quote;

pub(crate) use float::write_float;
pub use layout::{Layout, LayoutError};
pub(crate) use quote::{push_json, push_quoted};
