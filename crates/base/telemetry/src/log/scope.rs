//! From Rust modules to the scopes that log readers know.

use std::borrow::Cow;

use tracing::Metadata;

/// Which scope a line is of.
#[derive(Debug, Clone, Default)]
pub struct Scopes {
    /// Targets that begin with this are scopes themselves.
    pub prefix: Cow<'static, str>,
    /// Rust module paths and their scopes; the longest path that the event's module lies in wins.
    pub modules: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The scope of foreign events; the module path when `None`.
    pub foreign: Option<Cow<'static, str>>,
}

impl Scopes {
    /// The scope of an event, and whether it is one of ours.
    pub(super) fn of<'s>(&'s self, metadata: &Metadata<'s>) -> (&'s str, bool) {
        let target = metadata.target();
        if !self.prefix.is_empty() && target.starts_with(&*self.prefix) {
            return (target, true);
        }
        let module = metadata.module_path().unwrap_or(target);
        let known = self
            .modules
            .iter()
            .filter(|(path, _)| lies_in(module, path))
            .max_by_key(|(path, _)| path.len());
        match known {
            Some((_, scope)) => (scope, true),
            None => (self.foreign.as_deref().unwrap_or(module), false),
        }
    }
}

/// Whether `module` is `path` or below it.
fn lies_in(module: &str, path: &str) -> bool {
    module
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
