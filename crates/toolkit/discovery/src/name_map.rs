//! A map from names that is asked with borrowed ones.

use std::{collections::HashMap, sync::Arc};

use crate::NameRef;

/// Values by id, then by namespace: an id has few namespaces, and a look-up builds no owned name.
#[derive(Clone, Debug)]
pub(crate) struct NameMap<T>(HashMap<Arc<str>, Vec<Space<T>>>);

/// A namespace of an id, and what it holds.
type Space<T> = (Option<Arc<str>>, T);

impl<T> Default for NameMap<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[allow(
    dead_code,
    reason = "which of these are used depends on the drivers that are built"
)]
impl<T> NameMap<T> {
    pub(crate) fn get(&self, name: NameRef<'_>) -> Option<&T> {
        let spaces = self.0.get(name.id)?;
        spaces
            .iter()
            .find(|(namespace, _)| namespace.as_deref() == name.namespace)
            .map(|(_, value)| value)
    }

    /// The value of `name`, which `make` makes if there is none yet.
    pub(crate) fn get_or_insert_with(&mut self, name: NameRef<'_>, make: impl FnOnce() -> T) -> &mut T {
        let spaces = self.0.entry(name.id.into()).or_default();
        let place = spaces
            .iter()
            .position(|(namespace, _)| namespace.as_deref() == name.namespace);
        let place = place.unwrap_or_else(|| {
            spaces.push((name.namespace.map(Into::into), make()));
            spaces.len() - 1
        });
        &mut spaces[place].1
    }

    pub(crate) fn remove(&mut self, name: NameRef<'_>) {
        if let Some(spaces) = self.0.get_mut(name.id) {
            spaces.retain(|(namespace, _)| namespace.as_deref() != name.namespace);
            if spaces.is_empty() {
                self.0.remove(name.id);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NameRef<'_>, &T)> {
        self.0.iter().flat_map(|(id, spaces)| {
            spaces.iter().map(move |(namespace, value)| {
                (
                    NameRef {
                        id,
                        namespace: namespace.as_deref(),
                    },
                    value,
                )
            })
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_of_one_id_are_apart() {
        let mut map = NameMap::default();
        let (plain, test) = (NameRef::new("a"), NameRef::new("a").in_namespace("test"));
        *map.get_or_insert_with(plain, || 0) += 1;
        *map.get_or_insert_with(plain, || 0) += 1;
        *map.get_or_insert_with(test, || 7) += 1;
        assert_eq!(
            (map.get(plain), map.get(test), map.get(NameRef::new("b"))),
            (Some(&2), Some(&8), None)
        );
        assert_eq!(map.len(), 2);
        assert_eq!(map.iter().filter(|(name, _)| *name == test).count(), 1);
        map.remove(plain);
        assert_eq!((map.get(plain), map.get(test), map.len()), (None, Some(&8), 1));
    }
}
