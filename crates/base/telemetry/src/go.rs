//! How Go's standard library writes values, where readers compare texts: floats and quoted strings.

mod float;

pub(crate) use float::write_float;
