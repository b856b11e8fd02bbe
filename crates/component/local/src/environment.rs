//! Where variables come from.

use std::{collections::BTreeMap, ffi::OsString, fmt};

/// A source of variables.
pub trait Environment: Send + Sync + fmt::Debug {
    /// The value of a variable, if it is set.
    fn get(&self, name: &str) -> Option<OsString>;

    /// Every variable.
    fn all(&self) -> Vec<(OsString, OsString)>;
}

/// The variables of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn all(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }
}

/// Variables that were given, for tests and for programs that carry a runtime inside. `Debug` shows no value.
#[derive(Clone, Default)]
pub struct FixedEnvironment(BTreeMap<OsString, OsString>);

impl FixedEnvironment {
    /// These variables and no others.
    pub fn new<N: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl Environment for FixedEnvironment {
    fn get(&self, name: &str) -> Option<OsString> {
        self.0.get(std::ffi::OsStr::new(name)).cloned()
    }

    fn all(&self) -> Vec<(OsString, OsString)> {
        self.0.clone().into_iter().collect()
    }
}

impl fmt::Debug for FixedEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
