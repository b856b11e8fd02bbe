//! Several resolvers, asked in order.

use std::{fmt, net::SocketAddr, sync::Arc};

use crate::{BoxFuture, Endpoints, Error, Name, NameRef, Resolve};

/// The name under which a chain reports that nobody in it knew the answer.
const RESOLVER: &str = "the resolver chain";

/// Asks its resolvers in the order in which they were added; the first that knows an instance answers.
///
/// A resolver that fails does not end the search, since another may know; its error is returned only if
/// nobody knows, for then "not found" would be a guess.
#[derive(Clone, Default)]
pub struct Chain {
    links: Vec<(&'static str, Arc<dyn Resolve>)>,
}

impl Chain {
    /// A chain that knows nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `resolver` at the end; `label` names it in logs.
    #[must_use]
    pub fn with(mut self, label: &'static str, resolver: impl Resolve + 'static) -> Self {
        self.links.push((label, Arc::new(resolver)));
        self
    }
}

impl Resolve for Chain {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        Box::pin(async move {
            let mut failure = None;
            for (label, resolver) in &self.links {
                match resolver.resolve(name).await {
                    Ok(endpoints) => return Ok(endpoints),
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => {
                        tracing::debug!(%name, resolver = label, error = %error, "a resolver failed, the next one is asked");
                        failure.get_or_insert(error);
                    }
                }
            }
            Err(failure.unwrap_or_else(|| Error::NotFound {
                name: name.clone(),
                resolver: RESOLVER,
            }))
        })
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        self.links.iter().find_map(|(_, resolver)| resolver.cached(name))
    }

    fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        for (_, resolver) in &self.links {
            resolver.evict(name, address);
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.links.iter().map(|(label, _)| label))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    /// Answers with a port, with "nobody" or with a failure.
    enum Fixed {
        Port(u16),
        Nobody,
        Fails,
    }

    impl Resolve for Fixed {
        fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
            Box::pin(async move {
                match self {
                    Self::Port(port) => Ok([Endpoint::new(([127, 0, 0, 1], *port).into())].into()),
                    Self::Nobody => Err(Error::NotFound {
                        name: name.clone(),
                        resolver: "fixed",
                    }),
                    Self::Fails => Err(Error::Unavailable {
                        name: name.clone(),
                        resolver: "fixed",
                        source: Arc::new(std::io::Error::other("down")),
                    }),
                }
            })
        }
    }

    async fn ask(links: impl IntoIterator<Item = Fixed>) -> Result<u16, Error> {
        let chain = links
            .into_iter()
            .fold(Chain::new(), |chain, link| chain.with("fixed", link));
        chain
            .resolve(&Name::new("orders"))
            .await
            .map(|endpoints| endpoints[0].address.port())
    }

    #[tokio::test]
    async fn the_first_resolver_that_knows_answers() {
        use Fixed::{Fails, Nobody, Port};
        assert_eq!(ask([Port(1), Port(2)]).await.unwrap(), 1);
        assert_eq!(ask([Nobody, Port(2)]).await.unwrap(), 2);
        assert_eq!(ask([Fails, Port(2)]).await.unwrap(), 2);
        assert!(ask([Nobody, Nobody]).await.unwrap_err().is_not_found());
        assert!(ask([]).await.unwrap_err().is_not_found());
    }

    #[tokio::test]
    async fn a_failure_is_not_reported_as_not_found() {
        let error = ask([Fixed::Fails, Fixed::Nobody]).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    }
}
