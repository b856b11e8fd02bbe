//! Values that an app gives its handlers.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::Arc,
};

use http::request::Parts;

use super::FromParts;
use crate::{Error, context::Context};

/// A clone of a value that was given to [`App::with`](crate::App::with).
///
/// An app with a handler that asks for a type which was not given does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromParts for State<T> {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        let found = Context::of(&parts.extensions).and_then(|context| context.provided().get::<T>());
        found
            .cloned()
            .map(Self)
            .ok_or_else(|| Error::internal(missing::<T>()))
    }

    fn check(app: &Provided) -> Result<(), String> {
        app.get::<T>().map(drop).ok_or_else(missing::<T>)
    }
}

fn missing<T>() -> String {
    let name = type_name::<T>();
    format!("a handler takes State<{name}>, but App::with was given no {name}")
}

/// The values that an app was given, one of each type.
#[derive(Default)]
pub struct Provided(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Provided {
    pub(crate) fn put<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The value of a type, where one was given.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provided").field("values", &self.0.len()).finish()
    }
}
