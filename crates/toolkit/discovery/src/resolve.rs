//! The trait that every resolver has.

use std::{net::SocketAddr, sync::Arc};

use crate::{Endpoints, Error, Name, NameRef};

pub use futures_core::future::BoxFuture;

/// Finds the instances that serve a name.
///
/// Object-safe: a program keeps an `Arc<dyn Resolve>` and does not care which drivers are behind it.
pub trait Resolve: Send + Sync {
    /// Asks for the instances of `name`; may wait for the network.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the resolver did its work and nobody serves the name; any other error when it
    /// could not do its work. A returned list is never empty.
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>>;

    /// What is known about `name` without waiting: no I/O that can block for long, no allocation.
    ///
    /// `None` says only that [`resolve`](Self::resolve) has to be asked. A returned list is never empty.
    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        let _ = name;
        None
    }

    /// Tells the resolver that `address`, which it named for `name`, could not be dialled, so that it is
    /// not handed out again before somebody vouches for it anew. Resolvers that keep nothing do nothing.
    fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        let _ = (name, address);
    }
}

impl<R: Resolve + ?Sized> Resolve for Arc<R> {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        (**self).resolve(name)
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        (**self).cached(name)
    }

    fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        (**self).evict(name, address);
    }
}

impl<R: Resolve + ?Sized> Resolve for Box<R> {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        (**self).resolve(name)
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        (**self).cached(name)
    }

    fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        (**self).evict(name, address);
    }
}
