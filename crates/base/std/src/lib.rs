//! What the standard library lacks, with no word of the domain.
//!
//! Kept small on purpose: a helper belongs here only when several rooms need it and it knows nothing of any of them.

pub mod go;
mod object;
pub mod quantity;
mod secret;

pub use object::Object;
pub use secret::Secret;

/// An error whose type does not matter to the one who carries it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Writes an error with its causes, once each, as `what: why: why`.
///
/// Errors of this code base never repeat their source in `Display`, so the chain reads as one sentence.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
