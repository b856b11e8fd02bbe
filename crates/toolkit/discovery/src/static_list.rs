//! Names and addresses that a configuration writes down.

use std::net::SocketAddr;

use crate::{BoxFuture, Endpoint, Endpoints, Error, Name, NameRef, Resolve, name_map::NameMap};

const RESOLVER: &str = "the static list";

/// A resolver that knows what it was made with, and nothing else.
///
/// ```
/// use outrigger_discovery::{Name, NameRef, Resolve, static_list::StaticList};
///
/// let list = StaticList::from_iter([
///     (Name::new("orders"), vec!["10.0.0.1:3000".parse().unwrap(), "10.0.0.2:3000".parse().unwrap()]),
///     (Name::new("orders").in_namespace("test"), vec!["10.0.9.1:3000".parse().unwrap()]),
/// ]);
/// assert_eq!(list.cached(NameRef::new("orders")).unwrap().len(), 2);
/// assert_eq!(list.cached(NameRef::new("orders").in_namespace("test")).unwrap().len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticList {
    names: NameMap<Endpoints>,
}

impl StaticList {
    /// A list without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `endpoints` to those of `name`.
    pub fn add(&mut self, name: &Name, endpoints: impl IntoIterator<Item = Endpoint>) {
        let known = self.names.get_or_insert_with(name.into(), || [].into());
        *known = known.iter().cloned().chain(endpoints).collect();
    }
}

impl<E: IntoIterator<Item = SocketAddr>> FromIterator<(Name, E)> for StaticList {
    fn from_iter<I: IntoIterator<Item = (Name, E)>>(names: I) -> Self {
        let mut list = Self::new();
        for (name, addresses) in names {
            list.add(&name, addresses.into_iter().map(Endpoint::new));
        }
        list
    }
}

impl Resolve for StaticList {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        let found = self.cached(name.into());
        Box::pin(async move {
            found.ok_or_else(|| Error::NotFound {
                name: name.clone(),
                resolver: RESOLVER,
            })
        })
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        let endpoints = self.names.get(name)?;
        (!endpoints.is_empty()).then(|| endpoints.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_written_names_resolve_and_namespaces_are_apart() {
        let list = StaticList::from_iter([
            (Name::new("a"), vec!["127.0.0.1:1".parse().unwrap()]),
            (Name::new("a"), vec!["127.0.0.1:2".parse().unwrap()]),
            (
                Name::new("a").in_namespace("x"),
                vec!["127.0.0.1:3".parse().unwrap()],
            ),
            (Name::new("empty"), vec![]),
        ]);
        let ports = async |name: Name| -> Result<Vec<u16>, Error> {
            Ok(list
                .resolve(&name)
                .await?
                .iter()
                .map(|endpoint| endpoint.address.port())
                .collect())
        };
        assert_eq!(ports(Name::new("a")).await.unwrap(), [1, 2]);
        assert_eq!(ports(Name::new("a").in_namespace("x")).await.unwrap(), [3]);
        for name in [
            Name::new("b"),
            Name::new("empty"),
            Name::new("a").in_namespace("y"),
        ] {
            assert!(ports(name).await.unwrap_err().is_not_found());
        }
    }
}
